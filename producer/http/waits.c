#include "waits.h"

#include "db.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_messages.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_US = 50000, SWEEP_US = 1000000 };

TAILQ_HEAD(wait_list, wait);

struct waits {
    struct db *db;
    struct reactor_timer *poll;
    struct wait_list list;
    size_t count, max;
    bool asking;  // one statement at a time
    bool stopped;
    int64_t swept_us;  // when the abandoned ones were looked for
    struct metric *known, *timed_out, *abandoned, *refused, *waiting;
};

static void look(void *arg);

struct waits *waits_new(struct reactor *r, struct db *db, size_t max,
                        struct metrics *metrics)
{
    static const char name[] = "smsq_waits_total";
    static const char help[] = "Requests with Prefer: wait, by how the wait ended.";
    struct waits *w = xcalloc(1, sizeof(*w));

    w->db = db;
    w->max = max;
    w->poll = reactor_timer_new(r, look, w);
    TAILQ_INIT(&w->list);
    w->known = metrics_counter(metrics, name, "result=\"known\"", help);
    w->timed_out = metrics_counter(metrics, name, "result=\"timed_out\"", help);
    w->abandoned = metrics_counter(metrics, name, "result=\"abandoned\"", help);
    w->refused = metrics_counter(metrics, name, "result=\"refused\"", help);
    w->waiting = metrics_gauge(metrics, "smsq_waits", NULL,
                               "Requests that wait for Twilio's SID.");
    return w;
}

void waits_free(struct waits *w)
{
    if (!w)
        return;
    waits_stop(w);
    reactor_timer_free(w->poll);
    free(w);
}

static void end(struct waits *w, struct wait *one, const struct wait_news *news,
                struct metric *counter)
{
    TAILQ_REMOVE(&w->list, one, next);
    metric_set(w->waiting, (double)--w->count);
    metric_add(counter, 1);
    one->done(one->arg, news);
}

// Few of those that wait come back at a time, so a walk per row costs next to nothing.
static void tell(struct waits *w, const struct news_row *row)
{
    struct wait *one, *after;

    for (one = TAILQ_FIRST(&w->list); one; one = after) {
        after = TAILQ_NEXT(one, next);
        if (memcmp(one->message_id, row->message_id, sizeof(one->message_id)) == 0)
            end(w, one, &row->news, w->known);
    }
}

static void on_news(void *arg, const struct db_answer *answer)
{
    struct waits *w = arg;
    struct news_row row;

    w->asking = false;
    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "news_not_read", LOG_T("reason", answer->reason));
    for (size_t i = 0; i < db_rows(answer->rows); i++) {
        store_news_read(&row, answer->rows, i);
        tell(w, &row);
    }
}

static void ask(struct waits *w)
{
    const unsigned char **ids = xcalloc(w->count, sizeof(*ids));
    const struct wait *one;
    size_t count = 0;

    TAILQ_FOREACH(one, &w->list, next)
    ids[count++] = one->message_id;
    w->asking = true;
    store_news(w->db, ids, count, on_news, w);
    free(ids);
}

static bool is_abandoned(const struct wait *one)
{
    return one->is_abandoned && one->is_abandoned(one->arg);
}

// Who has gone away must not keep his place for half a minute.
static void end_late(struct waits *w)
{
    int64_t now_us = clock_boot_us();
    bool is_sweep = now_us - w->swept_us >= SWEEP_US;
    struct wait *one, *after;

    if (is_sweep)
        w->swept_us = now_us;
    for (one = TAILQ_FIRST(&w->list); one; one = after) {
        after = TAILQ_NEXT(one, next);
        if (one->until_us <= now_us)
            end(w, one, NULL, w->timed_out);
        else if (is_sweep && is_abandoned(one))
            end(w, one, NULL, w->abandoned);
    }
}

static void look(void *arg)
{
    struct waits *w = arg;

    end_late(w);
    if (w->count == 0)
        return;
    if (!w->asking)
        ask(w);
    reactor_timer_set(w->poll, POLL_US);
}

bool waits_begin(struct waits *w, struct wait *one)
{
    if (w->stopped || w->count >= w->max || one->until_us <= clock_boot_us()) {
        metric_add(w->refused, 1);
        return false;
    }
    TAILQ_INSERT_TAIL(&w->list, one, next);
    metric_set(w->waiting, (double)++w->count);
    if (!reactor_timer_is_set(w->poll))
        reactor_timer_set(w->poll, POLL_US);
    return true;
}

void waits_stop(struct waits *w)
{
    struct wait *one;

    w->stopped = true;
    while ((one = TAILQ_FIRST(&w->list)))
        end(w, one, NULL, w->timed_out);
}
