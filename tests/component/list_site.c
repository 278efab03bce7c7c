#include "list_site.h"

#include "account.h"
#include "buf.h"
#include "http_server.h"
#include "provider.h"
#include "timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { LISTED_MAX = 5000, PAGE_DEFAULT = 50, FEW = 1000, BODY_MAX_BYTES = 4 << 20 };

#define ACCOUNT "AC00000000000000000000000000000001"
#define PATH    "/2010-04-01/Accounts/" ACCOUNT "/Messages"

struct list_site {
    struct http_server *server;
    struct accounts accounts;
    char url[64];
    size_t count, lists, fetches;
    struct listed all[LISTED_MAX];
    int status, retry_after_s;
    bool is_endless;
};

static void add_message(struct buf *out, const struct listed *m)
{
    char date[64], code[16] = "null";
    time_t seconds = (time_t)(m->created_us / 1000000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    assert_true(strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm) > 0);
    if (m->error_code)
        (void)snprintf(code, sizeof(code), "%d", m->error_code);
    buf_addf(
        out,
        "{\"sid\":\"%s\",\"to\":\"%s\",\"from\":\"%s\",\"messaging_service_sid\":null,"
        "\"body\":\"%s\",\"status\":\"%s\",\"direction\":\"outbound-api\","
        "\"num_segments\":\"%d\",\"error_code\":%s,\"date_created\":\"%s\","
        "\"price_unit\":\"USD\",\"price\":",
        m->sid, m->to, m->from, m->body, m->status, m->segments ? m->segments : 1, code,
        date);
    if (m->price)
        buf_addf(out, "\"%s\"}", m->price);
    else
        buf_add_text(out, "null}");
}

static void say(struct list_site *site, struct http_request *req, int status,
                const struct buf *body)
{
    char seconds[16];
    const struct http_header headers[] = { { "Retry-After", seconds }, { 0 } };

    (void)snprintf(seconds, sizeof(seconds), "%d", site->retry_after_s);
    http_answer(req, status, "application/json", buf_text(body), body->len,
                site->retry_after_s ? headers : NULL);
}

static bool is_refused(struct list_site *site, struct http_request *req)
{
    struct buf body = BUF_INIT(64);

    if (!site->status)
        return false;
    buf_add_text(&body, "{\"code\":20003}");
    say(site, req, site->status, &body);
    buf_free(&body);
    return true;
}

static int64_t date_of(struct http_request *req, const char *name, int64_t otherwise_us)
{
    const char *text = http_request_query(req, name);
    int64_t at_us = otherwise_us;

    if (text && !timestamp_parse(&at_us, text, strlen(text)))
        fail_msg("%s: %s", name, text);
    return at_us;
}

static size_t number_of(struct http_request *req, const char *name, size_t otherwise)
{
    const char *text = http_request_query(req, name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

static bool is_wanted(const struct listed *one, const char *to, int64_t from_us,
                      int64_t to_us)
{
    return (!to || strcmp(one->to, to) == 0) && one->created_us >= from_us &&
           one->created_us <= to_us;
}

static void add_next(struct buf *body, struct http_request *req, size_t size, size_t page)
{
    const char *from = http_request_query(req, "DateSent>");
    const char *to = http_request_query(req, "DateSent<");

    buf_addf(body, "],\"next_page_uri\":\"" PATH ".json?PageSize=%zu&Page=%zu", size,
             page + 1);
    if (from)
        buf_addf(body, "&DateSent%%3E=%s", from);
    if (to)
        buf_addf(body, "&DateSent%%3C=%s", to);
    buf_add_text(body, "\"}");
}

static void on_list(void *arg, struct http_request *req)
{
    struct list_site *site = arg;
    struct buf body = BUF_INIT(BODY_MAX_BYTES);
    const char *to = http_request_query(req, "To");
    size_t size = number_of(req, "PageSize", PAGE_DEFAULT);
    size_t page = site->is_endless ? 0 : number_of(req, "Page", 0), seen = 0;
    int64_t from_us = date_of(req, "DateSent>", INT64_MIN);
    int64_t to_us = date_of(req, "DateSent<", INT64_MAX);

    site->lists++;
    if (is_refused(site, req))
        return;
    buf_add_text(&body, "{\"messages\":[");
    for (size_t i = site->count; i-- > 0;) {
        if (!is_wanted(&site->all[i], to, from_us, to_us))
            continue;
        if (seen >= page * size && seen < (page + 1) * size) {
            if (seen > page * size)
                buf_add_char(&body, ',');
            add_message(&body, &site->all[i]);
        }
        seen++;
    }
    if (site->is_endless || seen > (page + 1) * size)
        add_next(&body, req, size, page);
    else
        buf_add_text(&body, "],\"next_page_uri\":null}");
    say(site, req, 200, &body);
    buf_free(&body);
}

static void on_fetch(void *arg, struct http_request *req)
{
    struct list_site *site = arg;
    struct buf body = BUF_INIT(65536);
    const char *rest = http_request_rest(req);
    int status = 404;

    site->fetches++;
    if (is_refused(site, req))
        return;
    for (size_t i = 0; i < site->count; i++) {
        if (strncmp(rest, site->all[i].sid, strlen(site->all[i].sid)) != 0)
            continue;
        add_message(&body, &site->all[i]);
        status = 200;
    }
    if (status == 404)
        buf_add_text(&body, "{\"code\":20404}");
    say(site, req, status, &body);
    buf_free(&body);
}

static const struct http_route routes[] = {
    { "GET", PATH ".json", on_list, 0, NULL },
    { "GET", PATH "/*", on_fetch, 0, NULL },
    { 0 },
};

struct list_site *list_site_open(struct reactor *r)
{
    struct list_site *site = xcalloc(1, sizeof(*site));
    const struct http_server_settings set = { .address = "127.0.0.1",
                                              .connections_max = 64,
                                              .header_max_bytes = HTTP_HEADER_MAX_BYTES,
                                              .name = "list" };
    struct err err = { 0 };

    if (http_server_open(&site->server, r, &set, routes, site, NULL, &err))
        fail_msg("%s", err.text);
    (void)snprintf(site->url, sizeof(site->url), "http://127.0.0.1:%d",
                   http_server_port(site->server));
    site->accounts.simulator = (struct account){
        .base_url = site->url, .account_sid = ACCOUNT, .user = ACCOUNT, .password = "t"
    };
    return site;
}

void list_site_close(struct list_site *site)
{
    http_server_close(site->server);
    free(site);
}

struct provider *list_site_provider(const struct list_site *site, struct reactor *r,
                                    const int64_t *rate, struct metrics *metrics)
{
    const struct provider_settings set = { .accounts = &site->accounts,
                                           .calls_per_second = rate,
                                           .in_flight_max = 4,
                                           .metrics = metrics };
    struct provider *provider = NULL;
    struct err err = { 0 };

    if (provider_open(&provider, r, &set, &err))
        fail_msg("%s", err.text);
    return provider;
}

void list_site_put(struct list_site *site, const struct listed *one)
{
    for (size_t i = site->count; i-- > 0 && site->count < FEW;) {
        if (strcmp(site->all[i].sid, one->sid) == 0) {
            site->all[i] = *one;
            return;
        }
    }
    assert_true(site->count < LISTED_MAX);
    site->all[site->count++] = *one;
}

void list_site_clear(struct list_site *site)
{
    site->count = site->lists = site->fetches = 0;
}

void list_site_endless(struct list_site *site)
{
    site->is_endless = true;
}

void list_site_status(struct list_site *site, int status, int retry_after_s)
{
    site->status = status;
    site->retry_after_s = retry_after_s;
}

size_t list_site_lists(const struct list_site *site)
{
    return site->lists;
}

size_t list_site_fetches(const struct list_site *site)
{
    return site->fetches;
}
