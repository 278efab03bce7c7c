#include "sim_list.h"
#include "buf.h"
#include "sim_sids.h"
#include "sim_store.h"

#include <string.h>

enum outcome sim_list_read_token(struct sim_list_query *q, struct sim_sids *sids,
                                 const char *token, struct err *err)
{
    uint32_t number = 0;

    if (token[0] != 'P' || (token[1] != 'A' && token[1] != 'B') ||
        !sim_sids_read(sids, token + 2, strlen(token + 2), &number))
        return err_set(err, OUTCOME_REJECT, "not a page token");
    if (token[1] == 'A')
        q->after = number;
    else
        q->before = number;
    return OUTCOME_OK;
}

static bool is_wanted(const struct sim_message *m, const struct sim_list_query *q)
{
    return (!q->to || strcmp(sim_message_to(m), q->to) == 0) &&
           (!q->from || (m->from && strcmp(m->from, q->from) == 0));
}

// Returns the next candidate that is older than number; with To, only those to that
// phone are looked at.
static uint32_t older(const struct sim_store *store, const struct sim_list_query *q,
                      uint32_t number)
{
    const struct sim_message *m = sim_store_get(store, number);

    if (!q->to)
        return number - 1;
    if (m && strcmp(sim_message_to(m), q->to) == 0)
        return m->older_to;
    uint32_t next = sim_store_newest_to(store, q->to);
    while (next >= number)
        next = sim_store_get(store, next)->older_to;
    return next;
}

static void select_older(struct sim_list_page *page, const struct sim_store *store,
                         const struct sim_list_query *q)
{
    uint32_t from = q->after ? q->after : sim_store_count(store) + 1;
    size_t skip = q->after ? 0 : q->page * q->page_size;

    for (uint32_t n = older(store, q, from); n; n = older(store, q, n)) {
        if (!is_wanted(sim_store_get(store, n), q))
            continue;
        if (skip > 0) {
            skip--;
            continue;
        }
        if (page->count == q->page_size) {
            page->has_next = true;
            return;
        }
        page->numbers[page->count++] = n;
    }
}

// Collects upwards from before, then turns the page round: newest first.
static void select_newer(struct sim_list_page *page, const struct sim_store *store,
                         const struct sim_list_query *q)
{
    uint32_t count = sim_store_count(store);

    for (uint32_t n = q->before + 1; n <= count && page->count < q->page_size; n++)
        if (is_wanted(sim_store_get(store, n), q))
            page->numbers[page->count++] = n;
    for (size_t i = 0; i < page->count / 2; i++) {
        uint32_t number = page->numbers[i];
        page->numbers[i] = page->numbers[page->count - 1 - i];
        page->numbers[page->count - 1 - i] = number;
    }
    page->has_next = true;
}

void sim_list_select(struct sim_list_page *page, const struct sim_store *store,
                     const struct sim_list_query *q)
{
    page->count = 0;
    page->has_next = false;
    if (q->before)
        select_newer(page, store, q);
    else
        select_older(page, store, q);
}

static void add_filter(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_add_text(out, name);
    buf_add_char(out, '=');
    buf_add_url_escaped(out, value, strlen(value));
    buf_add_char(out, '&');
}

// Appends "name":"address of that page"; token is NULL or "PA", "PB" with the message.
static void add_address(struct buf *out, const struct sim_json *j,
                        const struct sim_list_query *q, const char *name, size_t page)
{
    buf_addf(out, ",\"%s\":\"/" SIM_JSON_API_VERSION "/Accounts/%s/Messages.json?", name,
             j->account_sid);
    add_filter(out, "To", q->to);
    add_filter(out, "From", q->from);
    buf_addf(out, "PageSize=%zu&Page=%zu", q->page_size, page);
}

static void add_token(struct buf *out, const struct sim_json *j, const char *kind,
                      uint32_t number)
{
    char sid[SIM_SIDS_TEXT_BYTES];

    sim_sids_message(j->sids, number, sid);
    buf_addf(out, "&PageToken=%s%s\"", kind, sid);
}

static void add_addresses(struct buf *out, const struct sim_json *j,
                          const struct sim_list_query *q,
                          const struct sim_list_page *page)
{
    add_address(out, j, q, "uri", q->page);
    buf_add_char(out, '"');
    add_address(out, j, q, "first_page_uri", 0);
    buf_add_char(out, '"');
    if (page->has_next && page->count) {
        add_address(out, j, q, "next_page_uri", q->page + 1);
        add_token(out, j, "PA", page->numbers[page->count - 1]);
    } else {
        buf_add_text(out, ",\"next_page_uri\":null");
    }
    if (q->page > 0 && page->count) {
        add_address(out, j, q, "previous_page_uri", q->page - 1);
        add_token(out, j, "PB", page->numbers[0]);
    } else {
        buf_add_text(out, ",\"previous_page_uri\":null");
    }
}

void sim_list_render(struct buf *out, struct sim_json *j, const struct sim_store *store,
                     const struct sim_list_query *q, const struct sim_list_page *page)
{
    size_t start = q->page * q->page_size;

    buf_add_text(out, "{\"messages\":[");
    for (size_t i = 0; i < page->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        sim_json_message(out, j, sim_store_get(store, page->numbers[i]), false);
    }
    buf_addf(out, "],\"page\":%zu,\"page_size\":%zu,\"start\":%zu,\"end\":%zu", q->page,
             q->page_size, page->count ? start : 0,
             page->count ? start + page->count - 1 : 0);
    add_addresses(out, j, q, page);
    buf_add_char(out, '}');
}
