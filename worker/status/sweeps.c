#include "sweeps.h"

#include "db.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "provider.h"
#include "reactor.h"
#include "store_sweeps.h"
#include "sweep_plan.h"
#include "sweep_walk.h"

#include <stdlib.h>
#include <string.h>

enum { AGAIN_US = 5000000 };

struct sweeps {
    struct sweeps_parts set;
    struct sweep_plans plans;
    struct sweep_counts counts;
    struct reactor_timer *load;
    struct lease *lease;
    struct sweep_walk *walks[SWEEPS_MAX];
    bool loading, stopping;
};

static void on_loaded(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;

    s->loading = false;
    if (s->stopping)
        return;
    if (answer->rc) {
        log_line(LOG_LEVEL_ERROR, "reconcile_failed", LOG_T("step", "load"),
                 LOG_T("reason", answer->reason));
        reactor_timer_set(s->load, AGAIN_US);
        return;
    }
    for (size_t i = 0; i < s->plans.count; i++) {
        struct turn_key upto = { 0 };
        for (size_t row = 0; row < db_rows(answer->rows); row++) {
            if (strcmp(db_text(answer->rows, row, 0), sweep_walk_name(s->walks[i])) != 0)
                continue;
            memcpy(upto.message_id, db_uuid(answer->rows, row, 1), 16);
            upto.turn = (int32_t)db_int(answer->rows, row, 2);
        }
        sweep_walk_go(s->walks[i], &upto);
    }
}

// Another one may have walked meanwhile.
static void load(void *arg)
{
    struct sweeps *s = arg;

    if (s->loading || s->stopping || !lease_is_held(s->lease))
        return;
    s->loading = true;
    store_sweep_load(s->set.db, on_loaded, s);
}

static void on_lease(void *arg)
{
    struct sweeps *s = arg;
    reactor_timer_set(s->load, 0);
}

static void declare_metrics(struct sweep_counts *counts, struct metrics *m)
{
    counts->asked = metrics_counter(m, "smsq_sweep_asked_total", NULL,
                                    "Attempts whose status or price was asked for.");
    counts->facts = metrics_counter(m, "smsq_sweep_answers_total", NULL,
                                    "Of these, answers with a status.");
    counts->timed_out = metrics_counter(m, "smsq_sweep_timed_out_total", NULL,
                                        "Messages that never got a final status.");
    counts->prices = metrics_counter(m, "smsq_sweep_prices_total", NULL,
                                     "Entries of Twilio's prices in the ledger.");
}

struct sweeps *sweeps_new(struct reactor *r, const struct sweeps_parts *parts)
{
    struct sweeps *s = xcalloc(1, sizeof(*s));
    const struct lease_settings lease = {
        .name = "sweeps",
        .program = "smsq-status-consumer",
        .term_us = parts->lease_us,
        .db = parts->db,
        .taken = on_lease,
        .arg = s,
    };

    s->set = *parts;
    sweep_plans_make(&s->plans, parts->set, provider_line_count(parts->provider) > 1);
    declare_metrics(&s->counts, parts->metrics);
    s->load = reactor_timer_new(r, load, s);
    s->lease = lease_new(r, &lease, parts->metrics);
    for (size_t i = 0; i < s->plans.count; i++) {
        const struct sweep_walk_settings walk = { &s->set, &s->plans, &s->plans.all[i],
                                                  s->lease, &s->counts };
        s->walks[i] = sweep_walk_new(r, &walk);
    }
    return s;
}

void sweeps_free(struct sweeps *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->plans.count; i++)
        sweep_walk_free(s->walks[i]);
    reactor_timer_free(s->load);
    lease_free(s->lease);
    free(s);
}

void sweeps_stop(struct sweeps *s)
{
    s->stopping = true;
    for (size_t i = 0; i < s->plans.count; i++)
        sweep_walk_stop(s->walks[i]);
    reactor_timer_stop(s->load);
    lease_give_up(s->lease);
}

bool sweeps_is_idle(const struct sweeps *s)
{
    return lease_is_idle(s->lease);
}
