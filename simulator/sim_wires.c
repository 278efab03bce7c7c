#include "sim_wires.h"
#include "buf.h"
#include "reactor.h"
#include "sim_reply.h"
#include "sim_wire_request.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REQUEST_MAX_BYTES = 131072,
    READ_BYTES = 4096,
    KEEP_BYTES = 65536,  // of a wire's memory for answers
    BUCKETS = 256,       // of kept connections, by address
    WATCH_MS = 20,       // how exactly times are kept
};

enum wire_state {
    WIRE_CLOSED,
    WIRE_KEPT,  // open and idle
    WIRE_CONNECTING,
    WIRE_BUSY,     // sends, or waits for the answer
    WIRE_REFUSED,  // could not connect; its caller learns it in the next turn
};

// A connection, and the call it carries. Free ones, closed or kept, are in a list: those
// that are kept in that of their address.
struct wire {
    struct sim_wires *owner;
    struct wire *prev, *next;
    enum wire_state state;
    int fd;
    uint32_t events;
    struct sockaddr_in address;
    bool is_used;  // had an answer before this call
    struct buf out, in;
    size_t sent;
    struct sim_reply reply;
    int64_t read_us, connect_due_us, due_us, quiet_due_us;  // clock_boot_us
    sim_call_done *done;
    void *arg;
};

struct sim_wires {
    struct reactor *reactor;
    struct reactor_timer *timer;
    struct wire *wires;
    size_t count, flying;
    struct wire lists[BUCKETS + 1];  // heads; the last one holds closed wires
};

// --- lists ---

static struct wire *list_of(struct sim_wires *w, const struct sockaddr_in *address)
{
    uint32_t mixed = (address->sin_addr.s_addr ^ address->sin_port) * 2654435761U;
    return &w->lists[mixed >> 24];
}

static void leave_list(struct wire *x)
{
    x->prev->next = x->next;
    x->next->prev = x->prev;
}

static void enter_list(struct wire *x, struct wire *head)
{
    x->prev = head;
    x->next = head->next;
    x->next->prev = x;
    head->next = x;
}

// --- connections ---

static void on_event(void *arg, uint32_t events);

static void watch(struct wire *x, uint32_t events)
{
    if (x->events == events)
        return;
    x->events = events;
    if (reactor_watch(x->owner->reactor, x->fd, events, on_event, x, NULL))
        x->state = WIRE_REFUSED;
}

static void disconnect(struct wire *x)
{
    if (x->fd < 0)
        return;
    reactor_unwatch(x->owner->reactor, x->fd);
    close(x->fd);
    x->fd = -1;
    x->events = 0;
}

// Gives the wire back: kept, or closed.
static void release(struct wire *x, bool keeps)
{
    x->owner->flying--;
    if (!keeps)
        disconnect(x);
    x->state = keeps ? WIRE_KEPT : WIRE_CLOSED;
    x->is_used = keeps;
    if (x->in.room > KEEP_BYTES)
        buf_free(&x->in);
    buf_clear(&x->in);
    enter_list(x, keeps ? list_of(x->owner, &x->address) : &x->owner->lists[BUCKETS]);
}

static void finish(struct wire *x, int status, unsigned failure, bool keeps)
{
    // The answer stays readable until the next call on this wire.
    const struct sim_call_answer answer = {
        .status = status,
        .failure = failure,
        .content_type = status ? x->reply.content_type : "",
        .body = status ? buf_text(&x->in) + x->reply.body_at : "",
        .body_len = status ? x->reply.body_len : 0,
    };
    sim_call_done *done = x->done;

    done(x->arg, &answer);
    release(x, keeps);
}

static unsigned failure_of(int status)
{
    return status >= 500 ? SIM_URL_RETRY_5XX : status >= 400 ? SIM_URL_RETRY_4XX : 0;
}

static void send_rest(struct wire *x)
{
    while (x->sent < x->out.len) {
        ssize_t n =
            send(x->fd, x->out.bytes + x->sent, x->out.len - x->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        x->sent += (size_t)n;
    }
    // What cannot be sent for good shows when the answer is read.
    watch(x, x->sent < x->out.len && errno == EAGAIN ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void connect_wire(struct wire *x)
{
    const int yes = 1;

    x->sent = 0;
    x->is_used = false;
    x->reply = (struct sim_reply){ 0 };
    x->state = WIRE_REFUSED;
    x->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (x->fd < 0)
        return;
    (void)setsockopt(x->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    int rc = connect(x->fd, (struct sockaddr *)&x->address, sizeof(x->address));
    if (rc < 0 && errno != EINPROGRESS)
        return;
    x->state = WIRE_CONNECTING;
    watch(x, EPOLLOUT);
}

// The connection is gone. A kept one may have been closed before it saw the request.
static void on_lost(struct wire *x)
{
    bool is_stale = x->is_used && x->in.len == 0;

    disconnect(x);
    if (is_stale)
        connect_wire(x);
    else
        finish(x, 0, x->in.len ? 0 : SIM_URL_RETRY_READ, false);
    if (x->state == WIRE_REFUSED)
        finish(x, 0, SIM_URL_RETRY_CONNECT, false);
}

static void on_connected(struct wire *x)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
        finish(x, 0, SIM_URL_RETRY_CONNECT, false);
        return;
    }
    x->state = WIRE_BUSY;
    x->quiet_due_us = clock_boot_us() + x->read_us;
    send_rest(x);
}

static void on_bytes(struct wire *x)
{
    char bytes[READ_BYTES];
    ssize_t n = recv(x->fd, bytes, sizeof(bytes), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        buf_add(&x->in, bytes, (size_t)n);
    if (n < 0 || (n == 0 && x->in.len == 0)) {
        on_lost(x);
        return;
    }
    switch (x->in.failed ? SIM_REPLY_BAD
                         : sim_reply_read(&x->reply, &x->in, SIM_CALLER_ANSWER_MAX_BYTES,
                                          n == 0)) {
    case SIM_REPLY_MORE:
        x->quiet_due_us = clock_boot_us() + x->read_us;
        return;
    case SIM_REPLY_WHOLE:
        finish(x, x->reply.status, failure_of(x->reply.status),
               x->reply.keeps && n > 0 && x->sent == x->out.len);
        return;
    default:
        finish(x, 0, 0, false);  // an answer that came in part is not asked for again
    }
}

static void on_event(void *arg, uint32_t events)
{
    struct wire *x = arg;

    switch (x->state) {
    case WIRE_KEPT:  // closed by the other side
        leave_list(x);
        disconnect(x);
        x->state = WIRE_CLOSED;
        enter_list(x, &x->owner->lists[BUCKETS]);
        return;
    case WIRE_CONNECTING:
        on_connected(x);
        return;
    case WIRE_BUSY:
        if ((events & EPOLLOUT) && !(events & EPOLLIN))
            send_rest(x);
        else
            on_bytes(x);
        return;
    default:
        return;
    }
}

static void check_time(struct wire *x, int64_t now_us)
{
    if (x->state == WIRE_REFUSED)
        finish(x, 0, SIM_URL_RETRY_CONNECT, false);
    else if (x->state == WIRE_CONNECTING && now_us >= x->connect_due_us)
        finish(x, 0, SIM_URL_RETRY_CONNECT, false);
    else if (x->state == WIRE_BUSY && (now_us >= x->due_us || now_us >= x->quiet_due_us))
        finish(x, 0, x->in.len ? 0 : SIM_URL_RETRY_READ, false);
}

static void on_timer(void *arg)
{
    struct sim_wires *w = arg;
    int64_t now_us = clock_boot_us();

    for (size_t i = 0; i < w->count; i++)
        check_time(&w->wires[i], now_us);
    if (w->flying)
        reactor_timer_set(w->timer, WATCH_MS * 1000);
}

// --- calls ---

// Returns a wire for that address: a kept one, a closed one, or a kept one of another
// address, closed now; NULL when all are busy.
static struct wire *take(struct sim_wires *w, const struct sockaddr_in *address)
{
    struct wire *head = list_of(w, address), *closed = &w->lists[BUCKETS];
    struct wire *found = NULL;

    for (struct wire *x = head->next; x != head && !found; x = x->next)
        if (x->address.sin_addr.s_addr == address->sin_addr.s_addr &&
            x->address.sin_port == address->sin_port)
            found = x;
    if (!found && closed->next != closed)
        found = closed->next;
    for (size_t i = 0; i < BUCKETS && !found; i++)
        if (w->lists[i].next != &w->lists[i]) {
            found = w->lists[i].prev;
            disconnect(found);
            found->state = WIRE_CLOSED;
        }
    if (found)
        leave_list(found);
    return found;
}

bool sim_wires_submit(struct sim_wires *w, const struct sim_call *call,
                      const struct sim_wire_target *target, sim_call_done *done,
                      void *arg)
{
    int64_t now_us = clock_boot_us();
    struct wire *x = take(w, &target->address);

    if (!x)
        return false;
    w->flying++;
    sim_wire_request(&x->out, call, target);
    x->done = done;
    x->arg = arg;
    x->read_us = call->read_us;
    x->connect_due_us = now_us + call->connect_us;
    x->due_us = now_us + call->total_us;
    x->quiet_due_us = now_us + call->read_us;
    x->address = target->address;
    x->sent = 0;
    x->reply = (struct sim_reply){ 0 };
    if (x->state == WIRE_KEPT) {
        x->state = WIRE_BUSY;
        send_rest(x);
    } else {
        connect_wire(x);
    }
    if (x->state == WIRE_REFUSED)
        reactor_timer_set(w->timer, 0);
    else if (!reactor_timer_is_set(w->timer))
        reactor_timer_set(w->timer, WATCH_MS * 1000);
    return true;
}

struct sim_wires *sim_wires_new(struct reactor *r, size_t count)
{
    struct sim_wires *w = xcalloc(1, sizeof(*w));

    w->reactor = r;
    w->timer = reactor_timer_new(r, on_timer, w);
    w->wires = xcalloc(count, sizeof(*w->wires));
    w->count = count;
    for (size_t i = 0; i <= BUCKETS; i++)
        w->lists[i].prev = w->lists[i].next = &w->lists[i];
    for (size_t i = 0; i < count; i++) {
        struct wire *x = &w->wires[i];
        x->owner = w;
        x->fd = -1;
        buf_init(&x->out, REQUEST_MAX_BYTES);
        buf_init(&x->in, SIM_REPLY_HEAD_MAX_BYTES + SIM_CALLER_ANSWER_MAX_BYTES * 2);
        enter_list(x, &w->lists[BUCKETS]);
    }
    return w;
}

void sim_wires_free(struct sim_wires *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++) {
        disconnect(&w->wires[i]);
        buf_free(&w->wires[i].out);
        buf_free(&w->wires[i].in);
    }
    free(w->wires);
    reactor_timer_free(w->timer);
    free(w);
}
