#include "http_connection.h"

#include "http_input.h"
#include "http_peers.h"
#include "http_request.h"
#include "http_server_state.h"
#include "metrics.h"
#include "reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUT_MAX_BYTES = 1 << 30,
    KEEP_OUT_BYTES = 4096,  // of memory, between answers
    LINGER_US = 2000000,
    LINGER_MAX_BYTES = 1 << 20,  // of a refused body, so that its sender reads why
};

static void on_event(void *arg, uint32_t events);

// --- phases ---

static void queue_leave(struct http_connection *c)
{
    struct http_queue *q = &c->server->queues[c->phase];

    if (c->prev)
        c->prev->next = c->next;
    else
        q->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        q->last = c->prev;
    q->count--;
}

static int64_t timeout_us(const struct http_limits *limits, enum http_phase phase)
{
    switch (phase) {
    case HTTP_PHASE_IDLE:
        return limits->idle_timeout_us;
    case HTTP_PHASE_HEAD:
        return limits->header_timeout_us;
    case HTTP_PHASE_BODY:
        return limits->body_timeout_us;
    case HTTP_PHASE_WRITE:
        return limits->write_timeout_us;
    default:
        return LINGER_US;
    }
}

static void queue_enter(struct http_connection *c, enum http_phase phase)
{
    struct http_server *s = c->server;
    struct http_queue *q = &s->queues[phase];

    c->phase = phase;
    c->prev = q->last;
    c->next = NULL;
    if (q->last)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
    q->count++;
    if (phase == HTTP_PHASE_HANDLER)
        return;
    c->due_us = clock_boot_us() + timeout_us(s->limits, phase);
    http_server_watch_deadline(s, c->due_us);
}

void http_connection_move(struct http_connection *c, enum http_phase phase)
{
    queue_leave(c);
    queue_enter(c, phase);
}

size_t http_connection_unsent(const struct http_connection *c)
{
    return c->out.len - c->sent_bytes;
}

// --- the end ---

// The count that c is part of.
static size_t *places_of(const struct http_connection *c)
{
    return c->counted ? &c->server->connections : &c->server->refused;
}

static void free_connection(struct http_connection *c)
{
    queue_leave(c);
    buf_free(&c->in);
    buf_free(&c->out);
    free(c);
}

void http_connection_drop(struct http_connection *c)
{
    struct http_server *s = c->server;

    reactor_unwatch(s->reactor, c->fd);
    close(c->fd);
    c->fd = -1;
    --*places_of(c);
    http_peers_leave(s->peers, c->counted);
    if (c->req && c->phase != HTTP_PHASE_HANDLER) {
        s->requests--;
        http_request_recycle(s, c->req);
        c->req = NULL;
    }
    if (!c->req)
        free_connection(c);
}

// --- writing ---

// Returns false when the connection is lost; c is dropped then.
static bool flush(struct http_connection *c)
{
    if (c->out.failed) {  // half an answer is worse than none
        http_connection_drop(c);
        return false;
    }
    while (http_connection_unsent(c) > 0) {
        ssize_t sent = send(c->fd, c->out.bytes + c->sent_bytes,
                            http_connection_unsent(c), MSG_NOSIGNAL);
        if (sent > 0) {
            c->sent_bytes += (size_t)sent;
        } else if (errno == EAGAIN) {
            return true;
        } else if (errno != EINTR) {
            http_connection_drop(c);
            return false;
        }
    }
    c->sent_bytes = 0;
    buf_clear(&c->out);
    if (c->out.room > KEEP_OUT_BYTES)
        buf_free(&c->out);
    return true;
}

// A watched fd can always be watched for something else; were it not so, the deadline of
// the phase would end the connection.
static void watch(struct http_connection *c, uint32_t events)
{
    if (c->events == events)
        return;
    c->events = events;
    if (reactor_watch(c->server->reactor, c->fd, events, on_event, c, NULL))
        (void)shutdown(c->fd, SHUT_RDWR);
}

// The answers are out. A close while the peer still sends would be a reset, which may
// take the last answer away from it: so it is told, and what comes is dropped for a
// while.
static void linger(struct http_connection *c)
{
    if (c->eof) {
        http_connection_drop(c);
        return;
    }
    (void)shutdown(c->fd, SHUT_WR);
    http_connection_move(c, HTTP_PHASE_LINGER);
    watch(c, EPOLLIN);
}

// Chooses what c waits for next; c may be gone afterwards.
static void settle(struct http_connection *c)
{
    if (http_connection_unsent(c) > 0) {
        if (c->phase == HTTP_PHASE_IDLE)
            http_connection_move(c, HTTP_PHASE_WRITE);
        watch(c, EPOLLOUT);
    } else if (c->phase == HTTP_PHASE_HANDLER) {
        watch(c, c->events & EPOLLIN);  // on_event ends that if something comes
    } else if (c->last) {
        linger(c);
    } else {
        watch(c, EPOLLIN);
    }
}

// --- going on ---

// Works on what came before; returns how much was used.
static size_t consume_kept(struct http_connection *c)
{
    size_t used = c->in.len > 0 ? http_input_consume(c, c->in.bytes, c->in.len) : 0;

    c->in.len -= used;
    if (used > 0 && c->in.len > 0)
        memmove(c->in.bytes, c->in.bytes + used, c->in.len);
    else if (c->in.len == 0)
        buf_free(&c->in);
    return used;
}

static bool has_begun(const struct http_connection *c)
{
    return c->in.len > (c->scan.had_blank ? 2 : 0);
}

// The peer sends no more, and all that it sent was looked at.
static void end_input(struct http_connection *c)
{
    if (c->phase == HTTP_PHASE_BODY || has_begun(c))
        http_input_refuse(c, HTTP_REFUSAL_MALFORMED,
                          "the request ended before it was whole");
    c->last = true;
}

// Goes on as far as it is possible now; c may be gone afterwards.
static void advance(struct http_connection *c)
{
    size_t used;

    do {
        if (!flush(c))
            return;
        if (c->cut) {
            http_connection_drop(c);
            return;
        }
        if (c->phase == HTTP_PHASE_WRITE && http_connection_unsent(c) == 0)
            http_connection_move(c, HTTP_PHASE_IDLE);
        used = consume_kept(c);
    } while (used > 0);

    if (c->eof && http_input_is_taken(c)) {
        end_input(c);
        if (!flush(c))
            return;
    }
    settle(c);
}

void http_connection_resume(struct http_connection *c)
{
    http_input_finish(c);
    if (c->fd < 0)
        free_connection(c);
    else
        advance(c);
}

static size_t read_size(const struct http_connection *c)
{
    size_t most = c->server->header_max_bytes;

    if (c->phase == HTTP_PHASE_BODY && c->body_left > most)
        most = c->body_left;
    return most < HTTP_SCRATCH_BYTES ? most : HTTP_SCRATCH_BYTES;
}

static void receive(struct http_connection *c)
{
    char *bytes = c->server->scratch;
    ssize_t got = recv(c->fd, bytes, read_size(c), 0);

    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR)
            http_connection_drop(c);
        return;
    }
    c->eof = got == 0;
    size_t used = c->in.len == 0 ? http_input_consume(c, bytes, (size_t)got) : 0;
    if (used < (size_t)got)
        buf_add(&c->in, bytes + used, (size_t)got - used);
    advance(c);
}

static void drop_input(struct http_connection *c)
{
    ssize_t got = recv(c->fd, c->server->scratch, HTTP_SCRATCH_BYTES, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    c->lingered_bytes += got > 0 ? (size_t)got : 0;
    if (got <= 0 || c->lingered_bytes > LINGER_MAX_BYTES)
        http_connection_drop(c);
}

static void on_event(void *arg, uint32_t events)
{
    struct http_connection *c = arg;

    if (c->phase == HTTP_PHASE_LINGER)
        drop_input(c);
    else if (events & EPOLLOUT || c->phase == HTTP_PHASE_WRITE)
        advance(c);
    else if (c->phase != HTTP_PHASE_HANDLER)
        receive(c);
    else if (events & (EPOLLERR | EPOLLHUP))
        http_connection_drop(c);
    else
        watch(c, c->events & ~(uint32_t)EPOLLIN);  // it is read after the answer
}

// --- beginning, and deadlines ---

void http_connection_open(struct http_server *s, int fd, const struct sockaddr *address,
                          struct http_peer *counted)
{
    struct http_connection *c = xcalloc(1, sizeof(*c));

    c->server = s;
    c->fd = fd;
    c->counted = counted;
    http_peer_text(c->peer, address);
    buf_init(&c->in, s->header_max_bytes + HTTP_SCRATCH_BYTES);
    buf_init(&c->out, OUT_MAX_BYTES);
    ++*places_of(c);
    queue_enter(c, HTTP_PHASE_HEAD);
    watch(c, EPOLLIN);
    if (counted)
        return;
    http_input_refuse(c, HTTP_REFUSAL_CONNECTIONS, NULL);
    advance(c);
}

void http_connection_expire(struct http_connection *c)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

    if (c->phase == HTTP_PHASE_BODY || (c->phase == HTTP_PHASE_HEAD && has_begun(c))) {
        if (c->server->late)
            metric_add(c->server->late, 1);
        http_input_refuse(c, HTTP_REFUSAL_LATE, NULL);
        advance(c);
        return;
    }
    if (c->phase == HTTP_PHASE_WRITE)  // the kernel need not keep it either
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    http_connection_drop(c);
}
