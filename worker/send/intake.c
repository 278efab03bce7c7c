#include "intake.h"

#include "breakers.h"
#include "buf.h"
#include "crash_notes.h"
#include "db.h"
#include "dead_letters.h"
#include "fail_point.h"
#include "job.h"
#include "job_reader.h"
#include "journal.h"
#include "kafka.h"
#include "log.h"
#include "metrics.h"
#include "store_adopt.h"
#include "store_claims.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

// While a batch is being claimed the next one gathers: few and full batches under load,
// single jobs at once when there is little to do. Urgent jobs do not wait for others.
enum { CLAIMS_IN_FLIGHT_MAX = 1, URGENT_CLAIMS_IN_FLIGHT_MAX = 3 };

enum claim_result { CLAIM_WON, CLAIM_REPEATED, CLAIM_ENDED, CLAIM_RESULT_COUNT };

struct batch {
    struct intake *owner;
    LIST_ENTRY(batch) next;
    size_t count;
    int64_t epoch;
    int64_t sent_us;
    struct job *jobs[CLAIM_BATCH_MAX];  // sorted by id, each id once
};

struct intake {
    struct intake_settings set;
    int64_t epoch;
    struct job_reader *reader;
    LIST_HEAD(, batch) claims;  // in PostgreSQL's hands
    size_t claims_in_flight;
    size_t claiming;
    struct metric *results[CLAIM_RESULT_COUNT];
    struct metric *claim_time, *claim_size;
    struct metric *accept_to_claim[LANE_COUNT];
};

static void claim(struct intake *in, struct job **jobs, size_t count);
static void submit(struct intake *in, struct job **jobs, size_t count);

struct intake *intake_new(const struct intake_settings *set, struct metrics *metrics)
{
    static const char *const labels[CLAIM_RESULT_COUNT] = {
        [CLAIM_WON] = "result=\"won\"",
        [CLAIM_REPEATED] = "result=\"repeated\"",
        [CLAIM_ENDED] = "result=\"ended\"",
    };
    struct intake *in = xcalloc(1, sizeof(*in));

    in->set = *set;
    in->reader = job_reader_new(set->keys);
    for (size_t i = 0; i < CLAIM_RESULT_COUNT; i++)
        in->results[i] = metrics_counter(metrics, "smsq_claims_total", labels[i],
                                         "Jobs by what their claim came to.");
    in->claim_time = metrics_latencies(metrics, "smsq_claim_seconds", NULL,
                                       "From sending a claim batch to its answer.");
    in->claim_size =
        metrics_sizes(metrics, "smsq_claim_batch_jobs", NULL, "Jobs in one claim batch.");
    lane_latencies(in->accept_to_claim, metrics, "smsq_accept_to_claim_seconds",
                   "From acceptance by the producer to the claim.");
    return in;
}

void intake_free(struct intake *in)
{
    if (!in)
        return;
    while (!LIST_EMPTY(&in->claims)) {
        struct batch *b = LIST_FIRST(&in->claims);
        LIST_REMOVE(b, next);
        free(b);
    }
    job_reader_free(in->reader);
    free(in);
}

void intake_set_epoch(struct intake *in, int64_t epoch)
{
    in->epoch = epoch;
}

size_t intake_claiming(const struct intake *in)
{
    return in->claiming;
}

// Acknowledges the job's record and those that repeated it in the same batch.
static void acknowledge(struct intake *in, struct job *job)
{
    struct job *repeat;

    kafka_in_ack(in->set.lanes[job->lane], &job->origin);
    while ((repeat = job_queue_pop(&job->repeats)) != NULL) {
        kafka_in_ack(in->set.lanes[repeat->lane], &repeat->origin);
        metric_add(in->results[CLAIM_REPEATED], 1);
        job_free(in->set.held, repeat);
    }
}

// Runs when sms.dead has the job's record: only now its origin is done.
static void on_buried(void *arg, const struct sms_dead *letter)
{
    struct job *job = arg;
    struct intake *in = job->intake;

    log_line(LOG_LEVEL_WARN, "job_rejected", LOG_T("reason", letter->reason),
             LOG_T("detail", letter->detail), LOG_T("topic", letter->topic),
             LOG_I("partition", letter->partition), LOG_I("offset", letter->offset));
    crash_notes_forget(in->set.crashes, (int)job->lane, job->origin.partition,
                       job->origin.offset);
    acknowledge(in, job);
    job_free(in->set.held, job);
    intake_fill(in);
}

static void bury(struct intake *in, struct job *job, const struct kafka_record *rec,
                 const char *reason, const char *detail)
{
    dead_letters_bury_record(in->set.dead, rec, reason, detail, on_buried, job);
}

// The record of a job that was parsed is written anew: same content, same origin.
static void bury_job(struct intake *in, struct job *job, const char *reason,
                     const char *detail)
{
    static const char *const topics[] = { TOPIC_JOBS_URGENT, TOPIC_JOBS_NORMAL,
                                          TOPIC_JOBS_BULK };
    struct buf value = BUF_INIT(WIRE_RECORD_MAX_BYTES);

    wire_encode(&job->sms, sms_job_fields, &value);
    const struct kafka_record rec = {
        .origin = job->origin,
        .topic = topics[job->lane],
        .key = (const char *)job->sms.to_hash.bytes,
        .key_len = job->sms.to_hash.len,
        .value = value.bytes,
        .value_len = value.len,
        .at_ms = job->sms.accepted_at / 1000,
    };
    bury(in, job, &rec, reason, detail);
    buf_free(&value);
}

// A record that takes the worker down with it would take down the next one too.
static enum outcome read_job(struct intake *in, struct job *job,
                             const struct kafka_record *rec, const char **reason,
                             struct err *err)
{
    const struct kafka_origin *from = &rec->origin;
    int lane = (int)job->lane;

    *reason = "crashed_worker";
    if (crash_notes_count(in->set.crashes, lane, from->partition, from->offset) >=
        CRASHES_MAX)
        return err_set(err, OUTCOME_REJECT, "%d workers crashed while they parsed it",
                       CRASHES_MAX);
    journal_parsing(in->set.journal, lane, from->partition, from->offset);
    enum outcome rc = job_reader_read(in->reader, job, rec, reason, err);
    journal_parsed(in->set.journal);
    return rc;
}

// Returns the parsed job, or NULL when the record went to sms.dead.
static struct job *parse(struct intake *in, enum lane lane,
                         const struct kafka_record *rec)
{
    struct job *job = xcalloc(1, sizeof(*job));
    const char *reason;
    struct err err = { 0 };

    job->intake = in;
    job->lane = lane;
    job->origin = rec->origin;
    job_hold(in->set.held, job);
    if (!read_job(in, job, rec, &reason, &err))
        return job;
    bury(in, job, rec, reason, err.text);
    return NULL;
}

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
    acknowledge(in, job);
    if (result == CLAIM_WON)
        in->set.won(in->set.arg, job);
    else
        job_free(in->set.held, job);
}

// Returns the row of the answer for this job, or -1.
static int find_row(const struct db_result *rows, const struct job *job, size_t hint)
{
    size_t count = db_rows(rows);

    for (size_t i = 0; i < count; i++) {
        size_t row = (hint + i) % count;
        if (memcmp(db_uuid(rows, row, 0), job->sms.message_id, 16) == 0)
            return (int)row;
    }
    return -1;
}

// Its repeats are lower turns, and one of them may be the first: they are claimed anew.
static void bury_unknown(struct intake *in, struct job *job)
{
    struct job *repeats[CLAIM_BATCH_MAX], *repeat;
    size_t count = 0;

    while ((repeat = job_queue_pop(&job->repeats)) != NULL)
        repeats[count++] = repeat;
    bury_job(in, job, "no_row", "a turn above 1 of an unknown message");
    if (count > 0)
        claim(in, repeats, count);
}

static void settle(struct intake *in, struct job *job, const char *status, int32_t turn)
{
    if (strcmp(status, "no_row") == 0) {
        bury_unknown(in, job);
        return;
    }
    bool won = strcmp(status, "claimed") == 0;
    log_line(LOG_LEVEL_INFO, won ? "job_claimed" : "job_ended",
             LOG_U("message_id", job->sms.message_id),
             LOG_C(trace_id_of(job->sms.traceparent)), LOG_I("turn", turn),
             LOG_T("status", status), LOG_T("lane", lane_name(job->lane)));
    if (won) {
        job->sms.turn = turn;
        metric_observe_us(in->accept_to_claim[job->lane],
                          clock_wall_us() - job->sms.accepted_at);
    }
    finish(in, job, won ? CLAIM_WON : CLAIM_ENDED);
}

static void on_adopted(void *arg, const struct db_answer *answer)
{
    struct intake *in = arg;
    if (answer->rc)
        in->set.fail(in->set.arg, answer->reason);
}

// A later turn that came too late may leave an older one on its way.
static void adopt_expired(struct intake *in, const struct db_result *rows)
{
    unsigned char ids[CLAIM_BATCH_MAX][16];
    size_t count = 0;

    for (size_t i = 0; i < db_rows(rows); i++)  // in the order of their ids
        if (db_int(rows, i, 1) > 1 && strcmp(db_text(rows, i, 2), "expired") == 0)
            memcpy(ids[count++], db_uuid(rows, i, 0), sizeof(ids[0]));
    if (count > 0)
        store_adopt(in->set.db, (const unsigned char(*)[16])ids, count, on_adopted, in);
}

static void settle_all(struct batch *b, const struct db_result *rows)
{
    struct intake *in = b->owner;
    size_t hint = 0;

    adopt_expired(in, rows);
    for (size_t i = 0; i < b->count; i++) {
        struct job *job = b->jobs[i];
        int row = find_row(rows, job, hint);
        job->epoch = b->epoch;
        job->claim_sent_us = b->sent_us;
        job->tries = row < 0 ? 0 : (int32_t)db_int(rows, (size_t)row, 3);
        if (row < 0) {
            finish(in, job, CLAIM_REPEATED);
            continue;
        }
        hint = (size_t)row + 1;
        settle(in, job, db_text(rows, (size_t)row, 2),
               (int32_t)db_int(rows, (size_t)row, 1));
    }
}

static void settle_refusal(struct batch *b, const struct db_answer *answer)
{
    struct intake *in = b->owner;
    size_t half = b->count / 2;

    if (!db_blames_data(answer)) {
        in->set.fail(in->set.arg, answer->reason);
    } else if (b->count > 1) {  // halve it until the bad row stands alone
        submit(in, b->jobs, half);
        submit(in, b->jobs + half, b->count - half);
    } else {
        bury_job(in, b->jobs[0], "refused_by_database", answer->reason);
    }
}

// Runs when the database has answered one claim batch. From here on the rows belong to
// PostgreSQL: the records are acknowledged whether won or not, and a crash on any later
// line is the reconciler's to repair.
static void on_claimed(void *arg, const struct db_answer *answer)
{
    struct batch *b = arg;
    struct intake *in = b->owner;

    LIST_REMOVE(b, next);
    in->claims_in_flight--;
    in->claiming -= b->count;
    fail_point("worker_after_claim", in->set.held->count);
    metric_observe_us(in->claim_time, clock_boot_us() - b->sent_us);
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
    struct batch *b = xcalloc(1, sizeof(*b));

    b->owner = in;
    b->count = count;
    b->epoch = in->epoch;
    b->sent_us = clock_boot_us();
    memcpy(b->jobs, jobs, count * sizeof(struct job *));
    for (size_t i = 0; i < count; i++)
        records[i] = &b->jobs[i]->sms;
    LIST_INSERT_HEAD(&in->claims, b, next);
    in->claims_in_flight++;
    in->claiming += count;
    metric_observe(in->claim_size, (int64_t)count);
    fail_point("worker_before_claim", in->set.held->count);
    store_claim(in->set.db, records, count, b->epoch, on_claimed, b);
}

// Sorts, sets repetitions inside the batch aside, and claims the rest.
static void claim(struct intake *in, struct job **jobs, size_t count)
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

// Reads up to limit records of one lane into jobs; returns how many parsed. Any of them
// may turn out to be one for sms.dead.
static size_t read_lane(struct intake *in, enum lane lane, struct job **jobs,
                        size_t limit)
{
    struct kafka_record rec;
    size_t count = 0;

    while (count < limit && dead_letters_have_room(in->set.dead) &&
           kafka_in_next(in->set.lanes[lane], &rec)) {
        struct job *job = parse(in, lane, &rec);
        kafka_in_done_with(&rec);
        if (job)
            jobs[count++] = job;
    }
    return count;
}

// How many records of this lane may join the gathered ones now. All but urgent ones wait
// until there is room for half a batch: small claims cost PostgreSQL twice as much a row.
static size_t limit_of(const struct intake *in, size_t lane, size_t gathered)
{
    size_t claims_max =
        lane == LANE_URGENT ? URGENT_CLAIMS_IN_FLIGHT_MAX : CLAIMS_IN_FLIGHT_MAX;
    size_t room = in->set.room(in->set.arg);
    size_t limit = room < CLAIM_BATCH_MAX ? room : CLAIM_BATCH_MAX;
    enum breakers_reading reading = breakers_reading(in->set.breakers, (enum lane)lane);

    if (in->claims_in_flight >= claims_max || limit <= gathered ||
        reading == READING_NOTHING)
        return 0;
    if (reading == READING_ONE)  // and nothing beside it
        return gathered == 0 && in->claims_in_flight == 0 && in->set.is_idle(in->set.arg);
    if (lane != LANE_URGENT && limit < CLAIM_BATCH_MAX / 2)
        return 0;
    return limit - gathered;
}

void intake_fill(struct intake *in)
{
    struct job *jobs[CLAIM_BATCH_MAX];
    size_t count = 0;

    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        size_t limit = limit_of(in, lane, count);
        count += read_lane(in, (enum lane)lane, jobs + count, limit);
    }
    if (count > 0)
        claim(in, jobs, count);
}
