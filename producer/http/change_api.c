// DELETE /sms/{id} and PATCH /sms/{id}: a client cancels or reschedules its message while
// it waits. Looks at the message, changes it, looks again: what it then says is the
// answer.
#include "access.h"
#include "http_server.h"
#include "json.h"
#include "log.h"
#include "message_id.h"
#include "patience.h"
#include "producer.h"
#include "send_request.h"
#include "send_time.h"
#include "status_view.h"
#include "store_changes.h"
#include "store_messages.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 3 };

// Records of a message that no worker has seen are younger: topics keep them seven days.
#define UNSEEN_MAX_MS INT64_C(691200000)

struct change {
    struct patient waiting;
    struct producer *producer;
    struct caller caller;
    unsigned char id[MESSAGE_ID_BYTES];
    bool is_cancel;
    int64_t send_at;  // of a reschedule
    bool is_done;     // by this request
    int tries;
};

static void look(struct change *c, struct http_request *req);

static bool is_waiting(const struct message_row *row)
{
    return strcmp(row->status, "waiting") == 0;
}

// It stands where it was to stand, by this request or an earlier one.
static bool stands(const struct change *c, const struct message_row *row)
{
    if (c->is_done)
        return true;
    if (c->is_cancel)
        return strcmp(row->status, "canceled") == 0;
    return is_waiting(row) && row->send_at == c->send_at;
}

static void refuse(const struct change *c, struct http_request *req,
                   const struct message_row *row)
{
    struct err detail = { 0 };

    err_set(&detail, OUTCOME_REJECT,
            "the message is %s: only one that waits can be %s; GET /sms/status tells "
            "what becomes of it",
            row->status, c->is_cancel ? "canceled" : "rescheduled");
    http_problem(req, &(struct http_problem){ .status = 409,
                                              .code = "message_not_waiting",
                                              .detail = detail.text });
}

static void refuse_busy(struct http_request *req)
{
    static const struct http_header headers[] = { { "Retry-After", "1" },
                                                  { NULL, NULL } };

    http_problem(req,
                 &(struct http_problem){ .status = 409,
                                         .code = "message_busy",
                                         .detail = "the message changes at this very "
                                                   "moment; try again",
                                         .headers = headers });
}

static void note(const struct change *c)
{
    log_line(LOG_LEVEL_INFO, c->is_cancel ? "message_canceled" : "message_rescheduled",
             LOG_U("message_id", c->id), LOG_I("client", c->caller.client));
}

static void on_changed(void *arg, const struct db_answer *answer)
{
    struct change *c = arg;
    struct http_request *req = c->waiting.req;

    if (!answer->rc && db_rows(answer->rows) > 0) {
        c->is_done = true;
        note(c);
    }
    bool is_awaited = patience_end(c->producer->patience, &c->waiting);
    if (is_awaited && !answer->rc) {
        look(c, req);
        return;
    }
    if (is_awaited)
        status_view_failed(req);
    free(c);
}

static void change(struct change *c, struct http_request *req)
{
    struct producer *p = c->producer;

    patience_begin(p->patience, &c->waiting, req);
    if (c->is_cancel)
        store_cancel(p->db, c->id, c->caller.client, on_changed, c);
    else
        store_reschedule(p->db, c->id, c->caller.client, c->send_at, on_changed, c);
}

// Returns false when the message is to be changed first.
static bool answer_row(const struct change *c, struct http_request *req,
                       const struct message_row *row)
{
    bool is_old = message_id_ms(c->id) < clock_wall_us() / 1000 - UNSEEN_MAX_MS;

    if (row && stands(c, row))
        status_view_answer(c->producer, req, &c->caller, row);
    else if (row && !is_waiting(row))
        refuse(c, req, row);
    else if (!row && is_old)
        status_view_not_found(req);
    else if (c->tries == TRIES_MAX)
        refuse_busy(req);
    else
        return false;
    return true;
}

static void on_row(void *arg, const struct db_answer *answer)
{
    struct change *c = arg;
    struct http_request *req = c->waiting.req;
    struct message_row row;

    if (!patience_end(c->producer->patience, &c->waiting)) {
        free(c);
        return;
    }
    if (answer->rc) {
        status_view_failed(req);
        free(c);
        return;
    }
    bool found = store_status_read(&row, answer->rows);
    if (answer_row(c, req, found ? &row : NULL)) {
        free(c);
        return;
    }
    c->tries++;
    change(c, req);
}

static void look(struct change *c, struct http_request *req)
{
    struct producer *p = c->producer;

    patience_begin(p->patience, &c->waiting, req);
    store_status_by_id(p->db, c->id, c->caller.client, on_row, c);
}

static void begin(struct producer *p, struct http_request *req,
                  const struct caller *caller, const struct change *wanted)
{
    const char *name = http_request_rest(req);
    struct change *c;
    unsigned char id[MESSAGE_ID_BYTES];

    if (!message_id_parse(id, name, strlen(name)) ||
        !message_id_is_of(id, caller->client, p->keys.id)) {
        status_view_not_found(req);
        return;
    }
    if (!db_is_up(p->db)) {
        patience_refuse(req);
        return;
    }
    c = xcalloc(1, sizeof(*c));
    *c = *wanted;
    c->producer = p;
    c->caller = *caller;
    memcpy(c->id, id, sizeof(c->id));
    look(c, req);
}

static void on_cancel(void *arg, struct http_request *req, const struct caller *caller)
{
    begin(arg, req, caller, &(struct change){ .is_cancel = true });
}

// What the walk over the members of a PATCH collects.
struct patch {
    int64_t send_at;  // 0 = not given
    struct complaint complaint;
};

static enum outcome on_member(void *arg, const char *name, size_t len,
                              const struct json_value *value, struct err *err)
{
    struct patch *patch = arg;
    struct complaint *complaint = &patch->complaint;

    (void)err;
    *complaint = (struct complaint){ .status = 422, .field = "send_at" };
    if (len != strlen("send_at") || memcmp(name, "send_at", len) != 0) {
        complaint->code = "unknown_field";
        complaint->field = NULL;
        return err_set(&complaint->detail, OUTCOME_REJECT,
                       "only send_at of a message can be changed");
    }
    if (patch->send_at) {
        complaint->code = "given_twice";
        return err_set(&complaint->detail, OUTCOME_REJECT, "this field is given twice");
    }
    return send_time_read(&patch->send_at, value, complaint);
}

static enum outcome read_patch(struct patch *patch, struct producer *p,
                               struct http_request *req)
{
    struct complaint *complaint = &patch->complaint;
    struct err err = { 0 };
    size_t len;
    const char *body = http_request_body(req, &len);
    int64_t now_us = clock_wall_us();

    enum outcome rc = json_read(p->json, body, len, on_member, patch, &err);
    if (rc && complaint->status == 0)
        *complaint =
            (struct complaint){ .status = 400, .code = "malformed_json", .detail = err };
    if (rc)
        return rc;
    if (patch->send_at == 0) {
        *complaint =
            (struct complaint){ .status = 422, .code = "missing", .field = "send_at" };
        return err_set(&complaint->detail, OUTCOME_REJECT,
                       "the new time of the message is missing");
    }
    if (send_time_check(patch->send_at, now_us, complaint))
        return OUTCOME_REJECT;
    if (patch->send_at < now_us)
        patch->send_at = now_us;
    return OUTCOME_OK;
}

static void on_reschedule(void *arg, struct http_request *req,
                          const struct caller *caller)
{
    struct producer *p = arg;
    struct patch patch = { 0 };

    if (read_patch(&patch, p, req))
        http_problem(req, &(struct http_problem){ .status = patch.complaint.status,
                                                  .code = patch.complaint.code,
                                                  .detail = patch.complaint.detail.text,
                                                  .field = patch.complaint.field });
    else
        begin(p, req, caller, &(struct change){ .send_at = patch.send_at });
}

void change_api_delete(void *arg, struct http_request *req)
{
    struct producer *p = arg;
    access_check(p->access, req, SCOPE_SEND_SMS, on_cancel, p);
}

void change_api_patch(void *arg, struct http_request *req)
{
    struct producer *p = arg;
    access_check(p->access, req, SCOPE_SEND_SMS, on_reschedule, p);
}
