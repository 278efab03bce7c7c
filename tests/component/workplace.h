// workplace.h: a whole worker in a thread, with all that it needs: PostgreSQL, Kafka's
// mock brokers, a Twilio of ours. The test puts records in and looks at the tables.
#ifndef WORKPLACE_H
#define WORKPLACE_H

#include "buf.h"
#include "kafka_mock.h"
#include "keys.h"
#include "peer.h"
#include "pg.h"
#include "wire.h"
#include "worker.h"

#include <pthread.h>

enum { WORKPLACE_JOBS_MAX = 64 };

struct workplace {
    struct pg *pg;
    struct kafka_mock mock;
    struct peer *peer;
    struct keys keys;
    struct worker_settings set;  // to be changed before workplace_start
    char state_dir[64];          // of the worker: empty at first
    struct worker *worker;
    pthread_t thread;
    bool runs;
    enum outcome rc;  // what worker_run returned
    struct err err;
    struct buf sealed[WORKPLACE_JOBS_MAX];
};

// For cmocka: one server for the group, empty tables for each test. pg_url in set is the
// server's, in_flight 16.
int workplace_group_start(void **state);
int workplace_group_stop(void **state);
int workplace_setup(void **state);
int workplace_teardown(void **state);

// workplace_job makes the job of that number (from 0, the larger the later its id), and
// workplace_put publishes it; texts of job are borrowed for the call.
void workplace_job(struct workplace *w, struct sms_job *job, uint32_t number);
void workplace_put(struct workplace *w, const char *topic, const struct sms_job *job);

// workplace_start runs the worker; workplace_stop sends SIGTERM; workplace_join waits
// until worker_run returned, whyever, and closes the worker.
void workplace_start(struct workplace *w);
void workplace_stop(struct workplace *w);
void workplace_join(struct workplace *w);

// workplace_ends stops the worker and wants it to have drained.
void workplace_ends(struct workplace *w);

// Each waits until the query, or the count, gives that number.
void workplace_wait_sql(struct workplace *w, const char *sql, int64_t wanted);
void workplace_wait_posts(struct workplace *w, size_t wanted);
void workplace_wait_dead(struct workplace *w, int64_t wanted);

// workplace_committed is the committed offset of the normal lane, once the worker closed.
int64_t workplace_committed(struct workplace *w);

#endif
