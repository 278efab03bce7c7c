#include "status_view.h"

#include "access.h"
#include "buf.h"
#include "content.h"
#include "http_server.h"
#include "json.h"
#include "message_id.h"
#include "producer.h"
#include "rate_card.h"
#include "status.h"
#include "store_messages.h"
#include "wire.h"

#include <string.h>

enum { ANSWER_MAX_BYTES = 8192 };

static void add_text(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, ",\"%s\":", name);
    if (text)
        buf_add_json_string(out, text, strlen(text));
    else
        buf_add_text(out, "null");
}

static void add_time(struct buf *out, const char *name, int64_t wall_us)
{
    buf_addf(out, ",\"%s\":", name);
    if (wall_us == 0) {
        buf_add_text(out, "null");
        return;
    }
    buf_add_char(out, '"');
    buf_add_time(out, wall_us);
    buf_add_char(out, '"');
}

static void add_count(struct buf *out, const char *name, int64_t value)
{
    if (value)
        buf_addf(out, ",\"%s\":%lld", name, (long long)value);
    else
        buf_addf(out, ",\"%s\":null", name);
}

static void add_cost(struct buf *out, const struct message_row *row)
{
    char amount[RATE_TEXT_BYTES];

    if (!row->currency) {
        buf_add_text(out, ",\"cost\":null");
        return;
    }
    rate_card_format_micros(amount,
                            row->cost_known ? row->cost_micros : row->estimate_micros);
    buf_addf(out, ",\"cost\":{\"amount\":\"%s\",\"currency\":\"%s\",\"recorded\":%s}",
             amount, row->currency, row->cost_known ? "true" : "false");
}

// The number in clear is for tokens with the view scope; others see country and ending.
static void add_to(struct buf *out, struct producer *p, const struct caller *caller,
                   const struct message_row *row)
{
    struct sms_content content = { 0 };
    struct wire_memory *memory = NULL;

    bool readable = caller_has(caller, SCOPE_VIEW_SMS_HISTORY) && row->sealed.len > 0 &&
                    !content_open(p->keys.seal, p->json, row->message_id, row->client,
                                  row->sealed, &content, &memory, NULL);
    add_text(out, "to", readable ? content.to : row->to_hint);
    wire_free(memory);
}

static void describe(struct buf *out, struct producer *p, const struct caller *caller,
                     const struct message_row *row)
{
    char id[MESSAGE_ID_TEXT_BYTES];

    message_id_format(id, row->message_id);
    buf_addf(out, "{\"id\":\"%s\"", id);
    add_text(out, "sid", row->twilio_sid);
    add_text(out, "status", status_shown(row->status, row->waiting_kind));
    add_text(out, "detail", row->status);
    add_text(out, "reason", row->reason);
    add_to(out, p, caller, row);
    add_text(out, "from", row->sender);
    add_text(out, "class", row->message_class);
    add_text(out, "reference", row->reference);
    add_text(out, "mode", row->mode);
    add_count(out, "segments", row->segments);
    add_count(out, "error_code", row->error_code);
    add_text(out, "error_meaning", row->error_meaning);
    add_text(out, "error_advice", row->error_advice);
    buf_addf(out, ",\"turn\":%d", row->turn);
    add_time(out, "accepted_at",
             row->accepted_at ? row->accepted_at : message_id_ms(row->message_id) * 1000);
    add_time(out, "send_at", row->send_at);
    add_time(out, "sent_at", row->sent_at);
    add_time(out, "delivered_at", row->delivered_at);
    add_time(out, "expires_at", row->expires_at);
    add_cost(out, row);
    buf_add_char(out, '}');
}

void status_view_answer(struct producer *p, struct http_request *req,
                        const struct caller *caller, const struct message_row *row)
{
    struct buf body = BUF_INIT(ANSWER_MAX_BYTES);

    describe(&body, p, caller, row);
    http_answer(req, 200, "application/json", body.bytes, body.len, NULL);
    buf_free(&body);
}

void status_view_not_found(struct http_request *req)
{
    http_problem(req,
                 &(struct http_problem){ .status = 404,
                                         .code = "message_not_found",
                                         .detail = "there is no such message of this "
                                                   "client" });
}

void status_view_failed(struct http_request *req)
{
    http_problem(req, &(struct http_problem){ .status = 500,
                                              .code = "internal",
                                              .detail = "the message could not be "
                                                        "looked up" });
}
