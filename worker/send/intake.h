// intake.h: steps 1 to 3 of the send protocol: read records while there is room, strictly
// urgent, normal, bulk; claim them in batches; acknowledge what PostgreSQL owns. Records
// that cannot be parsed go to sms.dead.
#ifndef INTAKE_H
#define INTAKE_H

#include "base.h"

struct breakers;
struct crash_notes;
struct db;
struct dead_letters;
struct intake;
struct job;
struct job_set;
struct journal;
struct kafka_in;
struct keys;
struct metrics;

enum { CLAIM_BATCH_MAX = 500 };

struct intake_settings {
    struct kafka_in *const *lanes;  // LANE_COUNT; borrowed, as all here
    struct db *db;
    struct db *urgent_db;  // urgent jobs are not claimed behind a full batch of others
    struct dead_letters *dead;
    const struct keys *keys;
    struct journal *journal;  // notes which record is parsed
    struct crash_notes *crashes;
    struct job_set *held;
    size_t (*room)(void *arg);                // how many more jobs may be claimed now
    bool (*is_idle)(void *arg);               // no job is claimed and not posted yet
    const struct breakers *breakers;          // say which lanes may be read
    void (*won)(void *arg, struct job *job);  // takes the job: POST it
    // The answer to a claim of this epoch may have been lost: it is over, if it is not
    // yet. Then its release is due: what the table holds for it and memory does not.
    void (*lost)(void *arg, int64_t epoch);
    void (*release)(void *arg, int64_t epoch);
    // A claim was refused for what is no record's fault: this worker cannot go on.
    void (*fail)(void *arg, const char *reason);
    void *arg;
};

struct intake *intake_new(const struct intake_settings *set, struct metrics *metrics);
void intake_free(struct intake *in);

// intake_fill reads and claims as long as there are records and room.
void intake_fill(struct intake *in);

// intake_set_epoch makes all further claims under this epoch; call it before the first.
// 0 = there are no further claims; records are left to be delivered again.
// What is released of the old one, however late and however often, meets no claim made
// later.
void intake_set_epoch(struct intake *in, int64_t epoch);

// intake_claiming counts jobs whose claim is not answered yet.
size_t intake_claiming(const struct intake *in);

#endif
