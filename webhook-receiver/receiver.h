// receiver.h: smsq-webhook-receiver: takes Twilio's callbacks and inbound messages,
// checks their signature, publishes them. The 204 or 200 is sent only after Kafka has
// confirmed the record.
#ifndef RECEIVER_H
#define RECEIVER_H

#include "account.h"
#include "base.h"
#include "http_limits.h"
#include "kafka.h"
#include "keys.h"
#include "service.h"
#include "settings.h"

struct receiver_settings {
    struct account_settings account;
    struct kafka_settings kafka;
    struct keys_settings keys;
    struct service_settings service;
    char *address;              // receiver.address
    int64_t port;               // receiver.port
    int64_t connections_max;    // receiver.connections
    struct http_limits limits;  // http.*
};

extern const struct settings_source receiver_settings_source;

struct receiver;

MUST_CHECK enum outcome receiver_open(struct receiver **out,
                                      const struct receiver_settings *set,
                                      struct err *err);

// receiver_run returns when it was stopped and drained.
//   OUTCOME_FATAL  the stop took too long.
MUST_CHECK enum outcome receiver_run(struct receiver *r, struct err *err);
void receiver_close(struct receiver *r);

#endif
