#include "sim_list.h"
#include "buf.h"
#include "http_server.h"
#include "sim_dates.h"
#include "sim_sids.h"
#include "sim_store.h"

#include <string.h>

static const int64_t day_us = 86400LL * 1000000;

bool sim_list_read_token(struct sim_list_query *q, struct sim_sids *sids,
                         const char *token)
{
    uint32_t number = 0;

    if (token[0] != 'P' || (token[1] != 'A' && token[1] != 'B') ||
        !sim_sids_read(sids, token + 2, strlen(token + 2), &number))
        return false;
    if (token[1] == 'A')
        q->after = number;
    else
        q->before = number;
    return true;
}

// "DateSent" is a whole day; "DateSent<" and "DateSent>" include their moment, which for
// a day is its midnight.
static bool read_date(struct sim_list_query *q, char kind, const char *value)
{
    int64_t at_us = 0;
    bool is_day = false;

    if (!sim_dates_parse(&at_us, &is_day, value, strlen(value)))
        return false;
    int64_t begin_us = kind == '=' ? at_us - at_us % day_us : at_us;
    int64_t end_us = kind == '=' ? begin_us + day_us - 1 : at_us;
    if (kind != '<' && begin_us > q->first_us)
        q->first_us = begin_us;
    if (kind != '>' && end_us < q->last_us)
        q->last_us = end_us;
    q->is_by_date = true;
    return true;
}

enum outcome sim_list_read(struct sim_list_query *q, struct sim_sids *sids,
                           const struct http_request *req, const char *path,
                           struct sim_error *error)
{
    static const struct {
        const char *name;
        char kind;
    } dates[] = { { "DateSent", '=' }, { "DateSent<", '<' }, { "DateSent>", '>' } };
    const char *bad = NULL, *token = http_request_query(req, "PageToken");

    *q = (struct sim_list_query){ .first_us = INT64_MIN, .last_us = INT64_MAX };
    enum outcome rc = sim_page_read(&q->page, req, path, error);
    if (rc)
        return rc;
    q->to = sim_page_filter(&q->page, req, "To");
    q->from = sim_page_filter(&q->page, req, "From");
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        const char *value = sim_page_filter(&q->page, req, dates[i].name);
        if (value && !read_date(q, dates[i].kind, value))
            bad = value;
    }
    if (token && token[0] && !sim_list_read_token(q, sids, token))
        bad = token;
    if (bad)
        return sim_error_code(error, 20001, (struct sim_text){ bad, strlen(bad) });
    return OUTCOME_OK;
}

static bool is_wanted(const struct sim_message *m, const struct sim_list_query *q)
{
    int64_t sent_us = m->sent_s * INT64_C(1000000);

    if (m->account != q->account || m->is_deleted)
        return false;
    if (q->is_by_date && (!m->sent_s || sent_us < q->first_us || sent_us > q->last_us))
        return false;
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
    uint32_t newest = sim_store_count(store) - q->hidden;
    uint32_t from = q->after && q->after <= newest ? q->after : newest + 1;
    size_t skip = q->after ? 0 : q->page.page * q->page.page_size;

    for (uint32_t n = older(store, q, from); n; n = older(store, q, n)) {
        if (!is_wanted(sim_store_get(store, n), q))
            continue;
        if (skip > 0) {
            skip--;
            continue;
        }
        if (page->count == q->page.page_size) {
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
    uint32_t count = sim_store_count(store) - q->hidden;

    for (uint32_t n = q->before + 1; n <= count && page->count < q->page.page_size; n++)
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

// Appends "name":"address of that page, which a token of that kind ("PA" behind, "PB" in
// front of message number) marks", or null.
static void add_address(struct buf *out, const struct sim_json *j,
                        const struct sim_list_query *q, const char *name, size_t page,
                        const char *kind, uint32_t number)
{
    char sid[SIM_SIDS_TEXT_BYTES];

    buf_addf(out, ",\"%s\":\"", name);
    sim_page_address(out, &q->page, page);
    if (kind) {
        sim_sids_message(j->sids, number, sid);
        buf_addf(out, "&PageToken=%s%s", kind, sid);
    }
    buf_add_char(out, '"');
}

static void add_addresses(struct buf *out, const struct sim_json *j,
                          const struct sim_list_query *q,
                          const struct sim_list_page *page)
{
    size_t at = q->page.page;

    add_address(out, j, q, "uri", at, NULL, 0);
    add_address(out, j, q, "first_page_uri", 0, NULL, 0);
    if (page->has_next && page->count)
        add_address(out, j, q, "next_page_uri", at + 1, "PA",
                    page->numbers[page->count - 1]);
    else
        buf_add_text(out, ",\"next_page_uri\":null");
    if (at > 0 && page->count)
        add_address(out, j, q, "previous_page_uri", at - 1, "PB", page->numbers[0]);
    else
        buf_add_text(out, ",\"previous_page_uri\":null");
}

void sim_list_render(struct buf *out, struct sim_json *j, const struct sim_store *store,
                     const struct sim_list_query *q, const struct sim_list_page *page)
{
    size_t start = q->page.page * q->page.page_size;

    buf_add_text(out, "{\"messages\":[");
    for (size_t i = 0; i < page->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        sim_json_message(out, j, sim_store_get(store, page->numbers[i]), false);
    }
    buf_addf(out, "],\"page\":%zu,\"page_size\":%zu,\"start\":%zu,\"end\":%zu",
             q->page.page, q->page.page_size, page->count ? start : 0,
             page->count ? start + page->count - 1 : 0);
    add_addresses(out, j, q, page);
    buf_add_char(out, '}');
}
