// sim_usage_api.c: usage records: what an account used in a period, by category.
#include "http_server.h"
#include "rate_card.h"
#include "sim_clock.h"
#include "sim_dates.h"
#include "sim_json.h"
#include "sim_page.h"
#include "sim_request.h"
#include "sim_usage_categories.h"
#include "simulator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, PERIODS_MAX = 400, URI_BYTES = 320 };

struct query {
    const char *category;    // NULL = all
    int32_t today, created;  // of the clock, of the account
    struct sim_usage_period period;
};

static void add_sums(struct buf *out, const struct sim_request *r,
                     const struct sim_usage_category *c, struct sim_usage_period p)
{
    struct sim_usage_sum all = sim_usage_category_sum(&r->account->usage, c, p);
    char price[RATE_TEXT_BYTES], count[RATE_TEXT_BYTES], units[RATE_TEXT_BYTES];
    char currency[4];

    rate_card_format_micros(price, all.micros);
    (void)snprintf(count, sizeof(count), "%" PRId64, all.count);
    (void)snprintf(units, sizeof(units), "%" PRId64, all.units);
    for (size_t i = 0; i < sizeof(currency); i++)
        currency[i] = (char)(r->sim->json.currency[i] | (i < 3 ? 0x20 : 0));
    sim_json_text(out, "count", c->unit ? count : NULL);
    sim_json_text(out, "count_unit", c->unit ? "messages" : "");
    sim_json_text(out, "usage", c->unit ? units : price);
    sim_json_text(out, "usage_unit", c->unit ? c->unit : currency);
    sim_json_text(out, "price", price);
    sim_json_text(out, "price_unit", currency);
}

static void add_uris(struct buf *out, const struct sim_request *r,
                     const struct sim_usage_category *c)
{
    static const char *const names[][2] = {
        { "all_time", "AllTime" },     { "daily", "Daily" },
        { "last_month", "LastMonth" }, { "monthly", "Monthly" },
        { "this_month", "ThisMonth" }, { "today", "Today" },
        { "yearly", "Yearly" },        { "yesterday", "Yesterday" },
    };

    buf_add_text(out, ",\"subresource_uris\":{");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        buf_addf(out,
                 "%s\"%s\":\"/" SIM_JSON_API_VERSION
                 "/Accounts/%s/Usage/Records/%s.json?Category=%s\"",
                 i ? "," : "", names[i][0], r->account->sid, names[i][1], c->name);
    buf_add_char(out, '}');
}

static void add_record(struct sim_request *r, const struct sim_usage_category *c,
                       struct sim_usage_period p)
{
    char first[SIM_DATES_DAY_BYTES], last[SIM_DATES_DAY_BYTES], uri[URI_BYTES];

    sim_dates_day(first, (int64_t)p.first * DAY_S);
    sim_dates_day(last, (int64_t)p.last * DAY_S);
    (void)snprintf(uri, sizeof(uri), "%.160s?Category=%s&StartDate=%s&EndDate=%s",
                   r->path, c->name, first, last);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "account_sid", r->account->sid);
    sim_json_text(r->out, "api_version", SIM_JSON_API_VERSION);
    sim_json_iso_member(r->out, "as_of", sim_clock_now_us(r->sim->clock));
    sim_json_text(r->out, "category", c->name);
    sim_json_text(r->out, "description", c->description);
    sim_json_text(r->out, "start_date", first);
    sim_json_text(r->out, "end_date", last);
    sim_json_text(r->out, "uri", uri);
    add_sums(r->out, r, c, p);
    add_uris(r->out, r, c);
    buf_add_char(r->out, '}');
}

// Reads "2026-11-20", or "-30days" from today.
static bool read_day(const struct query *q, const char *text, int32_t *day)
{
    int64_t at_us = 0;
    bool is_day = false;
    char *end = NULL;

    if (sim_dates_parse(&at_us, &is_day, text, strlen(text))) {
        *day = (int32_t)(at_us / 1000000 / DAY_S);
        return true;
    }
    long days = strtol(text, &end, 10);
    if (end == text || strcmp(end, "days") != 0 || labs(days) > 100000)
        return false;
    *day = q->today + (int32_t)days;
    return true;
}

static enum outcome read_query(struct query *q, struct sim_page *page,
                               struct sim_request *r, struct sim_error *error)
{
    enum outcome rc = sim_page_read(page, r->http, r->path, error);
    if (rc)
        return rc;
    *q = (struct query){
        .category = sim_page_filter(page, r->http, "Category"),
        .today = (int32_t)(sim_clock_now_us(r->sim->clock) / 1000000 / DAY_S),
        .created = (int32_t)(r->account->created_us / 1000000 / DAY_S),
    };
    const char *start = sim_page_filter(page, r->http, "StartDate");
    const char *end = sim_page_filter(page, r->http, "EndDate");
    q->period = (struct sim_usage_period){ q->created, q->today };
    if ((start && !read_day(q, start, &q->period.first)) ||
        (end && !read_day(q, end, &q->period.last)))
        return sim_request_bad_param(error, "StartDate or EndDate");
    if (q->category && !sim_usage_category_find(q->category))
        return sim_request_bad_param(error, "Category");
    return OUTCOME_OK;
}

// The records of all periods, the latest first, in pages.
static void render(struct sim_request *r, const struct query *q,
                   const struct sim_page *page, const struct sim_usage_period *periods,
                   size_t period_count)
{
    size_t count = 0;

    buf_add_text(r->out, "{\"usage_records\":[");
    for (size_t p = 0; p < period_count; p++)
        for (const struct sim_usage_category *c = sim_usage_categories; c->name; c++) {
            if (q->category && strcmp(q->category, c->name) != 0)
                continue;
            if (sim_page_takes(r->out, page, count++))
                add_record(r, c, periods[p]);
        }
    buf_add_char(r->out, ']');
    sim_page_close(r->out, page, count);
    buf_add_char(r->out, '}');
}

enum outcome sim_usage_list(struct sim_request *r, struct sim_error *error)
{
    struct sim_page page;
    struct query q;

    enum outcome rc = read_query(&q, &page, r, error);
    if (!rc)
        render(r, &q, &page, &q.period, 1);
    return rc;
}

// Cuts the period into days, months or years, the latest first.
static size_t cut(struct sim_usage_period *out, struct sim_usage_period whole, char kind)
{
    size_t count = 0;
    int32_t last = whole.last;

    while (last >= whole.first && count < PERIODS_MAX) {
        int32_t first = sim_usage_begin_of(last, kind);
        if (first < whole.first)
            first = whole.first;
        out[count++] = (struct sim_usage_period){ first, last };
        last = first - 1;
    }
    return count;
}

enum outcome sim_usage_list_period(struct sim_request *r, struct sim_error *error)
{
    struct sim_usage_period periods[PERIODS_MAX];
    struct sim_page page;
    struct query q;
    size_t count = 1;

    enum outcome rc = read_query(&q, &page, r, error);
    if (rc)
        return rc;
    int32_t month = sim_usage_begin_of(q.today, 'm');
    const char *word = r->ids[1];
    periods[0] = q.period;
    if (strcmp(word, "Today") == 0)
        periods[0] = (struct sim_usage_period){ q.today, q.today };
    else if (strcmp(word, "Yesterday") == 0)
        periods[0] = (struct sim_usage_period){ q.today - 1, q.today - 1 };
    else if (strcmp(word, "ThisMonth") == 0)
        periods[0] = (struct sim_usage_period){ month, q.today };
    else if (strcmp(word, "LastMonth") == 0)
        periods[0] =
            (struct sim_usage_period){ sim_usage_begin_of(month - 1, 'm'), month - 1 };
    else if (strcmp(word, "Daily") == 0)
        count = cut(periods, q.period, 'd');
    else if (strcmp(word, "Monthly") == 0)
        count = cut(periods, q.period, 'm');
    else if (strcmp(word, "Yearly") == 0)
        count = cut(periods, q.period, 'y');
    else if (strcmp(word, "AllTime") != 0)
        return sim_request_not_found(r, error);
    render(r, &q, &page, periods, count);
    return OUTCOME_OK;
}
