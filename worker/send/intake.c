#include "intake.h"

#include "breakers.h"
#include "buf.h"
#include "crash_notes.h"
#include "dead_letters.h"
#include "intake_internal.h"
#include "job_reader.h"
#include "journal.h"
#include "kafka.h"
#include "log.h"
#include "metrics.h"

#include <stdlib.h>

// While a batch is being claimed the next one gathers: few and full batches under load,
// single jobs at once when there is little to do. Urgent jobs do not wait for others.
enum { CLAIMS_IN_FLIGHT_MAX = 1, URGENT_CLAIMS_IN_FLIGHT_MAX = 3 };

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
        struct intake_batch *b = LIST_FIRST(&in->claims);
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

void intake_acknowledge(struct intake *in, struct job *job)
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
    intake_acknowledge(in, job);
    job_free(in->set.held, job);
    intake_fill(in);
}

static void bury(struct intake *in, struct job *job, const struct kafka_record *rec,
                 const char *reason, const char *detail)
{
    dead_letters_bury_record(in->set.dead, rec, reason, detail, on_buried, job);
}

void intake_bury_job(struct intake *in, struct job *job, const char *reason,
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
    bool is_urgent = lane == LANE_URGENT;
    size_t claims_max = is_urgent ? URGENT_CLAIMS_IN_FLIGHT_MAX : CLAIMS_IN_FLIGHT_MAX;
    size_t room = in->set.room(in->set.arg);
    size_t limit = room < CLAIM_BATCH_MAX ? room : CLAIM_BATCH_MAX;
    enum breakers_reading reading = breakers_reading(in->set.breakers, (enum lane)lane);

    if (in->claims_in_flight[is_urgent] >= claims_max || limit <= gathered ||
        reading == READING_NOTHING)
        return 0;
    if (reading == READING_ONE)  // and nothing beside it
        return gathered == 0 && LIST_EMPTY(&in->claims) && in->set.is_idle(in->set.arg);
    if (!is_urgent && limit < CLAIM_BATCH_MAX / 2)
        return 0;
    return limit - gathered;
}

// Claims what these lanes have, as one batch.
static void claim_from(struct intake *in, enum lane first, enum lane last)
{
    struct job *jobs[CLAIM_BATCH_MAX];
    size_t count = 0;

    for (size_t lane = first; lane <= last; lane++) {
        size_t limit = limit_of(in, lane, count);
        count += read_lane(in, (enum lane)lane, jobs + count, limit);
    }
    if (count > 0)
        intake_claim(in, jobs, count);
}

void intake_fill(struct intake *in)
{
    claim_from(in, LANE_URGENT, LANE_URGENT);
    claim_from(in, LANE_NORMAL, LANE_BULK);
}
