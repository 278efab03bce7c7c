#include "cleaner.h"

#include "db.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_cleaner.h"

#include <stdlib.h>

enum { BATCH = 1000, REST_US = 60000000 };

struct cleaner {
    struct db *db;
    int64_t keep_us;
    struct reactor_timer *rest;
    bool stopping;
    struct metric *forgotten;
};

static void clean(void *arg);

struct cleaner *cleaner_new(struct reactor *r, struct db *db, int64_t keep_us,
                            struct metrics *metrics)
{
    struct cleaner *c = xcalloc(1, sizeof(*c));

    c->db = db;
    c->keep_us = keep_us;
    c->rest = reactor_timer_new(r, clean, c);
    c->forgotten = metrics_counter(metrics, "smsq_idempotency_keys_forgotten_total", NULL,
                                   "Idempotency keys that were kept long enough.");
    reactor_timer_set(c->rest, 0);
    return c;
}

void cleaner_free(struct cleaner *c)
{
    if (!c)
        return;
    reactor_timer_free(c->rest);
    free(c);
}

void cleaner_stop(struct cleaner *c)
{
    c->stopping = true;
    reactor_timer_stop(c->rest);
}

static void on_cleaned(void *arg, const struct db_answer *answer)
{
    struct cleaner *c = arg;
    size_t count = db_affected(answer->rows);

    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "keys_not_forgotten", LOG_T("reason", answer->reason));
    metric_add(c->forgotten, count);
    if (!c->stopping)
        reactor_timer_set(c->rest, count == BATCH ? 0 : REST_US);
}

static void clean(void *arg)
{
    struct cleaner *c = arg;

    store_forget_keys(c->db, c->keep_us, BATCH, on_cleaned, c);
}
