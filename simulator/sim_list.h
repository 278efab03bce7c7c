// sim_list.h: the list of messages in pages, newest first: which messages a page holds
// and the envelope around them.
#ifndef SIM_LIST_H
#define SIM_LIST_H

#include "sim_json.h"

struct buf;
struct sim_store;

enum { SIM_LIST_PAGE_SIZE = 50, SIM_LIST_PAGE_MAX = 1000 };

struct sim_list_query {
    const char *to, *from;  // NULL = any
    size_t page_size;       // 1 to SIM_LIST_PAGE_MAX
    size_t page;            // where the caller says it is; skips only without a token
    uint32_t after;         // the page begins behind this message; 0 = at the newest
    uint32_t before;        // the page ends in front of this message; 0 = no such wish
};

struct sim_list_page {
    uint32_t numbers[SIM_LIST_PAGE_MAX];
    size_t count;
    bool has_next;
};

// sim_list_read_token understands the PageToken of an address that sim_list_render
// wrote: "PA" or "PB" and a message SID.
//   OUTCOME_REJECT  it is something else.
MUST_CHECK enum outcome sim_list_read_token(struct sim_list_query *q,
                                            struct sim_sids *sids, const char *token,
                                            struct err *err);

void sim_list_select(struct sim_list_page *page, const struct sim_store *store,
                     const struct sim_list_query *q);

// sim_list_render appends the envelope with its messages.
void sim_list_render(struct buf *out, struct sim_json *j, const struct sim_store *store,
                     const struct sim_list_query *q, const struct sim_list_page *page);

#endif
