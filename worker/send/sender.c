#include "sender.h"

#include "breakers.h"
#include "db.h"
#include "job.h"
#include "log.h"
#include "metrics.h"
#include "results.h"
#include "store_claims.h"
#include "trace.h"
#include "twilio.h"

#include <stdlib.h>
#include <string.h>

enum { RENEW_BATCH_MAX = 500 };

struct sender {
    struct sender_settings set;
    struct job_queue lanes[LANE_COUNT];
    int64_t epoch;
    struct job_queue stale;  // waits for the next renewal
    struct job **renewing;   // sent for renewal; NULL = none
    size_t renewing_count;
    int64_t renew_sent_us;
    struct metric *renewed, *lost;
    struct metric *claim_to_post[LANE_COUNT];
};

struct sender *sender_new(const struct sender_settings *set, struct metrics *metrics)
{
    struct sender *s = xcalloc(1, sizeof(*s));

    s->set = *set;
    s->renewed =
        metrics_counter(metrics, "smsq_claims_renewed_total", NULL,
                        "Claims that waited too long to begin and were renewed.");
    s->lost = metrics_counter(metrics, "smsq_claims_lost_total", NULL,
                              "Claims that were taken away before their POST began.");
    lane_latencies(s->claim_to_post, metrics, "smsq_claim_to_post_seconds",
                   "From sending the claim to submitting the POST.");
    return s;
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    free(s->renewing);
    free(s);
}

size_t sender_waiting(const struct sender *s)
{
    size_t count = s->stale.count + s->renewing_count;

    for (size_t i = 0; i < LANE_COUNT; i++)
        count += s->lanes[i].count;
    return count;
}

static struct job *next_job(struct sender *s)
{
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (s->lanes[i].count > 0)
            return job_queue_pop(&s->lanes[i]);
    return NULL;
}

static bool is_renewed(const struct db_result *rows, const struct job *job)
{
    int row = db_row_of(rows, job->sms.message_id, 0);

    return row >= 0 && db_int(rows, (size_t)row, 1) == job->sms.turn;
}

static void drop_lost(struct sender *s, struct job *job)
{
    log_line(LOG_LEVEL_WARN, "claim_lost", LOG_U("message_id", job->sms.message_id),
             LOG_C(trace_id_of(job->sms.traceparent)), LOG_I("turn", job->sms.turn));
    metric_add(s->lost, 1);
    job_free(s->set.held, job);
}

// The claims were forgotten while their renewal was under way.
static void forget_renewed(struct sender *s, struct job **jobs, size_t count)
{
    int64_t epoch = jobs[0]->epoch;

    for (size_t i = 0; i < count; i++)
        job_free(s->set.held, jobs[i]);
    s->set.release(s->set.arg, epoch);
}

static void keep_renewed(struct sender *s, struct job **jobs, size_t count,
                         const struct db_result *rows)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_renewed(rows, jobs[i])) {
            drop_lost(s, jobs[i]);
            continue;
        }
        jobs[i]->claim_sent_us = s->renew_sent_us;
        metric_add(s->renewed, 1);
        job_queue_push(&s->lanes[jobs[i]->lane], jobs[i]);
    }
}

static void on_renewed(void *arg, const struct db_answer *answer)
{
    struct sender *s = arg;
    struct job **jobs = s->renewing;
    size_t count = s->renewing_count;

    s->renewing = NULL;
    s->renewing_count = 0;
    if (answer->rc) {  // its jobs stay held: nothing says that the claims are lost
        s->set.fail(s->set.arg, answer->reason);
        free(jobs);
        return;
    }
    if (jobs[0]->epoch == s->epoch)
        keep_renewed(s, jobs, count, answer->rows);
    else
        forget_renewed(s, jobs, count);
    free(jobs);
    sender_pump(s);
    s->set.on_room(s->set.arg);
}

static void renew(struct sender *s)
{
    if (s->renewing || s->stale.count == 0)
        return;

    struct turn_key keys[RENEW_BATCH_MAX];
    size_t count = 0;
    s->renewing = xcalloc(RENEW_BATCH_MAX, sizeof(*s->renewing));
    do {
        struct job *job = job_queue_pop(&s->stale);
        memcpy(keys[count].message_id, job->sms.message_id, 16);
        keys[count].turn = job->sms.turn;
        s->renewing[count++] = job;
    } while (count < RENEW_BATCH_MAX && s->stale.count > 0);
    qsort(keys, count, sizeof(keys[0]), turn_key_compare);
    s->renewing_count = count;
    s->renew_sent_us = clock_boot_us();
    store_renew(s->set.db, keys, count, s->epoch, on_renewed, s);
}

static void post(struct sender *s, struct job *job)
{
    int64_t age_us = clock_boot_us() - job->claim_sent_us;
    struct twilio_answer held;

    if (!breakers_admit(s->set.breakers, job, &held)) {
        results_add(s->set.results, job, &held);
    } else if (age_us > s->set.renew_us || !twilio_submit(s->set.twilio, job)) {
        breakers_withdraw(s->set.breakers, job);
        job_queue_push(&s->stale, job);
    } else {
        metric_observe_us(s->claim_to_post[job->lane], age_us);
    }
}

// What a stop gives back needs no slot.
void sender_pump(struct sender *s)
{
    struct job *job;

    while (
        (twilio_free_slots(s->set.twilio) > 0 || breakers_are_stopped(s->set.breakers)) &&
        results_count(s->set.results) < s->set.unwritten_max &&
        (job = next_job(s)) != NULL)
        post(s, job);
    renew(s);
}

static void forget_all(struct sender *s, struct job_queue *queue)
{
    struct job *job;

    while ((job = job_queue_pop(queue)) != NULL)
        job_free(s->set.held, job);
}

void sender_set_epoch(struct sender *s, int64_t epoch)
{
    s->epoch = epoch;
    for (size_t i = 0; i < LANE_COUNT; i++)
        forget_all(s, &s->lanes[i]);
    forget_all(s, &s->stale);
}

void sender_take(struct sender *s, struct job *job)
{
    if (job->epoch != s->epoch) {
        job_free(s->set.held, job);
        return;
    }
    job_queue_push(&s->lanes[job->lane], job);
    sender_pump(s);
}
