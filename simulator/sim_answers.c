#include "sim_answers.h"
#include "http_server.h"
#include "reactor.h"
#include "sim_ledger.h"
#include "sim_sids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DURATION_BYTES = 32, COUNT_BYTES = 24, STATUS_UNAUTHORIZED = 401 };

#define REALM "Basic realm=\"Twilio API\""

struct waiting {
    struct waiting *next;
    struct http_request *req;
    int status;
    size_t len;
    char *body;
};

struct sim_answers {
    struct sim_sids *sids;
    struct sim_ledger *ledger;
    struct reactor_timer *timer;
    int64_t delay_us;
    struct waiting *first, *last;  // in the order of the requests
    uint64_t waiting_count;
    uint64_t request_count;
};

void sim_answers_send(struct sim_answers *a, struct http_request *req, int status,
                      const char *location, const char *body, size_t len)
{
    char id[SIM_SIDS_TEXT_BYTES], duration[DURATION_BYTES], count[COUNT_BYTES];
    int64_t took_us = clock_boot_us() - http_request_began_us(req);
    const struct http_header extra =
        status == STATUS_UNAUTHORIZED ? (struct http_header){ "WWW-Authenticate", REALM }
                                      : (struct http_header){ "Location", location };
    const struct http_header headers[] = {
        { "Twilio-Concurrent-Requests", count },
        { "Twilio-Request-Id", id },
        { "Twilio-Request-Duration", duration },
        { "X-Powered-By", "AT-5000" },
        { "X-Shenanigans", "none" },
        { "X-Home-Region", "us1" },
        { "X-API-Domain", "api.twilio.com" },
        { "Strict-Transport-Security", "max-age=31536000" },
        { extra.value ? extra.name : NULL, extra.value },
        { NULL, NULL },
    };

    sim_sids_request(a->sids, ++a->request_count, id);
    (void)snprintf(duration, sizeof(duration), "%" PRId64 ".%03" PRId64,
                   took_us / 1000000, took_us / 1000 % 1000);
    (void)snprintf(count, sizeof(count), "%" PRIu64, a->waiting_count + 1);
    http_answer(req, status, len ? "application/json" : NULL, body, len, headers);
}

static void drop_first(struct sim_answers *a)
{
    struct waiting *w = a->first;

    a->first = w->next;
    if (!a->first)
        a->last = NULL;
    a->waiting_count--;
    free(w->body);
    free(w);
}

static void send_first(struct sim_answers *a)
{
    struct waiting *w = a->first;

    a->waiting_count--;  // the header counts the request itself
    sim_answers_send(a, w->req, w->status, NULL, w->body, w->len);
    a->waiting_count++;
    drop_first(a);
}

static int64_t due_us(const struct sim_answers *a)
{
    return http_request_began_us(a->first->req) + a->delay_us;
}

static void on_timer(void *arg)
{
    struct sim_answers *a = arg;
    int64_t now_us = clock_boot_us();

    while (a->first && due_us(a) <= now_us)
        send_first(a);
    if (a->first)
        reactor_timer_set(a->timer, due_us(a) - now_us);
}

void sim_answers_send_late(struct sim_answers *a, struct http_request *req, int status,
                           const char *body, size_t len)
{
    sim_ledger_in_flight(a->ledger, a->waiting_count + 1);
    if (a->delay_us == 0) {
        sim_answers_send(a, req, status, NULL, body, len);
        return;
    }
    struct waiting *w = xcalloc(1, sizeof(*w));
    w->req = req;
    w->status = status;
    w->len = len;
    w->body = xmemdup0(body, len);
    if (a->last)
        a->last->next = w;
    else
        a->first = w;
    a->last = w;
    a->waiting_count++;
    if (!reactor_timer_is_set(a->timer))
        reactor_timer_set(a->timer, due_us(a) - clock_boot_us());
}

void sim_answers_set_delay(struct sim_answers *a, int64_t delay_us)
{
    a->delay_us = delay_us;
    reactor_timer_set(a->timer, 0);
}

void sim_answers_flush(struct sim_answers *a)
{
    while (a->first)
        send_first(a);
}

struct sim_answers *sim_answers_new(struct reactor *r, struct sim_sids *sids,
                                    struct sim_ledger *ledger)
{
    struct sim_answers *a = xcalloc(1, sizeof(*a));

    a->sids = sids;
    a->ledger = ledger;
    a->timer = reactor_timer_new(r, on_timer, a);
    return a;
}

void sim_answers_free(struct sim_answers *a)
{
    if (!a)
        return;
    while (a->first)
        drop_first(a);
    reactor_timer_free(a->timer);
    free(a);
}
