// worker.h: smsq-worker: claims jobs, posts them to Twilio, records what came of it.
// docs/design.md, "The send protocol", names the steps.
#ifndef WORKER_H
#define WORKER_H

#include "account.h"
#include "base.h"
#include "db.h"
#include "kafka.h"
#include "keys.h"
#include "retry_policy.h"
#include "service.h"
#include "settings.h"

struct worker_settings {
    struct account_settings account;
    struct kafka_settings kafka;
    struct db_settings db;
    struct keys_settings keys;
    struct service_settings service;
    struct retry_settings retry;
    int64_t in_flight;   // worker.in_flight
    int64_t connect_us;  // worker.connect_timeout
    int64_t total_us;    // worker.total_timeout
    int64_t session_us;  // worker.session_timeout
    int64_t beat_us;     // worker.heartbeat_interval
    char *state_dir;     // worker.state_dir
};

extern const struct settings_source worker_settings_source;

struct worker;

MUST_CHECK enum outcome worker_open(struct worker **out,
                                    const struct worker_settings *set, struct err *err);

// worker_run returns when the worker was stopped and drained.
//   OUTCOME_FATAL  the stop took too long, or the worker cannot go on.
MUST_CHECK enum outcome worker_run(struct worker *w, struct err *err);
void worker_close(struct worker *w);

#endif
