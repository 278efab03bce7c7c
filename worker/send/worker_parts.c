// worker_parts.c: the worker's parts, and what passes between them.
#include "worker_internal.h"

#include "breakers.h"
#include "dead_letters.h"
#include "error_watch.h"
#include "fail_point.h"
#include "heartbeat.h"
#include "intake.h"
#include "journal.h"
#include "kafka_in.h"
#include "kafka_out.h"
#include "keeper.h"
#include "results.h"
#include "sender.h"
#include "twilio.h"

enum {
    LEASE_US = 3000000,    // a claim sent longer ago is not posted
    RENEW_US = 2000000,    // a claim sent longer ago is renewed first
    UNWRITTEN_MAX = 2000,  // results that PostgreSQL has not committed
    UNACKED_MAX = 16384,   // records per partition
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

size_t worker_posting(const struct worker *w)
{
    return w->in_flight_max - twilio_free_slots(w->twilio);
}

// No more than the free POST slots and one batch are claimed ahead.
static size_t room(void *arg)
{
    const struct worker *w = arg;
    size_t taken =
        worker_posting(w) + sender_waiting(w->sender) + intake_claiming(w->intake);
    size_t limit = w->in_flight_max + CLAIM_BATCH_MAX;

    if (!heartbeat_may_claim(w->heartbeat) || !keeper_is_ready(w->keeper) ||
        w->accounts.missing.text[0] || results_count(w->results) >= UNWRITTEN_MAX ||
        taken >= limit)
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
        rc = db_open(&w->urgent_claims, loop, &set->db, "smsq-worker urgent claims",
                     metrics, err);
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
}

static void make_results(struct worker *w, const struct worker_settings *set)
{
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

    w->results =
        results_new(service_reactor(w->service), &results, service_metrics(w->service));
}

static void make_sender(struct worker *w)
{
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

    w->sender = sender_new(&sender, service_metrics(w->service));
}

static void make_intake(struct worker *w)
{
    const struct intake_settings intake = {
        .lanes = w->lanes,
        .db = w->claims,
        .urgent_db = w->urgent_claims,
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

    w->intake = intake_new(&intake, service_metrics(w->service));
}

enum outcome worker_open_parts(struct worker *w, const struct worker_settings *set,
                               struct err *err)
{
    struct reactor *loop = service_reactor(w->service);
    struct metrics *metrics = service_metrics(w->service);

    enum outcome rc =
        keeper_open(&w->keeper, set->state_dir, w->in_flight_max + UNWRITTEN_MAX, err);
    if (!rc)
        rc = open_connections(w, set, err);
    if (rc)
        return rc;
    w->dead = dead_letters_new(loop, w->out, "smsq-worker", metrics);
    make_results(w, set);
    make_sender(w);
    make_intake(w);
    make_heartbeat(w, set);
    keeper_start(w->keeper, loop, w->writes, metrics, on_records, on_refused, w);
    return open_lanes(w, set, err);
}
