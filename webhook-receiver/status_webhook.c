#include "status_webhook.h"

#include "buf.h"
#include "callback.h"
#include "http_server.h"
#include "kafka.h"
#include "keys.h"
#include "log.h"
#include "message_id.h"

#include <string.h>

static enum outcome read(void *record, const struct webhook_input *in, struct err *err)
{
    struct callback *c = record;
    const struct callback_query query = {
        .m = http_request_query(in->req, "m"),
        .t = http_request_query(in->req, "t"),
        .k = http_request_query(in->req, "k"),
        .c = http_request_query(in->req, "c"),
    };
    enum outcome rc = callback_read(c, in->form, &query, in->keys, err);

    c->record.mode = in->mode;
    return rc;
}

// The key keeps the callbacks of one message in one partition. Neither Kafka nor
// PostgreSQL holds a number in clear: the form is sealed for its SID.
static void write(void *record, const struct webhook_input *in, struct buf *key,
                  struct buf *value)
{
    struct callback *c = record;
    struct buf sealed = BUF_INIT(WIRE_SEALED_MAX_BYTES);
    char id[MESSAGE_ID_TEXT_BYTES];
    size_t len;
    const char *body = http_request_body(in->req, &len);

    message_id_format(id, c->record.message_id);
    buf_add_text(key, c->record.turn > 0 ? id : c->sid);
    seal_close(in->keys->seal, c->record.received_at, c->sid, strlen(c->sid), body, len,
               &sealed);
    callback_own(c);
    c->record.raw =
        (struct wire_bytes){ (const unsigned char *)sealed.bytes, sealed.len };
    wire_encode(&c->record, sms_status_fields, value);
    c->record.raw = (struct wire_bytes){ NULL, 0 };  // sealed ends here
    buf_free(&sealed);
}

static const char *trace_of(const struct callback *c)
{
    return c->trace_id[0] ? c->trace_id : NULL;
}

static void accepted(const void *record)
{
    const struct callback *c = record;

    if (c->record.turn > 0)
        log_line(LOG_LEVEL_INFO, "callback_verified",
                 LOG_U("message_id", c->record.message_id), LOG_C(trace_of(c)),
                 LOG_I("turn", c->record.turn), LOG_T("twilio_sid", c->sid),
                 LOG_T("status", c->status), LOG_I("error_code", c->record.error_code));
    else
        log_line(LOG_LEVEL_INFO, "callback_verified", LOG_T("message_id", NULL),
                 LOG_C(trace_of(c)), LOG_T("twilio_sid", c->sid),
                 LOG_T("status", c->status), LOG_I("error_code", c->record.error_code));
}

static void refused(const void *record, const struct http_request *req,
                    const char *reason)
{
    const struct callback *c = record;

    if (c)
        log_line(LOG_LEVEL_WARN, "callback_not_taken", LOG_C(trace_of(c)),
                 LOG_T("twilio_sid", c->sid), LOG_T("reason", reason));
    else
        log_line(LOG_LEVEL_WARN, "callback_rejected", LOG_T("reason", reason),
                 LOG_T("peer", http_request_peer(req)));
}

const struct webhook_kind status_webhook = {
    .topic = TOPIC_STATUS,
    .record_bytes = sizeof(struct callback),
    .value_max_bytes = WIRE_RECORD_MAX_BYTES,
    .read = read,
    .write = write,
    .accepted = accepted,
    .refused = refused,
    .status = 204,
};
