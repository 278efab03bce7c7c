#include "worker.h"

#include "breakers.h"
#include "dead_letters.h"
#include "error_watch.h"
#include "heartbeat.h"
#include "intake.h"
#include "kafka_in.h"
#include "kafka_out.h"
#include "keeper.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "readiness.h"
#include "results.h"
#include "sender.h"
#include "twilio.h"
#include "worker_internal.h"

#include <stdlib.h>

enum { LAST_CALL_US = 3000000 };  // before stop.deadline: POSTs are waited for no longer

// What Twilio has not answered by now is recorded as in doubt, while there is time.
static void on_last_call(void *arg)
{
    struct worker *w = arg;

    log_line(LOG_LEVEL_WARN, "posts_given_up",
             LOG_I("count", (int64_t)worker_posting(w)));
    twilio_give_up(w->twilio);
}

static void on_stop(void *arg)
{
    struct worker *w = arg;

    for (size_t i = 0; i < LANE_COUNT; i++)
        kafka_in_stop_reading(w->lanes[i]);
    heartbeat_stop(w->heartbeat);
    int64_t spare_us = w->stop_us / 5 < LAST_CALL_US ? w->stop_us / 5 : LAST_CALL_US;
    reactor_timer_set(w->last_call, w->stop_us - spare_us);
}

static void say_left(void *arg, struct buf *to)
{
    const struct worker *w = arg;

    buf_addf(to,
             "claims without an answer %zu, releases without one %zu, POSTs in flight"
             " %zu, results not written %zu, dead letters %zu",
             intake_claiming(w->intake), heartbeat_releasing(w->heartbeat),
             worker_posting(w), results_count(w->results), dead_letters_pending(w->dead));
}

static bool is_drained(void *arg)
{
    const struct worker *w = arg;
    return w->held.count == 0 && heartbeat_is_idle(w->heartbeat) &&
           dead_letters_pending(w->dead) == 0;
}

static void say_ready(void *arg, struct readiness *parts)
{
    static const char *const lanes[LANE_COUNT] = { "lane_urgent", "lane_normal",
                                                   "lane_bulk" };
    const struct worker *w = arg;

    readiness_part(parts, "twilio_account", w->accounts.missing.text);
    readiness_db(parts, "postgresql_claims", w->claims);
    readiness_db(parts, "postgresql_urgent_claims", w->urgent_claims);
    readiness_db(parts, "postgresql_results", w->writes);
    readiness_db(parts, "postgresql_beats", w->beats);
    readiness_part(parts, "registration",
                   heartbeat_is_registered(w->heartbeat)
                       ? NULL
                       : "the worker is not registered in PostgreSQL yet");
    readiness_part(parts, "error_codes",
                   error_watch_is_loaded(w->codes) ? NULL : "they are not read yet");
    readiness_part(parts, "journal",
                   keeper_is_ready(w->keeper) ? NULL
                                              : "PostgreSQL has not said who it is yet");
    for (size_t i = 0; i < LANE_COUNT; i++)
        readiness_kafka_in(parts, lanes[i], w->lanes[i]);
    readiness_kafka_out(parts, "kafka_out", w->out);
    readiness_part(parts, "twilio", breakers_complaint(w->breakers));
}

static void set_gauges(void *arg)
{
    const struct worker *w = arg;

    metric_set(w->held_gauge, (double)w->held.count);
    metric_set(w->unwritten_gauge, (double)results_count(w->results));
}

static void watch(struct worker *w, const struct worker_settings *set)
{
    struct metrics *metrics = service_metrics(w->service);

    w->stop_us = set->service.stop_deadline_us;
    w->last_call = reactor_timer_new(service_reactor(w->service), on_last_call, w);
    service_say_left(w->service, say_left, w);
    w->held_gauge = metrics_gauge(metrics, "smsq_jobs_held", NULL,
                                  "Jobs in hand: read and not written yet.");
    w->unwritten_gauge = metrics_gauge(metrics, "smsq_results_unwritten", NULL,
                                       "Results that PostgreSQL has not committed.");
    metrics_before_render(metrics, set_gauges, w);
}

static enum outcome resolve(struct worker *w, const struct worker_settings *set,
                            struct err *err)
{
    enum outcome rc = keys_open(&w->keys, &set->keys, err);
    if (!rc)
        rc = accounts_open(&w->accounts, &set->account, err);
    if (rc)
        return rc;
    buf_init(&w->callback_url, 2048);
    if (set->account.status_callback && set->account.status_callback[0])
        buf_add_text(&w->callback_url, set->account.status_callback);
    else
        buf_addf(&w->callback_url, "%s/sms/webhook/status", set->account.public_url);
    return OUTCOME_OK;
}

enum outcome worker_open(struct worker **out, const struct worker_settings *set,
                         struct err *err)
{
    struct worker *w = xcalloc(1, sizeof(*w));
    const struct service_hooks hooks = { "smsq-worker", on_stop, is_drained, say_ready,
                                         w };

    w->in_flight_max = (size_t)set->in_flight;
    enum outcome rc = resolve(w, set, err);
    if (!rc)
        rc = service_open(&w->service, &set->service, &hooks, err);
    if (!rc)
        rc = worker_open_parts(w, set, err);
    if (rc) {
        worker_close(w);
        return rc;
    }
    watch(w, set);
    heartbeat_start(w->heartbeat);
    *out = w;
    return OUTCOME_OK;
}

enum outcome worker_run(struct worker *w, struct err *err)
{
    log_line(LOG_LEVEL_INFO, "worker_started",
             LOG_T("mode", account_mode_name(w->accounts.mode)),
             LOG_T("base_url", w->accounts.twilio.base_url),
             LOG_T("simulator_url", w->accounts.simulator.base_url),
             LOG_T("callback_url", w->callback_url.bytes),
             LOG_I("in_flight", (int64_t)w->in_flight_max));
    return service_run(w->service, err);
}

void worker_close(struct worker *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (w->lanes[i])
            kafka_in_stop_reading(w->lanes[i]);
    kafka_out_close(w->out);  // its last reports still acknowledge records
    twilio_close(w->twilio);
    dead_letters_free(w->dead);
    for (size_t i = 0; i < LANE_COUNT; i++)
        kafka_in_close(w->lanes[i]);
    db_close(w->claims);
    db_close(w->urgent_claims);
    db_close(w->writes);
    db_close(w->beats);
    keeper_close(w->keeper,
                 w->held.count == 0 &&
                     (!w->heartbeat || heartbeat_releasing(w->heartbeat) == 0));
    breakers_free(w->breakers);
    heartbeat_free(w->heartbeat);
    reactor_timer_free(w->last_call);
    error_watch_free(w->codes);
    intake_free(w->intake);
    sender_free(w->sender);
    results_free(w->results);
    job_set_end(&w->held);
    service_close(w->service);
    keys_close(&w->keys);
    accounts_close(&w->accounts);
    buf_free(&w->callback_url);
    free(w);
}
