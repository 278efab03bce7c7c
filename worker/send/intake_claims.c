// intake_claims.c: claim batches, from sending them to what becomes of their jobs.
#include "intake_internal.h"

#include "db.h"
#include "fail_point.h"
#include "kafka.h"
#include "log.h"
#include "metrics.h"
#include "store_claims.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>

static void submit(struct intake *in, struct job **jobs, size_t count);

static int compare_jobs(const void *a, const void *b)
{
    const struct job *const *x = a, *const *y = b;
    int by_id = memcmp((*x)->sms.message_id, (*y)->sms.message_id, 16);

    // The highest turn of an id first: the lower ones are stale whatever happens.
    return by_id ? by_id
                 : ((*x)->sms.turn < (*y)->sms.turn) - ((*x)->sms.turn > (*y)->sms.turn);
}

static void finish(struct intake *in, struct job *job, enum claim_result result)
{
    metric_add(in->results[result], 1);
    fail_point("worker_before_ack", in->set.held->count);
    intake_acknowledge(in, job);
    if (result == CLAIM_WON)
        in->set.won(in->set.arg, job);
    else
        job_free(in->set.held, job);
}

// Its repeats are lower turns, and one of them may be the first: they are claimed anew.
static void bury_unknown(struct intake *in, struct job *job)
{
    struct job *repeats[CLAIM_BATCH_MAX], *repeat;
    size_t count = 0;

    while ((repeat = job_queue_pop(&job->repeats)) != NULL)
        repeats[count++] = repeat;
    intake_bury_job(in, job, "no_row", "a turn above 1 of an unknown message");
    if (count > 0)
        intake_claim(in, repeats, count);
}

// The batch has a hold of its own until all its jobs have joined: to send one may free
// it.
static void win(struct intake_batch *b, struct job *job, int32_t turn)
{
    if (!b->won) {
        b->won = claim_batch_new(b->epoch, b->number);
        b->won->stays = b->answer_was_lost;
    }
    claim_batch_join(b->won, job);
    job->sms.turn = turn;
    metric_observe_us(b->owner->accept_to_claim[job->lane],
                      clock_wall_us() - job->sms.accepted_at);
}

static void settle(struct intake_batch *b, struct job *job, const char *status,
                   int32_t turn)
{
    struct intake *in = b->owner;

    if (strcmp(status, "no_row") == 0) {
        bury_unknown(in, job);
        return;
    }
    bool won = strcmp(status, "claimed") == 0;
    log_line(LOG_LEVEL_INFO, won ? "job_claimed" : "job_ended",
             LOG_U("message_id", job->sms.message_id),
             LOG_C(trace_id_of(job->sms.traceparent)), LOG_I("turn", turn),
             LOG_T("status", status), LOG_T("lane", lane_name(job->lane)));
    if (won)
        win(b, job, turn);
    finish(in, job, won ? CLAIM_WON : CLAIM_ENDED);
}

static void settle_all(struct intake_batch *b, const struct db_result *rows)
{
    struct intake *in = b->owner;
    size_t hint = 0;

    for (size_t i = 0; i < b->count; i++) {
        struct job *job = b->jobs[i];
        int row = db_row_of(rows, job->sms.message_id, hint);
        job->epoch = b->epoch;
        job->claim_sent_us = b->sent_us;
        job->tries = row < 0 ? 0 : (int32_t)db_int(rows, (size_t)row, 3);
        if (row < 0) {
            finish(in, job, CLAIM_REPEATED);
            continue;
        }
        hint = (size_t)row + 1;
        settle(b, job, db_text(rows, (size_t)row, 2),
               (int32_t)db_int(rows, (size_t)row, 1));
    }
    if (b->won)
        claim_batch_leave(in->set.held, b->won, true);
}

static void settle_refusal(struct intake_batch *b, const struct db_answer *answer)
{
    struct intake *in = b->owner;
    size_t half = b->count / 2;

    if (!db_blames_data(answer)) {
        in->set.fail(in->set.arg, answer->reason);
    } else if (b->count > 1) {  // halve it until the bad row stands alone
        submit(in, b->jobs, half);
        submit(in, b->jobs + half, b->count - half);
    } else {
        intake_bury_job(in, b->jobs[0], "refused_by_database", answer->reason);
    }
}

// Runs when the database has answered one claim batch. From here on the rows belong to
// PostgreSQL: the records are acknowledged whether won or not, and a crash on any later
// line is the reconciler's to repair.
static void on_claimed(void *arg, const struct db_answer *answer)
{
    struct intake_batch *b = arg;
    struct intake *in = b->owner;

    LIST_REMOVE(b, next);
    in->claims_in_flight[b->is_urgent]--;
    in->claiming -= b->count;
    fail_point("worker_after_claim", in->set.held->count);
    metric_observe_us(in->claim_time, clock_boot_us() - b->sent_us);
    b->answer_was_lost = answer->repeated;
    if (answer->repeated)
        in->set.lost(in->set.arg, b->epoch);
    if (answer->rc)
        settle_refusal(b, answer);
    else
        settle_all(b, answer->rows);
    // A batch of an older epoch was in flight at its release: one more is due after it.
    if (b->epoch != in->epoch)
        in->set.release(in->set.arg, b->epoch);
    free(b);
    intake_fill(in);
}

static void leave_all(struct intake *in, struct job **jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct job *repeat;
        while ((repeat = job_queue_pop(&jobs[i]->repeats)) != NULL)
            job_free(in->set.held, repeat);
        job_free(in->set.held, jobs[i]);
    }
}

static void submit(struct intake *in, struct job **jobs, size_t count)
{
    struct sms_job *records[CLAIM_BATCH_MAX];

    if (in->epoch == 0) {
        leave_all(in, jobs, count);
        return;
    }
    struct intake_batch *b = xcalloc(1, sizeof(*b));

    b->owner = in;
    b->count = count;
    b->is_urgent = jobs[0]->lane == LANE_URGENT;
    b->epoch = in->epoch;
    b->number = ++in->last_number;
    b->sent_us = clock_boot_us();
    memcpy(b->jobs, jobs, count * sizeof(struct job *));
    for (size_t i = 0; i < count; i++)
        records[i] = &b->jobs[i]->sms;
    LIST_INSERT_HEAD(&in->claims, b, next);
    in->claims_in_flight[b->is_urgent]++;
    in->claiming += count;
    metric_observe(in->claim_size, (int64_t)count);
    fail_point("worker_before_claim", in->set.held->count);
    store_claim(b->is_urgent ? in->set.urgent_db : in->set.db, records, count, b->epoch,
                b->number, on_claimed, b);
}

void intake_claim(struct intake *in, struct job **jobs, size_t count)
{
    size_t kept = 0;

    qsort(jobs, count, sizeof(*jobs), compare_jobs);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 &&
            memcmp(jobs[kept - 1]->sms.message_id, jobs[i]->sms.message_id, 16) == 0)
            job_queue_push(&jobs[kept - 1]->repeats, jobs[i]);
        else
            jobs[kept++] = jobs[i];
    }
    if (kept > 0)
        submit(in, jobs, kept);
}
