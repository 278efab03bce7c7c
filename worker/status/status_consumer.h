// status_consumer.h: smsq-status-consumer: keeps every callback as it came and raises
// attempts and messages by rank, in batches. Keeps dead letters too. Any order, any
// repetition: the same rows.
#ifndef STATUS_CONSUMER_H
#define STATUS_CONSUMER_H

#include "account.h"
#include "base.h"
#include "db.h"
#include "kafka.h"
#include "keys.h"
#include "reconciler.h"
#include "retry_policy.h"
#include "service.h"
#include "settings.h"

struct status_consumer_settings {
    struct account_settings account;  // first: account_settings_table
    struct kafka_settings kafka;
    struct db_settings db;
    struct keys_settings keys;
    struct service_settings service;
    struct reconcile_settings reconcile;
    struct retry_settings retry;
    int64_t join_us;   // status.join_interval
    int64_t lease_us;  // status.lease
};

extern const struct settings_source status_consumer_settings_source;

struct status_consumer;

MUST_CHECK enum outcome status_consumer_open(struct status_consumer **out,
                                             const struct status_consumer_settings *set,
                                             struct err *err);

// status_consumer_run returns when it was stopped and drained.
//   OUTCOME_FATAL  the stop took too long.
MUST_CHECK enum outcome status_consumer_run(struct status_consumer *c, struct err *err);
void status_consumer_close(struct status_consumer *c);

#endif
