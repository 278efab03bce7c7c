#include "worker.h"

#include "breakers.h"
#include "buf.h"
#include "dead_letters.h"
#include "error_watch.h"
#include "fail_point.h"
#include "heartbeat.h"
#include "intake.h"
#include "job.h"
#include "journal.h"
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

#include <stdlib.h>

enum {
    LEASE_US = 3000000,      // a claim sent longer ago is not posted
    RENEW_US = 2000000,      // a claim sent longer ago is renewed first
    UNWRITTEN_MAX = 2000,    // results that PostgreSQL has not committed
    UNACKED_MAX = 16384,     // records per partition
    LAST_CALL_US = 3000000,  // before stop.deadline: POSTs are not waited for any longer
};

struct worker {
    struct service *service;
    struct keys keys;
    struct accounts accounts;
    struct buf callback_url;
    struct keeper *keeper;
    // So that a long batch of one does not hold the others up.
    struct db *claims, *writes, *beats;
    struct kafka_out *out;
    struct dead_letters *dead;
    struct kafka_in *lanes[LANE_COUNT];
    struct error_watch *codes;
    struct twilio *twilio;
    struct breakers *breakers;
    struct results *results;
    struct sender *sender;
    struct intake *intake;
    struct heartbeat *heartbeat;
    struct job_set held;
    size_t in_flight_max;
    int64_t stop_us;  // stop.deadline
    struct reactor_timer *last_call;
    struct metric *held_gauge, *unwritten_gauge;
};

static void on_records(void *arg)
{
    struct worker *w = arg;

    if (error_watch_is_loaded(w->codes))
        intake_fill(w->intake);
}

static void on_kafka(void *arg)
{
    struct worker *w = arg;

    for (size_t i = 0; i < LANE_COUNT; i++)
        if (w->lanes[i] && kafka_in_is_fatal(w->lanes[i]))
            service_fail(w->service, kafka_in_error(w->lanes[i]));
    on_records(w);
}

static void on_room(void *arg)
{
    struct worker *w = arg;

    sender_pump(w->sender);
    on_records(w);
}

static void on_answer(void *arg, struct job *job, const struct twilio_answer *answer)
{
    struct worker *w = arg;
    struct twilio_answer heard = *answer;

    fail_point("worker_after_answer", w->held.count);
    breakers_hear(w->breakers, job, &heard);
    results_add(w->results, job, &heard);
    on_room(w);
}

static size_t posting(const struct worker *w)
{
    return w->in_flight_max - twilio_free_slots(w->twilio);
}

// No more than the free POST slots and one batch are claimed ahead.
static size_t room(void *arg)
{
    const struct worker *w = arg;
    size_t taken = posting(w) + sender_waiting(w->sender) + intake_claiming(w->intake);
    size_t limit = w->in_flight_max + CLAIM_BATCH_MAX;

    if (!heartbeat_may_claim(w->heartbeat) || !keeper_is_ready(w->keeper) ||
        w->accounts.missing.text[0] ||
        results_count(w->results) >= UNWRITTEN_MAX || taken >= limit)
        return 0;
    return limit - taken;
}

static bool is_idle(void *arg)
{
    const struct worker *w = arg;
    return sender_waiting(w->sender) == 0 && intake_claiming(w->intake) == 0;
}

static void on_won(void *arg, struct job *job)
{
    struct worker *w = arg;
    sender_take(w->sender, job);
}

static void on_refused(void *arg, const char *reason)
{
    struct worker *w = arg;
    service_fail(w->service, reason);
}

static void on_epoch(void *arg, int64_t epoch)
{
    struct worker *w = arg;

    if (epoch)
        journal_set_epoch(keeper_journal(w->keeper), epoch);
    intake_set_epoch(w->intake, epoch);
    sender_set_epoch(w->sender, epoch);
}

static bool is_alive(void *arg, int64_t epoch)
{
    const struct worker *w = arg;
    return heartbeat_allows(w->heartbeat, epoch);
}

static void on_lost(void *arg, int64_t epoch)
{
    struct worker *w = arg;
    heartbeat_end_epoch(w->heartbeat, epoch);
}

static void release(void *arg, int64_t epoch)
{
    struct worker *w = arg;
    heartbeat_release(w->heartbeat, epoch);
}

// What Twilio has not answered by now is recorded as in doubt, while there is time.
static void on_last_call(void *arg)
{
    struct worker *w = arg;

    log_line(LOG_LEVEL_WARN, "posts_given_up", LOG_I("count", (int64_t)posting(w)));
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
             intake_claiming(w->intake), heartbeat_releasing(w->heartbeat), posting(w),
             results_count(w->results), dead_letters_pending(w->dead));
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

static enum outcome open_lanes(struct worker *w, const struct worker_settings *set,
                               struct err *err)
{
    static const struct {
        const char *topic, *group;
    } lanes[LANE_COUNT] = {
        [LANE_URGENT] = { TOPIC_JOBS_URGENT, "smsq-worker-urgent" },
        [LANE_NORMAL] = { TOPIC_JOBS_NORMAL, "smsq-worker-normal" },
        [LANE_BULK] = { TOPIC_JOBS_BULK, "smsq-worker-bulk" },
    };

    for (size_t i = 0; i < LANE_COUNT; i++) {
        const struct kafka_in_settings in = {
            .kafka = &set->kafka,
            .topic = lanes[i].topic,
            .group = lanes[i].group,
            .session_timeout_ms = set->session_us / 1000,
            .unacked_max = UNACKED_MAX,
        };
        enum outcome rc = kafka_in_open(&w->lanes[i], service_reactor(w->service), &in,
                                        on_kafka, w, service_metrics(w->service), err);
        if (rc)
            return rc;
    }
    return OUTCOME_OK;
}

static void open_codes(struct worker *w)
{
    const struct error_watch_settings codes = {
        .reactor = service_reactor(w->service),
        .db = w->claims,
        .loaded = on_records,
        .fail = on_refused,
        .arg = w,
    };
    w->codes = error_watch_new(&codes);
}

static void open_breakers(struct worker *w)
{
    const struct breakers_settings set = {
        .mode = w->accounts.mode,
        .db = w->beats,
        .changed = on_room,
        .fail = on_refused,
        .arg = w,
    };

    w->breakers =
        breakers_new(service_reactor(w->service), &set, service_metrics(w->service));
}

static enum outcome open_twilio(struct worker *w, const struct worker_settings *set,
                                struct err *err)
{
    const struct twilio_settings twilio = {
        .codes = error_watch_codes(w->codes),
        .accounts = &w->accounts,
        .keys = &w->keys,
        .breakers = w->breakers,
        .callback_url = w->callback_url.bytes,
        .in_flight_max = w->in_flight_max,
        .connect_us = set->connect_us,
        .total_us = set->total_us,
        .lease_us = LEASE_US,
        .is_alive = is_alive,
        .is_alive_arg = w,
        .journal = keeper_journal(w->keeper),
        .metrics = service_metrics(w->service),
    };

    return twilio_open(&w->twilio, service_reactor(w->service), &twilio, on_answer, w,
                       err);
}

static enum outcome open_connections(struct worker *w, const struct worker_settings *set,
                                     struct err *err)
{
    struct reactor *loop = service_reactor(w->service);
    struct metrics *metrics = service_metrics(w->service);

    enum outcome rc =
        db_open(&w->claims, loop, &set->db, "smsq-worker claims", metrics, err);
    if (!rc)
        rc = db_open(&w->writes, loop, &set->db, "smsq-worker results", metrics, err);
    if (!rc)
        rc = db_open(&w->beats, loop, &set->db, "smsq-worker beats", metrics, err);
    if (!rc)
        rc = dead_letters_open_out(&w->out, loop, &set->kafka, metrics, err);
    if (rc)
        return rc;
    open_codes(w);
    open_breakers(w);
    return open_twilio(w, set, err);
}

static void make_heartbeat(struct worker *w, const struct worker_settings *set)
{
    const struct heartbeat_settings heartbeat = {
        .db = w->beats,
        .claims = w->claims,
        .held = &w->held,
        .interval_us = set->beat_us,
        .post_us = LEASE_US + set->total_us,
        .on_epoch = on_epoch,
        .on_alive = on_records,
        .fail = on_refused,
        .arg = w,
    };

    w->heartbeat = heartbeat_new(service_reactor(w->service), &heartbeat,
                                 service_metrics(w->service));
    w->stop_us = set->service.stop_deadline_us;
    w->last_call = reactor_timer_new(service_reactor(w->service), on_last_call, w);
    service_say_left(w->service, say_left, w);
}

static void make_parts(struct worker *w, const struct worker_settings *set)
{
    struct metrics *metrics = service_metrics(w->service);
    const struct results_settings results = {
        .mode = w->accounts.mode,
        .db = w->writes,
        .retry = &set->retry,
        .journal = keeper_journal(w->keeper),
        .held = &w->held,
        .on_room = on_room,
        .fail = on_refused,
        .arg = w,
    };

    w->dead =
        dead_letters_new(service_reactor(w->service), w->out, "smsq-worker", metrics);
    w->results = results_new(service_reactor(w->service), &results, metrics);
    const struct sender_settings sender = {
        .db = w->claims,
        .twilio = w->twilio,
        .results = w->results,
        .breakers = w->breakers,
        .held = &w->held,
        .renew_us = RENEW_US,
        .unwritten_max = UNWRITTEN_MAX,
        .on_room = on_records,
        .release = release,
        .fail = on_refused,
        .arg = w,
    };
    w->sender = sender_new(&sender, metrics);
    const struct intake_settings intake = {
        .lanes = w->lanes,
        .db = w->claims,
        .dead = w->dead,
        .keys = &w->keys,
        .journal = keeper_journal(w->keeper),
        .crashes = keeper_crashes(w->keeper),
        .held = &w->held,
        .room = room,
        .is_idle = is_idle,
        .breakers = w->breakers,
        .won = on_won,
        .lost = on_lost,
        .release = release,
        .fail = on_refused,
        .arg = w,
    };
    w->intake = intake_new(&intake, metrics);
    make_heartbeat(w, set);
    keeper_start(w->keeper, service_reactor(w->service), w->writes, metrics, on_records,
                 on_refused, w);
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
        rc = keeper_open(&w->keeper, set->state_dir, w->in_flight_max + UNWRITTEN_MAX,
                         err);
    if (!rc)
        rc = open_connections(w, set, err);
    if (!rc) {
        make_parts(w, set);
        rc = open_lanes(w, set, err);
    }
    if (rc) {
        worker_close(w);
        return rc;
    }
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
    while (w->held.first)
        job_free(&w->held, w->held.first);
    service_close(w->service);
    keys_close(&w->keys);
    accounts_close(&w->accounts);
    buf_free(&w->callback_url);
    free(w);
}
