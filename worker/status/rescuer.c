#include "rescuer.h"

#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_rescue.h"

#include <stdlib.h>

enum {
    ROUND_US = 1000000,
    BATCH_MAX = 500,
};

// What a worker's row would say by default: 3 s from claim to POST, 35 s of POST, and 7.
static const int64_t unknown_us = INT64_C(45000000);
static const int64_t keep_us = INT64_C(7) * 86400 * 1000000;
static const int64_t forget_every_us = INT64_C(3600) * 1000000;

struct rescuer {
    struct db *db;
    struct lease *lease;
    struct reactor_timer *round;
    bool stopping;
    int64_t forgot_us;  // boot clock; 0 = not yet
    struct metric *alive, *dead, *buried, *rescued;
};

static void bury(void *arg);

static void next_round(struct rescuer *s, int64_t delay_us)
{
    if (!s->stopping)
        reactor_timer_set(s->round, delay_us);
}

// A round that PostgreSQL refused ends there; the next one begins anew.
static bool is_refused(struct rescuer *s, const struct db_answer *answer)
{
    if (!answer->rc)
        return false;
    log_line(LOG_LEVEL_ERROR, "rescue_failed", LOG_T("reason", answer->reason));
    next_round(s, ROUND_US);
    return true;
}

static void on_forgotten(void *arg, const struct db_answer *answer)
{
    if (!is_refused(arg, answer))
        next_round(arg, ROUND_US);
}

static void on_tidied(void *arg, const struct db_answer *answer)
{
    struct rescuer *s = arg;

    if (is_refused(s, answer))
        return;
    if (s->forgot_us && clock_boot_us() - s->forgot_us < forget_every_us) {
        next_round(s, ROUND_US);
        return;
    }
    s->forgot_us = clock_boot_us();
    store_rescue_forget(s->db, keep_us, on_forgotten, s);
}

static void on_counted(void *arg, const struct db_answer *answer)
{
    struct rescuer *s = arg;

    if (is_refused(s, answer))
        return;
    metric_set(s->alive, (double)db_int(answer->rows, 0, 0));
    metric_set(s->dead, (double)db_int(answer->rows, 0, 1));
    store_rescue_tidy(s->db, on_tidied, s);
}

static void on_rescued(void *arg, const struct db_answer *answer)
{
    struct rescuer *s = arg;

    if (is_refused(s, answer))
        return;
    size_t count = db_rows(answer->rows);
    for (size_t i = 0; i < count; i++)
        log_line(LOG_LEVEL_WARN, "claim_rescued",
                 LOG_U("message_id", db_uuid(answer->rows, i, 0)),
                 LOG_I("turn", db_int(answer->rows, i, 1)),
                 LOG_I("epoch", db_int(answer->rows, i, 2)));
    metric_add(s->rescued, count);
    if (count == BATCH_MAX)
        next_round(s, 0);
    else
        store_rescue_count(s->db, on_counted, s);
}

static void on_buried(void *arg, const struct db_answer *answer)
{
    struct rescuer *s = arg;

    if (is_refused(s, answer))
        return;
    for (size_t i = 0; i < db_rows(answer->rows); i++)
        log_line(LOG_LEVEL_ERROR, "worker_buried",
                 LOG_I("epoch", db_int(answer->rows, i, 0)),
                 LOG_T("host", db_text(answer->rows, i, 1)),
                 LOG_I("pid", db_int(answer->rows, i, 2)),
                 LOG_I("silent_ms", db_int(answer->rows, i, 3) / 1000));
    metric_add(s->buried, db_rows(answer->rows));
    store_rescue_claims(s->db, unknown_us, BATCH_MAX, on_rescued, s);
}

// First the epoch, then its claims: a buried worker cannot renew them any more.
static void bury(void *arg)
{
    struct rescuer *s = arg;

    if (lease_is_held(s->lease)) {
        store_rescue_bury(s->db, on_buried, s);
        return;
    }
    metric_set(s->alive, 0);
    metric_set(s->dead, 0);
    next_round(s, ROUND_US);
}

static void declare_metrics(struct rescuer *s, struct metrics *m)
{
    static const char name[] = "smsq_workers";
    static const char help[] = "Epochs of workers; the holder of the lease counts them.";

    s->alive = metrics_gauge(m, name, "state=\"alive\"", help);
    s->dead = metrics_gauge(m, name, "state=\"dead\"", help);
    s->buried = metrics_counter(m, "smsq_workers_buried_total", NULL,
                                "Workers that beat no more and were buried.");
    s->rescued = metrics_counter(m, "smsq_claims_rescued_total", NULL,
                                 "Claims of dead workers that were put in doubt.");
}

enum outcome rescuer_open(struct rescuer **out, struct reactor *r,
                          const struct db_settings *db, int64_t lease_us,
                          struct metrics *metrics, struct err *err)
{
    struct rescuer *s = xcalloc(1, sizeof(*s));
    enum outcome rc =
        db_open(&s->db, r, db, "smsq-status-consumer rescuer", metrics, err);

    if (rc) {
        rescuer_close(s);
        return rc;
    }
    const struct lease_settings lease = {
        .name = "rescuer",
        .program = "smsq-status-consumer",
        .term_us = lease_us,
        .db = s->db,
    };
    declare_metrics(s, metrics);
    s->lease = lease_new(r, &lease, metrics);
    s->round = reactor_timer_new(r, bury, s);
    next_round(s, 0);
    *out = s;
    return OUTCOME_OK;
}

void rescuer_close(struct rescuer *s)
{
    if (!s)
        return;
    db_close(s->db);
    lease_free(s->lease);
    reactor_timer_free(s->round);
    free(s);
}

void rescuer_stop(struct rescuer *s)
{
    s->stopping = true;
    reactor_timer_stop(s->round);
    lease_give_up(s->lease);
}

bool rescuer_is_idle(const struct rescuer *s)
{
    return !db_is_up(s->db) || lease_is_idle(s->lease);
}

const struct db *rescuer_db(const struct rescuer *s)
{
    return s->db;
}
