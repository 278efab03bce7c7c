// job.h: one claimed turn of one message, from its Kafka record until its result stands
// in PostgreSQL. The set of held jobs is what this worker's memory says of its epoch.
#ifndef JOB_H
#define JOB_H

#include "base.h"
#include "kafka_in.h"
#include "turn_key.h"
#include "wire.h"

#include <sys/queue.h>

struct intake;
struct journal_slot;
struct metric;
struct metrics;
struct twilio;

enum lane { LANE_URGENT, LANE_NORMAL, LANE_BULK, LANE_COUNT };

// What the gate before the first byte may have against a job.
enum objection {
    OBJECTION_NONE,
    OBJECTION_OLD_CLAIM,
    OBJECTION_EXPIRED,
    OBJECTION_MODE,
    OBJECTION_NOT_LISTED,
    OBJECTION_STOPPED,
    OBJECTION_NOT_ALIVE,
    OBJECTION_COUNT
};

// A FIFO of jobs; zero-initialise.
struct job_queue {
    struct job *first, *last;
    size_t count;
};

// The row of claim_batches in which a claim was won. It may go once each of its jobs is
// settled: neither claimed nor in doubt any more.
struct claim_batch {
    int64_t epoch, number;
    size_t held;  // its jobs in memory
    bool stays;   // not all were seen settled: the status consumer looks after it
    SLIST_ENTRY(claim_batch) next;
};

struct job {
    struct sms_job sms;
    struct sms_content content;  // unsealed: number and text in clear, never logged
    struct wire_memory *memory, *content_memory;
    struct kafka_origin origin;
    enum lane lane;
    struct job_queue repeats;   // records of the same message in the same claim batch
    int64_t epoch;              // under which it is claimed
    struct claim_batch *batch;  // in which it was won; NULL before
    bool is_settled;            // its result stands in PostgreSQL, and is no doubt
    int32_t tries;              // failures before this turn
    int64_t claim_sent_us;      // clock_boot_us when the claim or its renewal was sent
    enum objection objection;   // why the gate kept it back
    unsigned probes;            // what it probes (breakers.h); 0 = nothing
    struct journal_slot *slot;  // of the journal, for its POST; NULL before
    struct intake *intake;      // who reads and claims it
    struct twilio *twilio;      // who posts it
    struct job *next;           // in the queue it waits in
    struct job *held_previous, *held_next;
};

struct job_set {
    struct job *first;
    size_t count;
    SLIST_HEAD(, claim_batch) settled;  // for job_set_pop_settled
};

void job_queue_push(struct job_queue *q, struct job *job);
struct job *job_queue_pop(struct job_queue *q);  // NULL when empty

// job_hold puts a job into the set when its record was read; job_free takes it out again
// and frees it with all it owns.
void job_hold(struct job_set *set, struct job *job);
void job_free(struct job_set *set, struct job *job);

// job_set_pop_settled returns a batch of claims of which every job is settled, for the
// caller to free, or NULL.
struct claim_batch *job_set_pop_settled(struct job_set *set);

// job_set_end frees all that the set still has.
void job_set_end(struct job_set *set);

// claim_batch_new has a hold of its own, as each job that joins; claim_batch_leave gives
// one back. The last one frees the batch, or puts it among the settled of the set.
struct claim_batch *claim_batch_new(int64_t epoch, int64_t number);
void claim_batch_join(struct claim_batch *batch, struct job *job);
void claim_batch_leave(struct job_set *set, struct claim_batch *batch, bool is_settled);

// job_set_keys returns all held turns, sorted; the caller frees the array.
struct turn_key *job_set_keys(const struct job_set *set);

const char *lane_name(enum lane lane);

// lane_latencies declares one histogram of times for each lane.
void lane_latencies(struct metric *out[LANE_COUNT], struct metrics *m, const char *name,
                    const char *help);

#endif
