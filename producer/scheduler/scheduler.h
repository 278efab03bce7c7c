// scheduler.h: smsq-scheduler: moves what falls due from the table delayed to its lane.
// A repeat after a crash is harmless: the claim of a turn is won once.
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include "base.h"
#include "db.h"
#include "kafka.h"
#include "service.h"
#include "settings.h"

struct scheduler_settings {
    struct kafka_settings kafka;
    struct db_settings db;
    struct service_settings service;
    int64_t poll_us;       // scheduler.poll_interval
    int64_t keep_keys_us;  // scheduler.idempotency_keep
    int64_t survey_us;     // scheduler.survey_interval
    int64_t lease_us;      // scheduler.lease
};

extern const struct settings_source scheduler_settings_source;

struct scheduler;

MUST_CHECK enum outcome scheduler_open(struct scheduler **out,
                                       const struct scheduler_settings *set,
                                       struct err *err);

// scheduler_run returns when it was stopped and drained.
//   OUTCOME_FATAL  the stop took too long.
MUST_CHECK enum outcome scheduler_run(struct scheduler *s, struct err *err);
void scheduler_close(struct scheduler *s);

#endif
