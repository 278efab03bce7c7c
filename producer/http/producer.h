// producer.h: smsq-producer: takes SMS over HTTP, publishes them as jobs, says what
// became of them. A 202 is sent only after Kafka has confirmed the job.
#ifndef PRODUCER_H
#define PRODUCER_H

#include "account.h"
#include "base.h"
#include "db.h"
#include "http_limits.h"
#include "kafka.h"
#include "keys.h"
#include "service.h"
#include "settings.h"

struct access;
struct http_request;
struct idempotency;
struct json_reader;
struct kafka_out;
struct patience;
struct rate_card;
struct waits;

enum message_class {
    CLASS_OTP,
    CLASS_EMERGENCY,
    CLASS_TRANSACTIONAL,
    CLASS_MARKETING,
    CLASS_COUNT
};

struct producer_settings {
    struct account_settings account;
    struct kafka_settings kafka;
    struct db_settings db;
    struct keys_settings keys;
    struct service_settings service;
    char *address;              // producer.address
    int64_t port;               // producer.port
    int64_t connections_max;    // producer.connections
    struct http_limits limits;  // http.*
    int64_t queue_max;          // producer.queue
    int64_t waits_max;          // producer.waits
    char *default_region;       // producer.default_region
    int64_t rate_limit;         // producer.rate_limit: per token and minute; 0 = none
    int64_t useful_us[CLASS_COUNT];
};

extern const struct settings_source producer_settings_source;

// What the handlers share; belongs to the reactor's thread.
struct producer {
    const struct producer_settings *set;
    struct service *service;
    struct http_server *server;
    struct keys keys;
    struct accounts accounts;
    struct db *db;
    struct kafka_out *out;
    struct patience *patience;
    struct access *access;
    struct idempotency *idempotency;
    struct waits *waits;
    struct json_reader *json;
    struct rate_card *rates;  // NULL until it was read
    struct reactor_timer *refresh_rates;
    int64_t stopped_us;  // clock_boot_us of the stop
    struct metric *accepted, *refused, *unavailable;
    struct metric *segments[CLASS_COUNT];
    struct metric_words *refusals;
    struct metric *accept_to_ack;
};

MUST_CHECK enum outcome producer_open(struct producer **out,
                                      const struct producer_settings *set,
                                      struct err *err);

// producer_run returns when it was stopped and drained.
//   OUTCOME_FATAL  the stop took too long.
MUST_CHECK enum outcome producer_run(struct producer *p, struct err *err);
void producer_close(struct producer *p);

// The handlers: send_api.c, status_api.c and change_api.c.
void send_api_post(void *arg, struct http_request *req);
void status_api_get(void *arg, struct http_request *req);
void change_api_delete(void *arg, struct http_request *req);
void change_api_patch(void *arg, struct http_request *req);

// producer_unavailable answers 503 with Retry-After.
void producer_unavailable(struct http_request *req, const char *code, const char *detail);

#endif
