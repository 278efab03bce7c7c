// sim_list.h: the list of messages in pages, newest first: which messages a page holds
// and the envelope around them.
#ifndef SIM_LIST_H
#define SIM_LIST_H

#include "sim_json.h"
#include "sim_page.h"

struct buf;
struct sim_store;

enum { SIM_LIST_PAGE_MAX = SIM_PAGE_SIZE_MAX };

struct sim_list_query {
    struct sim_page page;   // its number skips only without a token
    uint16_t account;       // whose messages
    const char *to, *from;  // NULL = any
    bool is_by_date;        // only messages sent from first_us to last_us, inclusive
    int64_t first_us, last_us;
    uint32_t hidden;  // so many of the newest messages are not shown yet
    uint32_t after;   // the page begins behind this message; 0 = at the newest
    uint32_t before;  // the page ends in front of this message; 0 = no such wish
};

struct sim_list_page {
    uint32_t numbers[SIM_LIST_PAGE_MAX];
    size_t count;
    bool has_next;
};

// sim_list_read fills q from a request: path and page, To, From, DateSent in its three
// forms, and the PageToken of an address that sim_list_render wrote.
//   OUTCOME_REJECT  20001, 20007.
MUST_CHECK enum outcome sim_list_read(struct sim_list_query *q, struct sim_sids *sids,
                                      const struct http_request *req, const char *path,
                                      struct sim_error *error);

// sim_list_read_token understands a PageToken: "PA" or "PB" and a message SID. Returns
// false for anything else.
MUST_CHECK bool sim_list_read_token(struct sim_list_query *q, struct sim_sids *sids,
                                    const char *token);

void sim_list_select(struct sim_list_page *page, const struct sim_store *store,
                     const struct sim_list_query *q);

// sim_list_render appends the envelope with its messages.
void sim_list_render(struct buf *out, struct sim_json *j, const struct sim_store *store,
                     const struct sim_list_query *q, const struct sim_list_page *page);

#endif
