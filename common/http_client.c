#include "http_client.h"

#include "buf.h"
#include "fail_point.h"
#include "http_address.h"
#include "http_call.h"
#include "http_link.h"
#include "http_reply.h"
#include "reactor.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REQUEST_MAX_BYTES = 1 << 20,
    READ_BYTES = 16384,
    ERROR_BYTES = 300,
};

#define IDLE_MAX_US  INT64_C(25000000)  // below the remote's idle timeout
#define AGE_MAX_US   INT64_C(600000000)
#define FRESH_MAX_US 1000  // so soon after an answer nobody looks for the end

// One connection, and the call it is busy with.
struct slot {
    struct http_client *client;
    struct slot *next;  // of the free, or of the failed
    struct http_link link;
    char *origin;  // to which the link goes
    struct reactor_timer *timer;
    struct http_reply reply;
    struct buf out;  // the request
    size_t sent;
    bool busy;
    http_gate *gate;
    http_done *done;
    void *arg;
    bool left_us;  // the gate let it pass
    bool is_kept;  // the connection stood already
    int64_t began_us, idle_us;
    const char *error;  // why it failed
};

struct http_client {
    struct reactor *reactor;
    struct http_links *links;
    struct slot *slots;
    size_t slot_count;
    struct slot *free;
    struct slot *failed;  // done hears of them in the next turn
    struct reactor_timer *fail;
    size_t in_flight;
    int64_t connect_us, total_us;
    struct http_address address;  // of the last call
    struct buf authorization;     // the whole header line; empty without user_password
    char *user_agent;
    struct buf answer;  // what done is looking at
    char type[HTTP_REPLY_TYPE_BYTES];
    char error[ERROR_BYTES];
    char bytes[READ_BYTES];
};

// --- the end of a call ---

// The slot is free before done runs; done may take it again at once. So what the answer
// shows moves to the client first.
static void finish(struct slot *slot)
{
    struct http_client *c = slot->client;
    struct http_reply *reply = &slot->reply;
    bool ok = !slot->error;
    struct buf body = reply->body;

    reactor_timer_stop(slot->timer);
    reply->body = c->answer;
    c->answer = body;
    if (!ok)
        buf_clear(&c->answer);
    memcpy(c->type, ok ? reply->content_type : "",
           ok ? strlen(reply->content_type) + 1 : 1);
    (void)snprintf(c->error, sizeof(c->error), "%s", ok ? "" : slot->error);

    int64_t now_us = clock_boot_us();
    const struct http_answer answer = {
        .left_us = slot->left_us,
        .is_new_connection = !slot->is_kept && slot->left_us,
        .was_cut = !ok && slot->left_us && slot->is_kept && !reply->began,
        .status = ok ? reply->status : 0,
        .body = buf_text(&c->answer),
        .body_len = c->answer.len,
        .content_type = c->type,
        .retry_after_us = ok ? reply->retry_after_us : -1,
        .took_us = now_us - slot->began_us,
        .error = c->error,
    };
    slot->busy = false;
    slot->idle_us = now_us;
    slot->next = c->free;
    c->free = slot;
    c->in_flight--;
    slot->done(slot->arg, &answer);
}

// The connection is of no use any more. done hears of it in the next turn of the loop, so
// never from inside submit. why is borrowed for as long as the slot lives.
static void fail(struct slot *slot, const char *why)
{
    struct http_client *c = slot->client;

    http_link_close(&slot->link);
    reactor_timer_stop(slot->timer);
    slot->error = why;
    slot->next = c->failed;
    c->failed = slot;
    reactor_timer_set(c->fail, 0);
}

static void finish_failed(void *arg)
{
    struct http_client *c = arg;
    struct slot *failed = c->failed;

    c->failed = NULL;
    while (failed) {
        struct slot *slot = failed;
        failed = slot->next;
        finish(slot);
    }
}

static void on_timeout(void *arg)
{
    struct slot *slot = arg;
    fail(slot, slot->link.state == HTTP_LINK_DIALLING ? "no connection in time"
                                                      : "no answer in time");
}

static void conclude(struct slot *slot, bool is_clean)
{
    struct http_reply *reply = &slot->reply;

    if (reply->state != HTTP_REPLY_DONE) {
        fail(slot, http_reply_error(reply));
        return;
    }
    if (!reply->keeps_alive || !is_clean || slot->sent < slot->out.len)
        http_link_close(&slot->link);
    finish(slot);
}

// --- bytes ---

static void push(struct slot *slot)
{
    ssize_t n = http_link_send(&slot->link, slot->out.bytes + slot->sent,
                               slot->out.len - slot->sent);

    if (n < 0) {
        fail(slot, http_reply_error(&slot->reply));
        return;
    }
    if (n > 0)
        fail_point("client_after_bytes", slot->client->in_flight);
    slot->sent += (size_t)n;
    bool wants_room = slot->sent < slot->out.len;
    if (wants_room != slot->link.wants_room)
        http_link_want_room(&slot->link, wants_room);
}

// Reads what is there. TLS may hold bytes of which the kernel knows nothing, so it is
// read until it has no more.
static void pull(struct slot *slot)
{
    struct http_client *c = slot->client;
    ssize_t n;

    do {
        n = http_link_read(&slot->link, c->bytes, sizeof(c->bytes));
        if (n == 0)
            return;
        if (n < 0)
            http_reply_ended(&slot->reply);
        size_t taken = n < 0 ? 0 : http_reply_read(&slot->reply, c->bytes, (size_t)n);
        if (n < 0 || slot->reply.state >= HTTP_REPLY_DONE) {
            conclude(slot, n < 0 || taken == (size_t)n);
            return;
        }
    } while (true);
}

// Whatever comes on an idle connection means its end: FIN, RST, or bytes nobody asked
// for.
static void on_ready(void *arg)
{
    struct slot *slot = arg;

    if (!slot->busy) {
        http_link_close(&slot->link);
        return;
    }
    if (slot->link.wants_room)
        push(slot);
    if (slot->link.state == HTTP_LINK_OPEN)
        pull(slot);
}

// The connection stands: the gate is the last to be asked before the first byte.
static void start(struct slot *slot)
{
    if (slot->gate && !slot->gate(slot->arg)) {
        fail(slot, "stopped at the gate, nothing was sent");
        return;
    }
    slot->left_us = true;
    push(slot);
}

static void on_dialled(void *arg, bool ok)
{
    struct slot *slot = arg;

    if (ok)
        start(slot);
    else
        fail(slot, slot->link.error);
}

// --- opening and closing ---

static bool open_slot(struct http_client *c, struct slot *slot, size_t answer_max)
{
    slot->client = c;
    slot->timer = reactor_timer_new(c->reactor, on_timeout, slot);
    http_reply_init(&slot->reply, answer_max);
    buf_init(&slot->out, REQUEST_MAX_BYTES);
    return http_link_open(&slot->link, c->links, on_dialled, on_ready, slot);
}

static bool open_all(struct http_client *c, const struct http_client_settings *set)
{
    if (!c->links || c->authorization.failed)
        return false;
    for (size_t i = c->slot_count; i-- > 0;) {
        if (!open_slot(c, &c->slots[i], set->answer_max_bytes))
            return false;
        c->slots[i].next = c->free;
        c->free = &c->slots[i];
    }
    return true;
}

enum outcome http_client_open(struct http_client **out, struct reactor *r,
                              const struct http_client_settings *set, struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, OUTCOME_FATAL, "cannot set up libcurl");

    struct http_client *c = xcalloc(1, sizeof(*c));
    c->reactor = r;
    c->connect_us = set->connect_us;
    c->total_us = set->total_us;
    c->user_agent = set->user_agent ? xstrdup(set->user_agent) : NULL;
    c->links = http_links_new(r, set->ca_file);
    c->fail = reactor_timer_new(r, finish_failed, c);
    c->slot_count = set->in_flight_max ? set->in_flight_max : 1;
    c->slots = xcalloc(c->slot_count, sizeof(*c->slots));
    buf_init(&c->answer, set->answer_max_bytes);
    buf_init(&c->authorization, HTTP_AUTHORIZATION_MAX_BYTES);
    if (set->user_password)
        http_call_authorization(&c->authorization, set->user_password);
    if (!open_all(c, set)) {
        http_client_close(c);
        return err_set(err, OUTCOME_FATAL, "cannot set up the HTTP client");
    }
    *out = c;
    return OUTCOME_OK;
}

static void close_slot(struct slot *slot)
{
    http_link_free(&slot->link);
    reactor_timer_free(slot->timer);
    http_reply_free(&slot->reply);
    buf_free(&slot->out);
    free(slot->origin);
}

void http_client_close(struct http_client *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->slot_count; i++)
        close_slot(&c->slots[i]);
    http_links_free(c->links);
    reactor_timer_free(c->fail);
    http_address_free(&c->address);
    free(c->slots);
    free(c->user_agent);
    buf_free(&c->authorization);
    buf_free(&c->answer);
    free(c);
    curl_global_cleanup();
}

// --- the begin of a call ---

// A free slot with a connection to there, else one without any, else the last used.
static struct slot *take_slot(struct http_client *c)
{
    struct slot **found = NULL;
    bool is_open = false;

    for (struct slot **at = &c->free; *at && !is_open; at = &(*at)->next) {
        is_open = c->address.origin && (*at)->link.state == HTTP_LINK_OPEN &&
                  strcmp((*at)->origin, c->address.origin) == 0;
        if (is_open || !found ||
            ((*found)->link.state == HTTP_LINK_OPEN &&
             (*at)->link.state == HTTP_LINK_CLOSED))
            found = at;
    }
    if (!found)
        return NULL;
    struct slot *slot = *found;
    *found = slot->next;
    return slot;
}

static bool may_reuse(const struct slot *slot, const struct http_client *c)
{
    int64_t idle_us = slot->began_us - slot->idle_us;

    return slot->link.state == HTTP_LINK_OPEN &&
           strcmp(slot->origin, c->address.origin) == 0 && idle_us < IDLE_MAX_US &&
           slot->began_us - slot->link.opened_us < AGE_MAX_US &&
           (idle_us < FRESH_MAX_US || http_link_is_quiet(&slot->link));
}

static void dial(struct slot *slot, int64_t connect_us)
{
    const struct http_client *c = slot->client;

    http_link_close(&slot->link);
    if (!slot->origin || strcmp(slot->origin, c->address.origin) != 0) {
        free(slot->origin);
        slot->origin = xstrdup(c->address.origin);
    }
    http_link_dial(&slot->link, slot->origin, connect_us);
}

bool http_client_submit(struct http_client *c, const struct http_call *call,
                        http_done *done, void *arg)
{
    bool is_address = c->free && !http_address_set(&c->address, call->url, NULL);
    struct slot *slot = take_slot(c);

    if (!slot)
        return false;
    c->in_flight++;
    slot->busy = true;
    slot->gate = call->gate;
    slot->done = done;
    slot->arg = arg;
    slot->sent = 0;
    slot->left_us = slot->is_kept = false;
    slot->error = NULL;
    slot->began_us = clock_boot_us();
    http_reply_begin(&slot->reply);
    slot->reply.is_bare = strcmp(call->method, "HEAD") == 0;
    if (!is_address) {
        fail(slot, "this is no address of http or https");
        return true;
    }
    http_call_write(&slot->out, call, &c->address, c->user_agent, &c->authorization);
    reactor_timer_set(slot->timer, call->total_us ? call->total_us : c->total_us);
    slot->is_kept = may_reuse(slot, c);
    if (slot->out.failed)
        fail(slot, "the request is too long");
    else if (slot->is_kept)
        start(slot);
    else
        dial(slot, call->connect_us ? call->connect_us : c->connect_us);
    return true;
}

void http_client_give_up(struct http_client *c)
{
    for (size_t i = 0; c && i < c->slot_count; i++) {
        struct slot *slot = &c->slots[i];
        if (slot->busy && !slot->error)
            fail(slot, "given up before an answer");
    }
}

size_t http_client_free_slots(const struct http_client *c)
{
    return c->slot_count - c->in_flight;
}

size_t http_client_in_flight(const struct http_client *c)
{
    return c->in_flight;
}
