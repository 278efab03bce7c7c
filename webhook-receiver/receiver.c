#include "receiver.h"

#include "buf.h"
#include "http_server.h"
#include "inbound_webhook.h"
#include "kafka_out.h"
#include "log.h"
#include "metrics.h"
#include "readiness.h"
#include "signature.h"
#include "status_webhook.h"
#include "webhook.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum {
    QUEUE_MAX = 100000,
    ACK_TIMEOUT_MS = 3000,  // librdkafka looks once a second; webhook.c answers at 4 s
    LINGER_US = 2000,       // a fuller batch costs Kafka less a callback
};

#define AT(field) offsetof(struct receiver_settings, field)

static const struct setting receiver_table[] = {
    KAFKA_SETTINGS(AT(kafka)),
    KEYS_SETTINGS(AT(keys)),
    SERVICE_SETTINGS("receiver", AT(service), "9101"),
    { "receiver.address", SETTING_TEXT, AT(address), "127.0.0.1", 1, 64, NULL,
      "address for Twilio's callbacks" },
    { "receiver.port", SETTING_PORT, AT(port), "8001", 0, 65535, NULL,
      "port for Twilio's callbacks; 0 = any free one" },
    { "receiver.connections", SETTING_COUNT, AT(connections_max), "10000", 1, 100000,
      NULL, "connections at a time" },
    HTTP_SETTINGS(AT(limits)),
    { 0 },
};

// Twilio's token in use first, then those of a rotation, each if there is one; without
// any there is nothing to open.
static enum outcome open_tokens(struct signature_keys **out,
                                const struct receiver_settings *set, struct err *err)
{
    const char *now = set->account.auth_token, *old = set->account.auth_tokens_old;
    struct buf tokens = BUF_INIT(2048);

    *out = NULL;
    if (now && now[0])
        buf_add_text(&tokens, now);
    if (old && old[0])
        buf_addf(&tokens, "%s%s", tokens.len ? "," : "", old);
    if (tokens.len == 0)
        return OUTCOME_OK;
    enum outcome rc = signature_keys_open(out, buf_text(&tokens), err);
    if (rc)
        err_context(err, "twilio.auth_token or twilio.auth_tokens_old");
    OPENSSL_cleanse(tokens.bytes, tokens.len);
    buf_free(&tokens);
    return rc;
}

// An API key can send, but never signs.
static enum outcome check_account(const struct receiver_settings *set, struct err *err)
{
    struct accounts accounts;
    enum outcome rc = accounts_open(&accounts, &set->account, err);

    if (rc)
        return rc;
    if (accounts.twilio.base_url && !accounts.twilio.auth_token)
        rc = err_set(err, OUTCOME_REJECT,
                     "twilio.auth_token is missing: Twilio signs callbacks with it, also "
                     "when an API key sends");
    accounts_close(&accounts);
    return rc;
}

static enum outcome check_settings(const void *arg, struct err *err)
{
    const struct receiver_settings *set = arg;
    struct signature_keys *tokens;

    enum outcome rc = open_tokens(&tokens, set, err);
    if (!rc)
        signature_keys_close(tokens);
    return rc ? rc : check_account(set, err);
}

static const struct settings_place places[] = {
    { &kafka_settings_part, AT(kafka) },
    { &keys_settings_part, AT(keys) },
    { &service_settings_part, AT(service) },
    { 0 },
};

const struct settings_source receiver_settings_source = {
    .program = "smsq-webhook-receiver",
    .what = "Takes Twilio's callbacks and inbound messages, checks their signature, "
            "publishes them.",
    .tables =
        (const struct setting *const[]){ account_settings_table, receiver_table, NULL },
    .size = sizeof(struct receiver_settings),
    .parts = places,
    .check = check_settings,
};

struct receiver {
    const struct receiver_settings *set;
    struct service *service;
    struct http_server *server;
    struct keys keys;
    struct accounts accounts;
    struct kafka_out *out;
    struct webhook_parts parts;
    struct webhook *status, *inbound;
};

static void on_status(void *arg, struct http_request *req)
{
    const struct receiver *r = arg;
    webhook_take(r->status, req);
}

static void on_inbound(void *arg, struct http_request *req)
{
    const struct receiver *r = arg;
    webhook_take(r->inbound, req);
}

static void on_healthz(void *arg, struct http_request *req)
{
    const struct receiver *r = arg;
    service_healthz(r->service, req);
}

static void on_readyz(void *arg, struct http_request *req)
{
    const struct receiver *r = arg;
    service_readyz(r->service, req);
}

#define FORM "application/x-www-form-urlencoded"

// GET, which Twilio can be set to, is refused: it would put numbers and texts into the
// address, and so into the logs of every proxy on the way.
static const struct http_route routes[] = {
    { "POST", "/sms/webhook/status", on_status, STATUS_FORM_MAX_BYTES, FORM },
    { "POST", "/api/twilio/sms/status", on_status, STATUS_FORM_MAX_BYTES, FORM },
    { "POST", "/webhooks/twilio/status/", on_status, STATUS_FORM_MAX_BYTES, FORM },
    { "POST", "/sms/webhook/incoming", on_inbound, INBOUND_FORM_MAX_BYTES, FORM },
    { "POST", "/api/twilio/sms/inbound", on_inbound, INBOUND_FORM_MAX_BYTES, FORM },
    { "GET", "/healthz", on_healthz, 0, NULL },
    { "GET", "/readyz", on_readyz, 0, NULL },
    { 0 },
};

static void on_stop(void *arg)
{
    struct receiver *r = arg;
    http_server_stop_listening(r->server);
}

static bool is_drained(void *arg)
{
    const struct receiver *r = arg;
    return http_server_in_hand(r->server) == 0 && kafka_out_in_flight(r->out) == 0;
}

static void say_ready(void *arg, struct readiness *parts)
{
    const struct receiver *r = arg;

    readiness_part(parts, "twilio_account", r->accounts.missing.text);
    readiness_kafka_out(parts, "kafka", r->out);
}

static void take_tokens(void *arg)
{
    struct receiver *r = arg;
    struct signature_keys *fresh;

    if (open_tokens(&fresh, r->set, NULL))
        return;  // not reached: the settings were checked
    signature_keys_close(r->parts.tokens);
    r->parts.tokens = fresh;
}

static struct webhook *make_webhook(struct receiver *r, const struct webhook_kind *kind,
                                    const char *series, const char *help)
{
    struct metrics *m = service_metrics(r->service);
    const struct webhook_metrics metrics = {
        .verified = metrics_counter(m, series, "result=\"verified\"", help),
        .forged = metrics_counter(m, series, "result=\"forged\"", help),
        .malformed = metrics_counter(m, series, "result=\"malformed\"", help),
        .unavailable = metrics_counter(m, series, "result=\"unavailable\"", help),
    };
    return webhook_new(kind, &r->parts, &metrics);
}

static void make_webhooks(struct receiver *r, const char *public_url)
{
    r->parts.public_url = public_url;
    r->parts.keys = &r->keys;
    r->parts.out = r->out;
    r->parts.reactor = service_reactor(r->service);
    r->status = make_webhook(r, &status_webhook, "smsq_callbacks_total",
                             "Callbacks by what they got.");
    r->inbound = make_webhook(r, &inbound_webhook, "smsq_inbound_total",
                              "Inbound messages by what they got.");
}

static enum outcome open_connections(struct receiver *r,
                                     const struct receiver_settings *set, struct err *err)
{
    struct reactor *loop = service_reactor(r->service);
    struct metrics *metrics = service_metrics(r->service);
    static const char *const topics[] = { TOPIC_STATUS, TOPIC_INBOUND, NULL };
    const struct kafka_out_settings out = {
        .kafka = &set->kafka,
        .topics = topics,
        .linger_us = LINGER_US,
        .timeout_ms = ACK_TIMEOUT_MS,
        .queue_max = QUEUE_MAX,
    };
    const struct http_server_settings http = {
        .address = set->address,
        .port = set->port,
        .connections_max = set->connections_max,
        .limits = &set->limits,
        .header_max_bytes = HTTP_HEADER_MAX_BYTES,
        .name = "webhook",
    };

    enum outcome rc = kafka_out_open(&r->out, loop, &out, metrics, err);
    if (rc)
        return rc;
    make_webhooks(r, set->account.public_url);
    return http_server_open(&r->server, loop, &http, routes, r, metrics, err);
}

enum outcome receiver_open(struct receiver **out, const struct receiver_settings *set,
                           struct err *err)
{
    struct receiver *r = xcalloc(1, sizeof(*r));
    const struct service_hooks hooks = { "smsq-webhook-receiver", on_stop, is_drained,
                                         say_ready, r };

    r->set = set;
    enum outcome rc = keys_open(&r->keys, &set->keys, err);
    if (!rc)
        rc = accounts_open(&r->accounts, &set->account, err);
    if (!rc)
        rc = open_tokens(&r->parts.tokens, set, err);
    if (!rc && r->accounts.simulator.auth_token)
        rc = signature_keys_open(&r->parts.simulator_tokens,
                                 r->accounts.simulator.auth_token, err);
    if (!rc)
        rc = service_open(&r->service, &set->service, &hooks, err);
    if (!rc) {
        service_on_change(r->service, "twilio.auth_tokens_old", take_tokens, r);
        rc = open_connections(r, set, err);
    }
    if (rc) {
        receiver_close(r);
        return rc;
    }
    *out = r;
    return OUTCOME_OK;
}

enum outcome receiver_run(struct receiver *r, struct err *err)
{
    log_line(LOG_LEVEL_INFO, "receiver_started",
             LOG_I("port", http_server_port(r->server)),
             LOG_T("public_url", r->parts.public_url),
             LOG_T("mode", account_mode_name(r->accounts.mode)));
    return service_run(r->service, err);
}

void receiver_close(struct receiver *r)
{
    if (!r)
        return;
    kafka_out_close(r->out);  // its last reports still answer requests
    http_server_close(r->server);
    webhook_free(r->status);
    webhook_free(r->inbound);
    signature_keys_close(r->parts.tokens);
    signature_keys_close(r->parts.simulator_tokens);
    accounts_close(&r->accounts);
    service_close(r->service);
    keys_close(&r->keys);
    free(r);
}
