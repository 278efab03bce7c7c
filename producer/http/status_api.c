// GET /sms/status/{id or SID}: a message's life for its own client.
#include "access.h"
#include "http_server.h"
#include "message_id.h"
#include "patience.h"
#include "producer.h"
#include "sid.h"
#include "status_view.h"
#include "store_messages.h"

#include <stdlib.h>
#include <string.h>

// A request that waits for PostgreSQL.
struct lookup {
    struct patient waiting;
    struct producer *producer;
    struct http_request *req;
    struct caller caller;
    bool by_id;
    unsigned char id[MESSAGE_ID_BYTES];
};

// The id bears this client's tag and has no row yet: it is on its way through Kafka.
static void answer_accepted(const struct lookup *l)
{
    struct message_row row = {
        .client = l->caller.client,
        .status = "accepted",
        .turn = 1,
    };

    memcpy(row.message_id, l->id, sizeof(row.message_id));
    status_view_answer(l->producer, l->req, &l->caller, &row);
}

static void answer_row(const struct lookup *l, const struct db_answer *answer)
{
    struct message_row row;

    if (answer->rc)
        status_view_failed(l->req);
    else if (store_status_read(&row, answer->rows))
        status_view_answer(l->producer, l->req, &l->caller, &row);
    else if (l->by_id)
        answer_accepted(l);
    else
        status_view_not_found(l->req);
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
        status_view_not_found(req);
    else if (!l.by_id && !sid_is_message(name))
        status_view_not_found(req);
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
