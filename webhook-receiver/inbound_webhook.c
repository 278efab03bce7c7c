#include "inbound_webhook.h"

#include "buf.h"
#include "http_server.h"
#include "inbound.h"
#include "kafka.h"
#include "keys.h"
#include "log.h"

#include <string.h>

static enum outcome read(void *record, const struct webhook_input *in, struct err *err)
{
    return inbound_read(record, in->form,
                        http_request_header(in->req, "I-Twilio-Idempotency-Token"),
                        in->keys, err);
}

// Numbers and text are in clear nowhere: the form is sealed whole, for its SID.
static void write(void *record, const struct webhook_input *in, struct buf *key,
                  struct buf *value)
{
    struct inbound *inbound = record;
    struct buf sealed = BUF_INIT(WIRE_INBOUND_SEALED_MAX_BYTES);
    struct sms_inbound wire;
    size_t len;
    const char *body = http_request_body(in->req, &len);

    seal_close(in->keys->seal, inbound->received_at, inbound->sid, strlen(inbound->sid),
               body, len, &sealed);
    inbound_record(&wire, inbound);
    wire.mode = in->mode;
    wire.raw = (struct wire_bytes){ (const unsigned char *)sealed.bytes, sealed.len };
    wire_encode(&wire, sms_inbound_fields, value);
    buf_add(key, wire.from_hash.bytes, wire.from_hash.len);
    buf_free(&sealed);
}

static void accepted(const void *record)
{
    const struct inbound *inbound = record;

    log_line(LOG_LEVEL_INFO, "inbound_verified", LOG_T("twilio_sid", inbound->sid),
             LOG_T("channel", inbound->channel), LOG_T("from_hint", inbound->from_hint),
             LOG_I("media_count", inbound->media_count),
             LOG_T("opt_out", inbound->opt_out));
}

static void refused(const void *record, const struct http_request *req,
                    const char *reason)
{
    const struct inbound *inbound = record;

    if (inbound)
        log_line(LOG_LEVEL_WARN, "inbound_not_taken", LOG_T("twilio_sid", inbound->sid),
                 LOG_T("reason", reason));
    else
        log_line(LOG_LEVEL_WARN, "inbound_rejected", LOG_T("reason", reason),
                 LOG_T("peer", http_request_peer(req)));
}

// Plain text would be sent back to the person as an SMS; an empty document is not.
const struct webhook_kind inbound_webhook = {
    .topic = TOPIC_INBOUND,
    .record_bytes = sizeof(struct inbound),
    .value_max_bytes = WIRE_INBOUND_MAX_BYTES,
    .read = read,
    .write = write,
    .accepted = accepted,
    .refused = refused,
    .status = 200,
    .content_type = "text/xml",
    .body = "<Response/>",
};
