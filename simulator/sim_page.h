// sim_page.h: paging as Twilio's two API families do it: what a request asks for, and the
// envelope around a list.
#ifndef SIM_PAGE_H
#define SIM_PAGE_H

#include "sim_error.h"

struct buf;
struct http_request;

enum { SIM_PAGE_SIZE = 50, SIM_PAGE_SIZE_MAX = 1000, SIM_PAGE_FILTERS_MAX = 6 };

struct sim_page {
    size_t page, page_size;
    const char *path;  // of the list: "/2010-04-01/Accounts/AC…/Messages.json"
    struct {
        const char *name, *value;  // of the query; kept in every address of the envelope
    } filters[SIM_PAGE_FILTERS_MAX];
    size_t filter_count;
};

// sim_page_read fills page from PageSize and Page; path is borrowed.
//   OUTCOME_REJECT  20001, 20007.
MUST_CHECK enum outcome sim_page_read(struct sim_page *page,
                                      const struct http_request *req, const char *path,
                                      struct sim_error *error);

// sim_page_filter returns the query's value of that name, NULL when it is empty or not
// there, and keeps it for the envelope.
const char *sim_page_filter(struct sim_page *page, const struct http_request *req,
                            const char *name);

// sim_page_first and sim_page_end are the places of this page in a list of count.
size_t sim_page_first(const struct sim_page *page, size_t count);
size_t sim_page_end(const struct sim_page *page, size_t count);

// sim_page_takes tells whether item number i (from 0) is on this page, and puts the comma
// between items.
bool sim_page_takes(struct buf *out, const struct sim_page *page, size_t i);

// sim_page_address appends the address of page number: path, filters, PageSize, Page.
void sim_page_address(struct buf *out, const struct sim_page *page, size_t number);

// sim_page_close appends what follows the array of a list of count in the 2010 family:
// ,"page":0 … "uri":"…". sim_page_close_v1 does so for the others: "meta", with addresses
// on host.
void sim_page_close(struct buf *out, const struct sim_page *page, size_t count);
void sim_page_close_v1(struct buf *out, const struct sim_page *page, size_t count,
                       const char *host, const char *key);

#endif
