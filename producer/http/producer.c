#include "producer.h"

#include "access.h"
#include "http_server.h"
#include "idempotency.h"
#include "json.h"
#include "kafka_out.h"
#include "log.h"
#include "metric_words.h"
#include "metrics.h"
#include "patience.h"
#include "phone.h"
#include "rate_card.h"
#include "reactor.h"
#include "readiness.h"
#include "store_messages.h"
#include "waits.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    REFRESH_RATES_US = 60000000,
    REFRESH_SOON_US = 1000000,
    ACK_TIMEOUT_MS = 5000,       // after this a request gets 503 instead of 202
    DATABASE_WAIT_US = 5000000,  // likewise, when PostgreSQL does not answer
    LINGER_US = 500,
    SEND_BODY_MAX_BYTES = 16384,
    PATCH_BODY_MAX_BYTES = 1024,
    KEYS_WAIT_US = 2000000,  // after a stop, for PostgreSQL to write keys down
    REFUSALS_MAX = 40,
};

#define AT(field) offsetof(struct producer_settings, field)

static const struct setting producer_table[] = {
    KAFKA_SETTINGS(AT(kafka)),
    DB_SETTINGS(AT(db)),
    KEYS_SETTINGS(AT(keys)),
    SERVICE_SETTINGS("producer", AT(service), "9100"),
    { "producer.address", SETTING_TEXT, AT(address), "127.0.0.1", 1, 64, NULL,
      "address of the API" },
    { "producer.port", SETTING_PORT, AT(port), "8000", 0, 65535, "PORT",
      "port of the API; 0 = any free one" },
    { "producer.connections", SETTING_COUNT, AT(connections_max), "10000", 1, 100000,
      NULL, "connections at a time" },
    HTTP_SETTINGS(AT(limits)),
    { "producer.queue", SETTING_COUNT, AT(queue_max), "100000", 1, 10000000, NULL,
      "jobs that wait for Kafka's acknowledgement at most; beyond it the API says 503" },
    { "producer.waits", SETTING_COUNT, AT(waits_max), "1000", 0, 100000, NULL,
      "requests that wait for Twilio's SID at most (Prefer: wait); others do not wait" },
    { "producer.default_region", SETTING_TEXT | SETTING_LIVE, AT(default_region), "US", 2,
      2, NULL, "ISO 3166 country of numbers without a country code" },
    { "producer.rate_limit", SETTING_COUNT | SETTING_LIVE, AT(rate_limit), "60", 0,
      1000000, "RATE_LIMIT_PER_MINUTE",
      "requests per minute of a token that has no rate of its own; 0 = no limit" },
    { "producer.otp_useful", SETTING_US | SETTING_LIVE, AT(useful_us[CLASS_OTP]), "10m",
      10000000, 518400000000, NULL, "how long a message of class otp is worth sending" },
    { "producer.emergency_useful", SETTING_US | SETTING_LIVE,
      AT(useful_us[CLASS_EMERGENCY]), "1h", 10000000, 518400000000, NULL,
      "how long a message of class emergency is worth sending" },
    { "producer.transactional_useful", SETTING_US | SETTING_LIVE,
      AT(useful_us[CLASS_TRANSACTIONAL]), "24h", 10000000, 518400000000, NULL,
      "how long a message of class transactional is worth sending" },
    { "producer.marketing_useful", SETTING_US | SETTING_LIVE,
      AT(useful_us[CLASS_MARKETING]), "24h", 10000000, 518400000000, NULL,
      "how long a message of class marketing is worth sending" },
    { 0 },
};

static enum outcome check_settings(const void *arg, struct err *err)
{
    const struct producer_settings *set = arg;

    return phone_region_is_known(set->default_region)
               ? OUTCOME_OK
               : err_set(
                     err, OUTCOME_REJECT,
                     "producer.default_region \"%s\" is no country: write two capital "
                     "letters, for example US",
                     set->default_region);
}

static const struct settings_place places[] = {
    { &account_settings_part, AT(account) }, { &kafka_settings_part, AT(kafka) },
    { &db_settings_part, AT(db) },           { &keys_settings_part, AT(keys) },
    { &service_settings_part, AT(service) }, { 0 },
};

const struct settings_source producer_settings_source = {
    .program = "smsq-producer",
    .what = "Takes SMS over HTTP, publishes them as jobs, says what became of them.",
    .tables =
        (const struct setting *const[]){ account_settings_table, producer_table, NULL },
    .size = sizeof(struct producer_settings),
    .parts = places,
    .check = check_settings,
};

void producer_unavailable(struct http_request *req, const char *code, const char *detail)
{
    static const struct http_header headers[] = { { "Retry-After", "2" },
                                                  { NULL, NULL } };

    http_problem(req,
                 &(struct http_problem){
                     .status = 503, .code = code, .detail = detail, .headers = headers });
}

static void on_healthz(void *arg, struct http_request *req)
{
    const struct producer *p = arg;
    service_healthz(p->service, req);
}

static void on_readyz(void *arg, struct http_request *req)
{
    const struct producer *p = arg;
    service_readyz(p->service, req);
}

static const struct http_route routes[] = {
    { "POST", "/sms/send", send_api_post, SEND_BODY_MAX_BYTES, "application/json" },
    { "GET", "/sms/status/*", status_api_get, 0, NULL },
    { "DELETE", "/sms/*", change_api_delete, 0, NULL },
    { "PATCH", "/sms/*", change_api_patch, PATCH_BODY_MAX_BYTES, "application/json" },
    { "GET", "/healthz", on_healthz, 0, NULL },
    { "GET", "/readyz", on_readyz, 0, NULL },
    { 0 },
};

static void read_rates(void *arg);

static void on_rates(void *arg, const struct db_answer *answer)
{
    struct producer *p = arg;
    struct rate_card *card = NULL;
    struct err err = { 0 };

    if (answer->rc)
        err_set(&err, OUTCOME_RETRY, "%s", answer->reason);
    if (answer->rc || store_rate_card_read(&card, answer->rows, &err)) {
        log_line(LOG_LEVEL_ERROR, "rate_card_refused", LOG_T("reason", err.text));
    } else {
        rate_card_free(p->rates);
        p->rates = card;
    }
    bool usable = p->rates && rate_card_count(p->rates) > 0;
    reactor_timer_set(p->refresh_rates, usable ? REFRESH_RATES_US : REFRESH_SOON_US);
}

static void read_rates(void *arg)
{
    struct producer *p = arg;
    store_rate_card(p->db, on_rates, p);
}

static void on_stop(void *arg)
{
    struct producer *p = arg;

    p->stopped_us = clock_boot_us();
    http_server_stop_listening(p->server);
    waits_stop(p->waits);
    reactor_timer_stop(p->refresh_rates);
}

// What is not written down about keys only costs a repeat some seconds and a record.
static bool is_awaiting_keys(const struct producer *p)
{
    return !idempotency_is_idle(p->idempotency) && db_is_up(p->db) &&
           clock_boot_us() - p->stopped_us < KEYS_WAIT_US;
}

static bool is_drained(void *arg)
{
    const struct producer *p = arg;
    return http_server_in_hand(p->server) == 0 && kafka_out_in_flight(p->out) == 0 &&
           !is_awaiting_keys(p);
}

static void say_ready(void *arg, struct readiness *parts)
{
    const struct producer *p = arg;
    bool empty = !p->rates || rate_card_count(p->rates) == 0;

    readiness_part(parts, "twilio_account", p->accounts.missing.text);
    readiness_kafka_out(parts, "kafka", p->out);
    readiness_db(parts, "postgresql", p->db);
    readiness_part(parts, "rate_card",
                   empty ? "the table rate_card is empty: run smsq rates load "
                           "deploy/rate_card.csv"
                         : NULL);
}

static enum outcome resolve(struct producer *p, const struct producer_settings *set,
                            struct err *err)
{
    enum outcome rc = keys_open(&p->keys, &set->keys, err);
    return rc ? rc : accounts_open(&p->accounts, &set->account, err);
}

static void declare_metrics(struct producer *p)
{
    struct metrics *m = service_metrics(p->service);
    static const char help[] = "Requests to send, by what they got.";
    static const char *const reasons[] = { "invalid_number", NULL };
    static const char *const classes[CLASS_COUNT] = {
        [CLASS_OTP] = "class=\"otp\"",
        [CLASS_EMERGENCY] = "class=\"emergency\"",
        [CLASS_TRANSACTIONAL] = "class=\"transactional\"",
        [CLASS_MARKETING] = "class=\"marketing\"",
    };

    p->accepted = metrics_counter(m, "smsq_sends_total", "result=\"accepted\"", help);
    p->refused = metrics_counter(m, "smsq_sends_total", "result=\"refused\"", help);
    p->unavailable =
        metrics_counter(m, "smsq_sends_total", "result=\"unavailable\"", help);
    for (size_t i = 0; i < CLASS_COUNT; i++)
        p->segments[i] = metrics_counter(m, "smsq_segments_total", classes[i],
                                         "Segments of accepted messages, by class.");
    const struct metric_words_settings refusals = {
        .name = "smsq_sends_refused_total",
        .label = "reason",
        .help = "Requests to send that were refused, by the code of their answer.",
        .max = REFUSALS_MAX,
        .first = reasons,
        .declare = metrics_counter,
    };
    p->refusals = metric_words_new(m, &refusals);
    p->accept_to_ack = metrics_latencies(m, "smsq_accept_to_ack_seconds", NULL,
                                         "From the request to Kafka's acknowledgement.");
}

static enum outcome open_connections(struct producer *p,
                                     const struct producer_settings *set, struct err *err)
{
    struct reactor *loop = service_reactor(p->service);
    struct metrics *metrics = service_metrics(p->service);
    static const char *const topics[] = { TOPIC_JOBS_URGENT, TOPIC_JOBS_NORMAL,
                                          TOPIC_JOBS_BULK, NULL };
    const struct kafka_out_settings out = {
        .kafka = &set->kafka,
        .topics = topics,
        .linger_us = LINGER_US,
        .timeout_ms = ACK_TIMEOUT_MS,
        .queue_max = set->queue_max,
    };
    const struct http_server_settings http = {
        .address = set->address,
        .port = set->port,
        .connections_max = set->connections_max,
        .limits = &set->limits,
        .header_max_bytes = HTTP_HEADER_MAX_BYTES,
        .name = "api",
    };

    enum outcome rc = db_open(&p->db, loop, &set->db, "smsq-producer", metrics, err);
    if (!rc)
        rc = kafka_out_open(&p->out, loop, &out, metrics, err);
    if (rc)
        return rc;
    p->patience = patience_new(loop, DATABASE_WAIT_US);
    const struct access_settings access = { p->db, &p->keys, p->patience,
                                            &set->rate_limit };
    p->access = access_new(loop, &access, metrics);
    p->idempotency = idempotency_new(loop, p->db, metrics);
    p->waits = waits_new(loop, p->db, (size_t)set->waits_max, metrics);
    p->json = json_reader_new();
    p->refresh_rates = reactor_timer_new(loop, read_rates, p);
    return http_server_open(&p->server, loop, &http, routes, p, metrics, err);
}

enum outcome producer_open(struct producer **out, const struct producer_settings *set,
                           struct err *err)
{
    struct producer *p = xcalloc(1, sizeof(*p));
    const struct service_hooks hooks = { "smsq-producer", on_stop, is_drained, say_ready,
                                         p };

    p->set = set;
    enum outcome rc = resolve(p, set, err);
    if (!rc)
        rc = service_open(&p->service, &set->service, &hooks, err);
    if (!rc) {
        declare_metrics(p);
        rc = open_connections(p, set, err);
    }
    if (rc) {
        producer_close(p);
        return rc;
    }
    read_rates(p);
    *out = p;
    return OUTCOME_OK;
}

enum outcome producer_run(struct producer *p, struct err *err)
{
    log_line(LOG_LEVEL_INFO, "producer_started",
             LOG_I("port", http_server_port(p->server)),
             LOG_T("mode", account_mode_name(p->accounts.mode)),
             LOG_T("default_region", p->set->default_region));
    return service_run(p->service, err);
}

void producer_close(struct producer *p)
{
    if (!p)
        return;
    kafka_out_close(p->out);  // its last reports still answer requests
    waits_free(p->waits);
    http_server_close(p->server);
    idempotency_free(p->idempotency);
    db_close(p->db);
    access_free(p->access);
    patience_free(p->patience);
    json_reader_free(p->json);
    rate_card_free(p->rates);
    reactor_timer_free(p->refresh_rates);
    metric_words_free(p->refusals);
    service_close(p->service);
    accounts_close(&p->accounts);
    keys_close(&p->keys);
    free(p);
}
