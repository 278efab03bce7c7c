#include "sim_answers.h"
#include "buf.h"
#include "http_server.h"
#include "reactor.h"
#include "sim_agenda.h"
#include "sim_faults.h"
#include "sim_ledger.h"
#include "sim_sids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DURATION_BYTES = 32,
    COUNT_BYTES = 24,
    HEADERS_ALWAYS = 13,
    HEADERS_MAX = HEADERS_ALWAYS + 4,
    STATUS_UNAUTHORIZED = 401,
    RAW_MAX_BYTES = 1 << 20,
    DICE_USUAL = 'l',
    DICE_MORE = 'm',
};

// An answer that waits; its place in the array is the number of its entry.
struct waiting {
    struct http_request *req;  // NULL: the place is free
    struct sim_answer answer;  // with a body of its own
    uint64_t order;            // of its entry
    uint32_t next_free;
};

struct sim_answers {
    struct sim_sids *sids;
    struct sim_ledger *ledger;
    const struct sim_faults *faults;
    struct reactor_timer *timer;
    struct sim_latency latency;
    int64_t in_flight_max;
    struct sim_agenda agenda;  // on clock_boot_us
    struct waiting *places;
    uint32_t room, first_free;
    uint64_t waiting_count, overtaken_count;
    uint32_t *by_account;  // waiting
    size_t account_count;
    uint64_t request_count, late_count;
};

static uint32_t in_hand(const struct sim_answers *a, uint16_t account)
{
    return account < a->account_count ? a->by_account[account] : 0;
}

static void count_in(struct sim_answers *a, uint16_t account, bool is_in)
{
    if (account >= a->account_count) {
        size_t count = (size_t)account + 1;
        a->by_account = xrealloc(a->by_account, count * sizeof(*a->by_account));
        while (a->account_count < count)
            a->by_account[a->account_count++] = 0;
    }
    a->by_account[account] += is_in ? 1 : UINT32_MAX;
    a->waiting_count += is_in ? 1 : UINT64_MAX;
}

bool sim_answers_is_full(const struct sim_answers *a, uint16_t account)
{
    return a->in_flight_max && in_hand(a, account) >= a->in_flight_max;
}

// Half an answer whose head promises all of it.
static void cut_off(struct http_request *req, const struct sim_answer *answer)
{
    struct buf raw = BUF_INIT(RAW_MAX_BYTES);

    buf_addf(&raw, "HTTP/1.1 %d CREATED\r\nContent-Type: application/json\r\n",
             answer->status);
    buf_addf(&raw, "Content-Length: %zu\r\n\r\n", answer->len);
    buf_add(&raw, answer->body, answer->len / 2);
    http_cut(req, buf_text(&raw), raw.len, false);
    buf_free(&raw);
}

#define ALLOWED_HEADERS                                                                  \
    "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, "  \
    "If-Unmodified-Since, Idempotency-Key, X-Pre-Auth-Context, X-Target-Region"

static void send_whole(struct sim_answers *a, struct http_request *req,
                       const struct sim_answer *answer)
{
    char id[SIM_SIDS_TEXT_BYTES], duration[DURATION_BYTES], count[COUNT_BYTES];
    char retry_after[COUNT_BYTES];
    int64_t took_us = clock_boot_us() - http_request_began_us(req);
    const char *type = answer->content_type ? answer->content_type : "application/json";
    struct http_header headers[HEADERS_MAX] = {
        { "Twilio-Concurrent-Requests", count },
        { "Twilio-Request-Id", id },
        { "Twilio-Request-Duration", duration },
        { "X-Powered-By", "AT-5000" },
        { "X-Shenanigans", "none" },
        { "X-Home-Region", "us1" },
        { "X-API-Domain", "api.twilio.com" },
        { "Strict-Transport-Security", "max-age=31536000" },
        { "Access-Control-Allow-Origin", "*" },
        { "Access-Control-Allow-Methods", "GET, POST, PATCH, PUT, DELETE, OPTIONS" },
        { "Access-Control-Allow-Headers", ALLOWED_HEADERS },
        { "Access-Control-Allow-Credentials", "true" },
        { "Access-Control-Expose-Headers", "ETag, Twilio-Request-Id" },
    };
    size_t at = HEADERS_ALWAYS;

    sim_sids_request(a->sids, ++a->request_count, id);
    (void)snprintf(duration, sizeof(duration), "%" PRId64 ".%03" PRId64,
                   took_us / 1000000, took_us / 1000 % 1000);
    (void)snprintf(count, sizeof(count), "%" PRIu32, in_hand(a, answer->account) + 1);
    (void)snprintf(retry_after, sizeof(retry_after), "%" PRId64, answer->retry_after_s);
    if (answer->status == STATUS_UNAUTHORIZED)
        headers[at++] =
            (struct http_header){ "WWW-Authenticate", "Basic realm=\"Twilio API\"" };
    if (answer->location)
        headers[at++] = (struct http_header){ "Location", answer->location };
    if (answer->retry_after_s)
        headers[at++] = (struct http_header){ "Retry-After", retry_after };
    http_answer(req, answer->status, answer->len ? type : NULL, answer->body, answer->len,
                headers);
}

void sim_answers_send(struct sim_answers *a, struct http_request *req,
                      const struct sim_answer *answer)
{
    switch (answer->end) {
    case SIM_ANSWER_WHOLE:
        send_whole(a, req, answer);
        return;
    case SIM_ANSWER_TRUNCATED:
        cut_off(req, answer);
        return;
    case SIM_ANSWER_CUT:
    case SIM_ANSWER_RESET:
        http_cut(req, NULL, 0, answer->end == SIM_ANSWER_RESET);
        return;
    }
}

static void grow(struct sim_answers *a)
{
    uint32_t room = a->room ? a->room * 2 : 64;

    a->places = xrealloc(a->places, room * sizeof(*a->places));
    for (uint32_t i = a->room; i < room; i++)
        a->places[i] = (struct waiting){ .next_free = i + 1 };
    a->first_free = a->room;
    a->room = room;
}

static void leave(struct sim_answers *a, struct waiting *w, bool is_sent)
{
    struct waiting copy = *w;

    w->req = NULL;
    w->next_free = a->first_free;
    a->first_free = (uint32_t)(w - a->places);
    a->overtaken_count -= copy.answer.overtaken_by != 0;
    count_in(a, copy.answer.account, false);
    if (is_sent)
        sim_answers_send(a, copy.req, &copy.answer);
    free((char *)(uintptr_t)copy.answer.body);
}

static void on_timer(void *arg)
{
    struct sim_answers *a = arg;
    int64_t now_us = clock_boot_us();
    const struct sim_entry *entry;

    while ((entry = sim_agenda_first(&a->agenda)) && entry->due_us <= now_us) {
        struct waiting *w = &a->places[entry->number];
        bool is_there = w->req && w->order == entry->order;
        sim_agenda_drop(&a->agenda);
        if (is_there)
            leave(a, w, true);
    }
    if (entry)
        reactor_timer_set(a->timer, entry->due_us - now_us);
}

static void keep(struct sim_answers *a, struct http_request *req,
                 const struct sim_answer *answer, int64_t due_us)
{
    if (a->first_free == a->room)
        grow(a);
    uint32_t number = a->first_free;
    struct waiting *w = &a->places[number];

    a->first_free = w->next_free;
    w->req = req;
    w->answer = *answer;
    w->answer.body = xmemdup0(answer->body ? answer->body : "", answer->len);
    w->order = a->agenda.order;
    sim_agenda_put(&a->agenda, &(struct sim_entry){ .due_us = due_us, .number = number });
    a->overtaken_count += answer->overtaken_by != 0;
    count_in(a, answer->account, true);
    if (sim_agenda_first(&a->agenda)->order == w->order)
        reactor_timer_set(a->timer, due_us - clock_boot_us());
}

void sim_answers_send_late(struct sim_answers *a, struct http_request *req,
                           const struct sim_answer *answer)
{
    uint64_t ordinal = a->late_count++;
    int64_t delay_us = answer->extra_us;

    sim_ledger_in_flight(a->ledger, a->waiting_count + 1);
    if (a->latency.delay_us || a->latency.high_us || a->latency.slow_every)
        delay_us += sim_latency_us(&a->latency, ordinal,
                                   sim_faults_dice(a->faults, DICE_USUAL, ordinal),
                                   sim_faults_dice(a->faults, DICE_MORE, ordinal));
    if (delay_us == 0)
        sim_answers_send(a, req, answer);
    else
        keep(a, req, answer, http_request_began_us(req) + delay_us);
}

void sim_answers_heard(struct sim_answers *a, uint32_t number)
{
    if (a->overtaken_count == 0)
        return;
    for (uint32_t i = 0; i < a->room; i++)
        if (a->places[i].req && a->places[i].answer.overtaken_by == number)
            leave(a, &a->places[i], true);
}

void sim_answers_set_latency(struct sim_answers *a, const struct sim_latency *latency,
                             int64_t in_flight_max)
{
    int64_t by_us = latency->delay_us - a->latency.delay_us;

    a->latency = *latency;
    a->in_flight_max = in_flight_max;
    sim_agenda_move(&a->agenda, 0, 0, by_us, clock_boot_us());
    reactor_timer_set(a->timer, 0);
}

static void leave_all(struct sim_answers *a, bool is_sent)
{
    for (uint32_t i = 0; i < a->room; i++)
        if (a->places[i].req)
            leave(a, &a->places[i], is_sent);
    sim_agenda_clear(&a->agenda);
}

void sim_answers_flush(struct sim_answers *a)
{
    leave_all(a, true);
}

struct sim_answers *sim_answers_new(struct reactor *r, struct sim_sids *sids,
                                    struct sim_ledger *ledger,
                                    const struct sim_faults *faults)
{
    struct sim_answers *a = xcalloc(1, sizeof(*a));

    a->sids = sids;
    a->ledger = ledger;
    a->faults = faults;
    a->timer = reactor_timer_new(r, on_timer, a);
    return a;
}

void sim_answers_free(struct sim_answers *a)
{
    if (!a)
        return;
    leave_all(a, false);
    free(a->places);
    free(a->by_account);
    reactor_timer_free(a->timer);
    free(a);
}
