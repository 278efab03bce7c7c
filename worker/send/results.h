// results.h: step 5 of the send protocol: what the POSTs came to, written in batches.
#ifndef RESULTS_H
#define RESULTS_H

#include "account.h"
#include "base.h"

struct db;
struct job;
struct job_set;
struct journal;
struct metrics;
struct reactor;
struct results;
struct retry_settings;
struct twilio_answer;

enum { RESULTS_BATCH_MAX = 500 };

struct results_settings {
    enum account_mode mode;              // of the installation
    struct db *db;                       // borrowed
    const struct retry_settings *retry;  // borrowed
    struct journal *journal;     // whose slots become free then; NULL only in tests
    struct job_set *held;        // jobs leave it when their result stands in PostgreSQL
    void (*on_room)(void *arg);  // runs after a batch was written
    // A result was refused for what is not its fault: this worker cannot go on.
    void (*fail)(void *arg, const char *reason);
    void *arg;
};

struct results *results_new(struct reactor *r, const struct results_settings *set,
                            struct metrics *metrics);
void results_free(struct results *s);

// results_add takes the job; it is freed once its result is committed. answer is copied.
void results_add(struct results *s, struct job *job, const struct twilio_answer *answer);

// results_count counts what is not committed yet.
size_t results_count(const struct results *s);

#endif
