// intake_internal.h: what intake.c and intake_claims.c share.
#ifndef INTAKE_INTERNAL_H
#define INTAKE_INTERNAL_H

#include "intake.h"
#include "job.h"

#include <sys/queue.h>

struct job_reader;

enum claim_result { CLAIM_WON, CLAIM_REPEATED, CLAIM_ENDED, CLAIM_RESULT_COUNT };

struct intake_batch {
    struct intake *owner;
    LIST_ENTRY(intake_batch) next;
    size_t count;
    bool is_urgent;
    int64_t epoch, number;
    bool answer_was_lost;     // an earlier run of the claim may have won more
    struct claim_batch *won;  // NULL before the first won job
    int64_t sent_us;
    struct job *jobs[CLAIM_BATCH_MAX];  // sorted by id, each id once
};

struct intake {
    struct intake_settings set;
    int64_t epoch;
    struct job_reader *reader;
    LIST_HEAD(, intake_batch) claims;  // in PostgreSQL's hands
    size_t claims_in_flight[2];        // of urgent jobs: [true]
    size_t claiming;
    int64_t last_number;  // of a claim batch
    struct metric *results[CLAIM_RESULT_COUNT];
    struct metric *claim_time, *claim_size;
    struct metric *accept_to_claim[LANE_COUNT];
};

// intake_claim sorts jobs, sets repetitions inside the batch aside, and claims the rest.
void intake_claim(struct intake *in, struct job **jobs, size_t count);

// intake_acknowledge: the job's record is done, and those that repeated it in the batch.
void intake_acknowledge(struct intake *in, struct job *job);

// intake_bury_job writes the record of a job that was parsed to sms.dead: same content,
// same origin.
void intake_bury_job(struct intake *in, struct job *job, const char *reason,
                     const char *detail);

#endif
