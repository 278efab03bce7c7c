#include "reconciler.h"

#include "doubts.h"
#include "provider.h"
#include "readiness.h"
#include "service.h"

#include <stdlib.h>

struct reconciler {
    struct db *db;  // of its own, so that callbacks never wait for a sweep
    struct provider *provider;
    struct doubts *doubts;
    struct sweeps *sweeps;
};

static enum outcome check_settings(const void *part, struct err *err)
{
    const struct reconcile_settings *set = part;
    int64_t ages_us[SWEEP_AGES_MAX];

    if (sweeps_read_ages(ages_us, set->sweeps.status_ages) == 0)
        return err_set(err, OUTCOME_REJECT,
                       "reconcile.status_ages wants one to 8 ages, rising, like 5m,1h");
    if (sweeps_read_ages(ages_us, set->sweeps.price_ages) == 0)
        return err_set(err, OUTCOME_REJECT,
                       "reconcile.price_ages wants one to 8 ages, rising, like 1m,10m");
    return OUTCOME_OK;
}

const struct settings_part reconcile_settings_part = { check_settings, NULL };

enum outcome reconciler_open(struct reconciler **out,
                             const struct reconciler_parts *parts, struct err *err)
{
    struct reconciler *r = xcalloc(1, sizeof(*r));
    struct reactor *loop = service_reactor(parts->service);
    struct metrics *metrics = service_metrics(parts->service);
    const struct provider_settings provider = {
        .accounts = parts->accounts,
        .calls_per_second = &parts->set->calls_per_second,
        .in_flight_max = (size_t)parts->set->in_flight,
        .metrics = metrics,
    };

    enum outcome rc =
        db_open(&r->db, loop, parts->db, "smsq-status-consumer reconciler", metrics, err);
    if (!rc)
        rc = provider_open(&r->provider, loop, &provider, err);
    if (rc) {
        reconciler_close(r);
        return rc;
    }
    const struct doubts_settings doubts = {
        .policy = &parts->set->doubts,
        .interval_us = &parts->set->interval_us,
        .keys = parts->keys,
        .retry = parts->retry,
        .lease_us = parts->lease_us,
        .db = r->db,
        .provider = r->provider,
        .metrics = metrics,
    };
    r->doubts = doubts_new(loop, &doubts);
    const struct sweeps_parts sweeps = {
        .set = &parts->set->sweeps,
        .retry = parts->retry,
        .lease_us = parts->lease_us,
        .db = r->db,
        .provider = r->provider,
        .metrics = metrics,
    };
    r->sweeps = sweeps_new(loop, &sweeps);
    *out = r;
    return OUTCOME_OK;
}

void reconciler_close(struct reconciler *r)
{
    if (!r)
        return;
    provider_close(r->provider);
    db_close(r->db);
    doubts_free(r->doubts);
    sweeps_free(r->sweeps);
    free(r);
}

void reconciler_stop(struct reconciler *r)
{
    doubts_stop(r->doubts);
    sweeps_stop(r->sweeps);
}

bool reconciler_is_drained(const struct reconciler *r)
{
    return doubts_is_idle(r->doubts) && sweeps_is_idle(r->sweeps);
}

// A refused account makes no callback wait, so the program is ready without it; the gauge
// smsq_reconcile_account_paused and the log tell.
void reconciler_say_ready(const struct reconciler *r, struct readiness *parts)
{
    readiness_db(parts, "postgresql_reconciler", r->db);
}
