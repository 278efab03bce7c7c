#include "receiver.h"

#include "buf.h"
#include "callback.h"
#include "form.h"
#include "http_server.h"
#include "kafka_out.h"
#include "log.h"
#include "message_id.h"
#include "metrics.h"
#include "seal.h"
#include "signature.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_MAX_BYTES = WIRE_SEALED_MAX_BYTES - SEAL_OVERHEAD_BYTES,
    QUEUE_MAX = 100000,
    ACK_TIMEOUT_MS = 5000,  // Twilio gives 15 s, our fragment asks for repeats
    LINGER_US = 500,
    IDLE_US = 15000000,
};

#define SIGNATURE_HEADER "X-Twilio-Signature"

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
    { 0 },
};

// The token in use first, then those of a rotation.
static enum outcome open_tokens(struct signature_keys **out,
                                const struct receiver_settings *set, struct err *err)
{
    struct buf tokens = BUF_INIT(2048);
    struct account account;

    if (account_resolve(&account, &set->account, err))
        return OUTCOME_REJECT;
    if (!account.auth_token || !account.auth_token[0])
        return err_set(
            err, OUTCOME_REJECT,
            "twilio.auth_token is missing: Twilio signs callbacks with it, also "
            "when an API key sends");
    buf_add_text(&tokens, account.auth_token);
    if (set->account.auth_tokens_old && set->account.auth_tokens_old[0])
        buf_addf(&tokens, ",%s", set->account.auth_tokens_old);
    enum outcome rc = signature_keys_open(out, buf_text(&tokens), err);
    if (rc)
        err_context(err, "twilio.auth_token or twilio.auth_tokens_old");
    OPENSSL_cleanse(tokens.bytes, tokens.len);
    buf_free(&tokens);
    return rc;
}

static enum outcome check_tokens(const struct receiver_settings *set, struct err *err)
{
    struct signature_keys *tokens;

    enum outcome rc = open_tokens(&tokens, set, err);
    if (!rc)
        signature_keys_close(tokens);
    return rc;
}

static enum outcome check_settings(const void *arg, struct err *err)
{
    const struct receiver_settings *set = arg;

    enum outcome rc = check_tokens(set, err);
    if (!rc)
        rc = kafka_settings_check(&set->kafka, err);
    if (!rc)
        rc = keys_settings_check(&set->keys, err);
    if (!rc)
        rc = service_settings_check(&set->service, err);
    return rc;
}

const struct settings_source receiver_settings_source = {
    .program = "smsq-webhook-receiver",
    .what = "Takes Twilio's callbacks, checks their signature, publishes them.",
    .tables =
        (const struct setting *const[]){ account_settings_table, receiver_table, NULL },
    .size = sizeof(struct receiver_settings),
    .check = check_settings,
};

struct receiver {
    const struct receiver_settings *set;
    struct service *service;
    struct http_server *server;
    struct keys keys;
    struct account account;
    const char *public_url;
    struct signature_keys *tokens;
    struct kafka_out *out;
    struct metric *verified, *forged, *malformed, *unavailable;
};

// A callback that waits for Kafka.
struct pending {
    struct receiver *receiver;
    struct http_request *req;
    struct callback callback;
};

static void unavailable(struct receiver *r, struct http_request *req, const char *detail)
{
    static const struct http_header headers[] = { { "Retry-After", "1" },
                                                  { NULL, NULL } };

    metric_add(r->unavailable, 1);
    http_problem(req, &(struct http_problem){ .status = 503,
                                              .code = "queue_unavailable",
                                              .detail = detail,
                                              .headers = headers });
}

static void report(const struct callback *c)
{
    static const unsigned char unknown[16];
    bool has_id = memcmp(c->record.message_id, unknown, sizeof(unknown)) != 0;

    if (has_id)
        log_line(LOG_LEVEL_INFO, "callback_verified",
                 LOG_U("message_id", c->record.message_id), LOG_I("turn", c->record.turn),
                 LOG_T("twilio_sid", c->sid), LOG_T("status", c->status),
                 LOG_I("error_code", c->record.error_code));
    else
        log_line(LOG_LEVEL_INFO, "callback_verified", LOG_T("message_id", NULL),
                 LOG_T("twilio_sid", c->sid), LOG_T("status", c->status),
                 LOG_I("error_code", c->record.error_code));
}

static void on_published(void *arg, enum outcome rc, const char *reason)
{
    struct pending *p = arg;

    if (rc) {
        log_line(LOG_LEVEL_WARN, "callback_not_taken",
                 LOG_T("twilio_sid", p->callback.sid), LOG_T("reason", reason));
        unavailable(p->receiver, p->req, "Kafka did not confirm the callback in time");
    } else {
        report(&p->callback);
        metric_add(p->receiver->verified, 1);
        http_answer(p->req, 204, NULL, NULL, 0, NULL);
    }
    free(p);
}

// Neither Kafka nor PostgreSQL holds a number in clear: the form is sealed for its SID.
static void seal_form(struct receiver *r, struct pending *p, struct buf *sealed)
{
    struct sms_status *record = &p->callback.record;
    size_t len;
    const char *body = http_request_body(p->req, &len);

    seal_close(r->keys.seal, record->received_at, p->callback.sid,
               strlen(p->callback.sid), body, len, sealed);
    record->raw =
        (struct wire_bytes){ (const unsigned char *)sealed->bytes, sealed->len };
}

// The key keeps the callbacks of one message in one partition.
static enum outcome submit(struct receiver *r, struct pending *p, struct err *err)
{
    struct sms_status *record = &p->callback.record;
    struct buf sealed = BUF_INIT(WIRE_SEALED_MAX_BYTES);
    struct buf value = BUF_INIT(WIRE_RECORD_MAX_BYTES);
    char id[MESSAGE_ID_TEXT_BYTES];
    const char *key = p->callback.sid;

    if (record->turn > 0) {
        message_id_format(id, record->message_id);
        key = id;
    }
    seal_form(r, p, &sealed);
    wire_encode(record, sms_status_fields, &value);
    const struct kafka_out_record rec = {
        .topic = TOPIC_STATUS,
        .key = key,
        .key_len = strlen(key),
        .value = value.bytes,
        .value_len = value.len,
    };
    enum outcome rc = kafka_out_submit(r->out, &rec, on_published, p, err);
    record->raw = (struct wire_bytes){ NULL, 0 };  // sealed ends here
    buf_free(&value);
    buf_free(&sealed);
    return rc;
}

static void publish(struct receiver *r, struct http_request *req,
                    const struct callback *callback)
{
    struct pending *p = xcalloc(1, sizeof(*p));
    struct err err = { 0 };

    p->receiver = r;
    p->req = req;
    p->callback = *callback;
    p->callback.record.twilio_sid = p->callback.sid;
    p->callback.record.status = p->callback.status;
    if (submit(r, p, &err)) {
        unavailable(r, req, err.text);
        free(p);
    }
}

static bool is_signed(struct receiver *r, struct http_request *req,
                      const struct form *form)
{
    size_t len;
    const char *body = http_request_body(req, &len);
    const struct signature_input in = {
        .base = r->public_url,
        .target = http_request_target(req),
        .form = form,
        .body = body,
        .body_len = len,
        .header = http_request_header(req, SIGNATURE_HEADER),
    };
    return signature_is_valid(r->tokens, &in);
}

static void refuse_forged(struct receiver *r, struct http_request *req)
{
    metric_add(r->forged, 1);
    log_line(LOG_LEVEL_WARN, "callback_rejected", LOG_T("reason", "wrong signature"),
             LOG_T("peer", http_request_peer(req)));
    http_problem(req,
                 &(struct http_problem){ .status = 403,
                                         .code = "wrong_signature",
                                         .detail = "X-Twilio-Signature is missing or "
                                                   "wrong" });
}

static void refuse_malformed(struct receiver *r, struct http_request *req,
                             const char *detail)
{
    metric_add(r->malformed, 1);
    log_line(LOG_LEVEL_WARN, "callback_rejected", LOG_T("reason", detail),
             LOG_T("peer", http_request_peer(req)));
    http_problem(req, &(struct http_problem){ .status = 400,
                                              .code = "malformed_callback",
                                              .detail = detail });
}

static void take(struct receiver *r, struct http_request *req, const struct form *form)
{
    struct callback callback;
    struct err err = { 0 };

    if (!is_signed(r, req, form))
        refuse_forged(r, req);
    else if (callback_read(&callback, form, http_request_query(req, "m"),
                           http_request_query(req, "t"), http_request_query(req, "k"),
                           &r->keys, &err))
        refuse_malformed(r, req, err.text);
    else if (!kafka_out_is_up(r->out))
        unavailable(r, req, "Kafka is away");
    else
        publish(r, req, &callback);
}

// Without a signature nothing of it is looked at.
static void on_status(void *arg, struct http_request *req)
{
    struct receiver *r = arg;
    struct form form;
    struct err err = { 0 };
    size_t len;
    const char *body = http_request_body(req, &len);

    if (!http_request_header(req, SIGNATURE_HEADER)) {
        refuse_forged(r, req);
        return;
    }
    if (form_parse(&form, body, len, &err)) {
        refuse_malformed(r, req, err.text);
        return;
    }
    take(r, req, &form);
    form_free(&form);
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

static const struct http_route routes[] = {
    { "POST", "/sms/webhook/status", on_status, BODY_MAX_BYTES, FORM },
    { "POST", "/api/twilio/sms/status", on_status, BODY_MAX_BYTES, FORM },
    { "POST", "/webhooks/twilio/status/", on_status, BODY_MAX_BYTES, FORM },
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

static void say_ready(void *arg, struct err *why)
{
    const struct receiver *r = arg;

    if (!kafka_out_is_up(r->out))
        err_set(why, OUTCOME_RETRY, "Kafka is away");
}

static void take_tokens(void *arg)
{
    struct receiver *r = arg;
    struct signature_keys *fresh;

    if (open_tokens(&fresh, r->set, NULL))
        return;  // not reached: the settings were checked
    signature_keys_close(r->tokens);
    r->tokens = fresh;
}

static void declare_metrics(struct receiver *r)
{
    struct metrics *m = service_metrics(r->service);
    static const char help[] = "Callbacks by what they got.";

    r->verified = metrics_counter(m, "smsq_callbacks_total", "result=\"verified\"", help);
    r->forged = metrics_counter(m, "smsq_callbacks_total", "result=\"forged\"", help);
    r->malformed =
        metrics_counter(m, "smsq_callbacks_total", "result=\"malformed\"", help);
    r->unavailable =
        metrics_counter(m, "smsq_callbacks_total", "result=\"unavailable\"", help);
}

static enum outcome open_connections(struct receiver *r,
                                     const struct receiver_settings *set, struct err *err)
{
    struct reactor *loop = service_reactor(r->service);
    struct metrics *metrics = service_metrics(r->service);
    static const char *const topics[] = { TOPIC_STATUS, NULL };
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
        .idle_timeout_us = IDLE_US,
        .header_max_bytes = HTTP_HEADER_MAX_BYTES,
        .name = "webhook",
    };

    enum outcome rc = kafka_out_open(&r->out, loop, &out, metrics, err);
    if (!rc)
        rc = http_server_open(&r->server, loop, &http, routes, r, metrics, err);
    return rc;
}

enum outcome receiver_open(struct receiver **out, const struct receiver_settings *set,
                           struct err *err)
{
    struct receiver *r = xcalloc(1, sizeof(*r));
    const struct service_hooks hooks = { "smsq-webhook-receiver", on_stop, is_drained,
                                         say_ready, r };

    r->set = set;
    r->public_url = set->account.public_url;
    enum outcome rc = keys_open(&r->keys, &set->keys, err);
    if (!rc)
        rc = account_resolve(&r->account, &set->account, err);
    if (!rc)
        rc = open_tokens(&r->tokens, set, err);
    if (!rc)
        rc = service_open(&r->service, &set->service, &hooks, err);
    if (!rc) {
        declare_metrics(r);
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
             LOG_T("public_url", r->public_url), LOG_T("mode", r->account.mode_name));
    return service_run(r->service, err);
}

void receiver_close(struct receiver *r)
{
    if (!r)
        return;
    kafka_out_close(r->out);  // its last reports still answer requests
    http_server_close(r->server);
    signature_keys_close(r->tokens);
    service_close(r->service);
    keys_close(&r->keys);
    free(r);
}
