// GET /sms/status/{id or SID}: a message's life for its own client.
#include "access.h"
#include "buf.h"
#include "http_server.h"
#include "json.h"
#include "message_id.h"
#include "patience.h"
#include "producer.h"
#include "rate_card.h"
#include "seal.h"
#include "sid.h"
#include "status.h"
#include "store_messages.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX_BYTES = 8192 };

// A request that waits for PostgreSQL.
struct lookup {
    struct patient waiting;
    struct producer *producer;
    struct http_request *req;
    struct caller caller;
    bool by_id;
    unsigned char id[MESSAGE_ID_BYTES];
};

static void not_found(struct http_request *req)
{
    http_problem(req,
                 &(struct http_problem){ .status = 404,
                                         .code = "message_not_found",
                                         .detail = "there is no such message of this "
                                                   "client" });
}

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
static void add_to(struct buf *out, const struct lookup *l, const struct message_row *row)
{
    struct producer *p = l->producer;
    struct sms_content content = { 0 };
    struct wire_memory *memory = NULL;
    struct buf plain = BUF_INIT(WIRE_SEALED_MAX_BYTES);
    unsigned char aad[SEAL_AAD_BYTES];

    seal_message_aad(aad, row->message_id, row->client);
    bool readable = caller_has(&l->caller, SCOPE_VIEW_SMS_HISTORY) &&
                    row->sealed.len > 0 &&
                    !seal_open(p->keys.seal, aad, sizeof(aad), row->sealed.bytes,
                               row->sealed.len, &plain, NULL) &&
                    !wire_decode(&content, &memory, sms_content_fields, p->json,
                                 plain.bytes, plain.len, NULL);
    add_text(out, "to", readable ? content.to : row->to_hint);
    wire_free(memory);
    buf_free(&plain);
}

static void describe(struct buf *out, const struct lookup *l,
                     const struct message_row *row)
{
    char id[MESSAGE_ID_TEXT_BYTES];

    message_id_format(id, row->message_id);
    buf_addf(out, "{\"id\":\"%s\"", id);
    add_text(out, "sid", row->twilio_sid);
    add_text(out, "status", status_shown(row->status, row->waiting_kind));
    add_text(out, "detail", row->status);
    add_text(out, "reason", row->reason);
    add_to(out, l, row);
    add_text(out, "from", row->sender);
    add_text(out, "class", row->message_class);
    add_text(out, "reference", row->reference);
    add_text(out, "mode", row->mode);
    add_count(out, "segments", row->segments);
    add_count(out, "error_code", row->error_code);
    buf_addf(out, ",\"turn\":%d", row->turn);
    add_time(out, "accepted_at", row->accepted_at);
    add_time(out, "sent_at", row->sent_at);
    add_time(out, "delivered_at", row->delivered_at);
    add_time(out, "expires_at", row->expires_at);
    add_cost(out, row);
    buf_add_char(out, '}');
}

// The id bears this client's tag and has no row yet: it is on its way through Kafka.
static void describe_accepted(struct buf *out, const struct lookup *l)
{
    struct message_row row = {
        .client = l->caller.client,
        .status = "accepted",
        .turn = 1,
        .accepted_at = message_id_ms(l->id) * 1000,
    };

    memcpy(row.message_id, l->id, sizeof(row.message_id));
    describe(out, l, &row);
}

static void answer_row(const struct lookup *l, const struct db_answer *answer)
{
    struct message_row row;
    struct buf body = BUF_INIT(ANSWER_MAX_BYTES);
    bool found = !answer->rc && store_status_read(&row, answer->rows);

    if (answer->rc) {
        http_problem(l->req, &(struct http_problem){ .status = 500,
                                                     .code = "internal",
                                                     .detail = "the message could not be "
                                                               "looked up" });
    } else if (!found && !l->by_id) {
        not_found(l->req);
    } else {
        if (found)
            describe(&body, l, &row);
        else
            describe_accepted(&body, l);
        http_answer(l->req, 200, "application/json", body.bytes, body.len, NULL);
    }
    buf_free(&body);
}

static void on_row(void *arg, const struct db_answer *answer)
{
    struct lookup *l = arg;

    if (patience_end(l->producer->patience, &l->waiting))
        answer_row(l, answer);
    free(l);
}

static void ask(struct producer *p, const struct lookup *lookup, const char *name)
{
    struct lookup *l = xcalloc(1, sizeof(*l));

    *l = *lookup;
    patience_begin(p->patience, &l->waiting, l->req);
    if (l->by_id)
        store_status_by_id(p->db, l->id, l->caller.client, on_row, l);
    else
        store_status_by_sid(p->db, name, l->caller.client, on_row, l);
}

static void on_granted(void *arg, struct http_request *req, const struct caller *caller)
{
    struct producer *p = arg;
    struct lookup l = { .producer = p, .req = req, .caller = *caller };
    const char *name = http_request_rest(req);

    l.by_id = message_id_parse(l.id, name, strlen(name));
    if (l.by_id && !message_id_is_of(l.id, caller->client, p->keys.id))
        not_found(req);
    else if (!l.by_id && !sid_is_message(name))
        not_found(req);
    else if (!db_is_up(p->db))
        patience_refuse(req);
    else
        ask(p, &l, name);
}

void status_api_get(void *arg, struct http_request *req)
{
    struct producer *p = arg;
    access_check(p->access, req, SCOPE_SEND_SMS | SCOPE_VIEW_SMS_HISTORY, on_granted, p);
}
