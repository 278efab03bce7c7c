#include "http_client.h"

#include "buf.h"
#include "fail_point.h"
#include "http_socket.h"
#include "http_transfer.h"
#include "reactor.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARD_SLOTS_MAX =
        50,  // libcurl's cost per request grows with the transfers of a multi
    AUTHORIZATION_MAX_BYTES = 1024,
};

struct shard {
    struct http_client *client;
    CURLM *multi;
    struct reactor_timer *timer;
};

// One prepared transfer, and the call it is busy with.
struct slot {
    struct http_client *client;
    struct shard *shard;
    struct slot *next;  // free list
    struct http_transfer transfer;
    bool busy;
    http_gate *gate;
    http_done *done;
    void *arg;
    int tries;     // of libcurl to send the request
    bool left_us;  // the gate let the first one pass
    bool too_long;
    bool was_seen;  // by note_bytes
    int64_t began_us;
    struct buf body;
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    struct reactor *reactor;
    CURLSH *share;  // names and TLS sessions, for all shards
    struct http_sockets *sockets;
    struct shard *shards;
    size_t shard_count;
    struct slot *slots;
    size_t slot_count;
    struct slot *free;
    size_t in_flight;
    struct buf authorization;  // the whole header line; empty without user_password
    struct buf answer;         // body of the answer that done is looking at
    char error[CURL_ERROR_SIZE];
};

// --- callbacks of libcurl ---

// Runs when the connection stands, before the first byte of each try to send.
static int before_request(void *arg, char *remote_ip, char *local_ip, int remote_port,
                          int local_port)
{
    struct slot *slot = arg;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (slot->tries++ > 0)
        return CURL_PREREQFUNC_ABORT;
    slot->left_us = !slot->gate || slot->gate(slot->arg);
    return slot->left_us ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t on_body(char *bytes, size_t one, size_t len, void *arg)
{
    struct slot *slot = arg;

    (void)one;
    buf_add(&slot->body, bytes, len);
    slot->too_long = slot->body.failed;
    return slot->too_long ? 0 : len;
}

// Only notes the time: libcurl must not be called from its own callback.
static int on_timer_change(CURLM *multi, long timeout_ms, void *arg)
{
    struct shard *shard = arg;

    (void)multi;
    if (timeout_ms < 0)
        reactor_timer_stop(shard->timer);
    else
        reactor_timer_set(shard->timer, (int64_t)timeout_ms * 1000);
    return 0;
}

// --- the end of a call ---

static void explain(char text[CURL_ERROR_SIZE], const struct slot *slot, CURLcode rc)
{
    if (rc == CURLE_OK)
        text[0] = '\0';
    else if (slot->tries > 1)
        (void)snprintf(text, CURL_ERROR_SIZE,
                       "the connection closed before an answer; not sent again");
    else if (slot->tries == 1 && !slot->left_us)
        (void)snprintf(text, CURL_ERROR_SIZE, "stopped at the gate, nothing was sent");
    else if (slot->too_long)
        (void)snprintf(text, CURL_ERROR_SIZE, "the answer is longer than %zu bytes",
                       slot->body.max);
    else
        (void)snprintf(text, CURL_ERROR_SIZE, "%s",
                       slot->error[0] ? slot->error : curl_easy_strerror(rc));
}

// The slot is free before done runs; done may take it again at once. So what the answer
// shows moves to the client first.
static void finish(struct slot *slot, CURLcode rc)
{
    struct http_client *c = slot->client;
    const char *type = NULL;
    long status = 0, connects = 0;

    (void)curl_multi_remove_handle(slot->shard->multi, slot->transfer.easy);
    struct buf body = slot->body;
    slot->body = c->answer;
    c->answer = body;
    explain(c->error, slot, rc);
    if (rc == CURLE_OK) {
        (void)curl_easy_getinfo(slot->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(slot->transfer.easy, CURLINFO_CONTENT_TYPE, &type);
    } else {
        buf_clear(&c->answer);
    }
    (void)curl_easy_getinfo(slot->transfer.easy, CURLINFO_NUM_CONNECTS, &connects);

    const struct http_answer answer = {
        .left_us = slot->left_us,
        .is_new_connection = connects > 0,
        .is_second_try = slot->tries > 1,
        .status = (int)status,
        .body = buf_text(&c->answer),
        .body_len = c->answer.len,
        .content_type = type ? type : "",
        .retry_after_us = status ? http_transfer_retry_after_us(&slot->transfer) : -1,
        .took_us = clock_boot_us() - slot->began_us,
        .error = c->error,
    };
    slot->busy = false;
    slot->next = c->free;
    c->free = slot;
    c->in_flight--;
    slot->done(slot->arg, &answer);
}

static void finish_all(struct shard *shard)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(shard->multi, &left))) {
        struct slot *slot;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode rc = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
        finish(slot, rc);
    }
}

// For the crash bench only: which requests have left us since the last look.
static void note_bytes(struct http_client *c)
{
    for (size_t i = 0; i < c->slot_count; i++) {
        struct slot *slot = &c->slots[i];
        long sent = 0;
        if (!slot->busy || !slot->left_us || slot->was_seen)
            continue;
        (void)curl_easy_getinfo(slot->transfer.easy, CURLINFO_REQUEST_SIZE, &sent);
        slot->was_seen = sent > 0;
        if (slot->was_seen)
            fail_point("client_after_bytes", c->in_flight);
    }
}

static void on_socket_ready(void *arg, int fd, int events)
{
    struct shard *shard = arg;
    int running;

    (void)curl_multi_socket_action(shard->multi, fd, events, &running);
    if (FAIL_POINTS)
        note_bytes(shard->client);
    finish_all(shard);
}

static void on_time(void *arg)
{
    on_socket_ready(arg, CURL_SOCKET_TIMEOUT, 0);
}

// --- opening and closing ---

static bool open_shard(struct http_client *c, struct shard *shard, size_t slots)
{
    shard->client = c;
    shard->timer = reactor_timer_new(c->reactor, on_time, shard);
    shard->multi = curl_multi_init();
    if (!shard->multi)
        return false;
    http_sockets_use_multi(c->sockets, shard->multi, on_socket_ready, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, (long)slots);
    return true;
}

static bool open_slot(struct http_client *c, struct slot *slot, struct shard *shard,
                      const struct http_client_settings *set)
{
    slot->client = c;
    slot->shard = shard;
    buf_init(&slot->body, set->answer_max_bytes);
    if (!http_transfer_open(&slot->transfer, set,
                            c->authorization.len ? buf_text(&c->authorization) : NULL))
        return false;

    CURL *easy = slot->transfer.easy;
    curl_easy_setopt(easy, CURLOPT_SHARE, c->share);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, slot);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
    http_sockets_use_easy(c->sockets, easy);
    return true;
}

static bool open_all(struct http_client *c, const struct http_client_settings *set)
{
    size_t per_shard = (c->slot_count + c->shard_count - 1) / c->shard_count;

    c->share = curl_share_init();
    if (!c->share)
        return false;
    curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    for (size_t i = 0; i < c->shard_count; i++)
        if (!open_shard(c, &c->shards[i], per_shard))
            return false;
    for (size_t i = c->slot_count; i-- > 0;) {  // the first shard's come first when free
        if (!open_slot(c, &c->slots[i], &c->shards[i / per_shard], set))
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
    c->sockets = http_sockets_new(r);
    c->slot_count = set->in_flight_max ? set->in_flight_max : 1;
    c->shard_count = (c->slot_count + SHARD_SLOTS_MAX - 1) / SHARD_SLOTS_MAX;
    c->slots = xcalloc(c->slot_count, sizeof(*c->slots));
    c->shards = xcalloc(c->shard_count, sizeof(*c->shards));
    buf_init(&c->answer, set->answer_max_bytes);
    buf_init(&c->authorization, AUTHORIZATION_MAX_BYTES);
    if (set->user_password) {
        buf_add_text(&c->authorization, "Authorization: Basic ");
        buf_add_base64(&c->authorization, set->user_password, strlen(set->user_password));
    }
    if (c->authorization.failed || !open_all(c, set)) {
        http_client_close(c);
        return err_set(err, OUTCOME_FATAL, "cannot set up the HTTP client");
    }
    *out = c;
    return OUTCOME_OK;
}

static void close_slot(struct slot *slot)
{
    if (slot->busy)
        (void)curl_multi_remove_handle(slot->shard->multi, slot->transfer.easy);
    http_transfer_close(&slot->transfer);
    buf_free(&slot->body);
}

void http_client_close(struct http_client *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->slot_count; i++)
        close_slot(&c->slots[i]);
    for (size_t i = 0; i < c->shard_count; i++) {
        curl_multi_cleanup(c->shards[i].multi);
        reactor_timer_free(c->shards[i].timer);
    }
    curl_share_cleanup(c->share);
    http_sockets_free(c->sockets);
    free(c->shards);
    free(c->slots);
    buf_free(&c->authorization);
    buf_free(&c->answer);
    free(c);
    curl_global_cleanup();
}

// --- the begin of a call ---

bool http_client_submit(struct http_client *c, const struct http_call *call,
                        http_done *done, void *arg)
{
    struct slot *slot = c->free;

    if (!slot)
        return false;
    c->free = slot->next;
    c->in_flight++;
    slot->busy = true;
    slot->gate = call->gate;
    slot->done = done;
    slot->arg = arg;
    slot->tries = 0;
    slot->left_us = slot->too_long = slot->was_seen = false;
    slot->error[0] = '\0';
    slot->began_us = clock_boot_us();
    buf_clear(&slot->body);
    http_transfer_set(&slot->transfer, call);
    // libcurl asks for a timer at once, so the transfer starts in this turn of the loop,
    // together with all others that are submitted in it.
    if (curl_multi_add_handle(slot->shard->multi, slot->transfer.easy) != CURLM_OK)
        abort();  // out of memory is all that can fail here
    return true;
}

size_t http_client_free_slots(const struct http_client *c)
{
    return c->slot_count - c->in_flight;
}

size_t http_client_in_flight(const struct http_client *c)
{
    return c->in_flight;
}
