#include "http_server.h"

#include "http_metrics.h"
#include "http_peers.h"
#include "http_request.h"
#include "http_server_state.h"
#include "metrics.h"
#include "reactor.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_TURN = 64,
    ACCEPT_PAUSE_US = 100000,  // when the process or the machine has no descriptors left
    REFUSED_MAX = 256,         // beyond the limits, until they have read their 503
};

const struct http_limits http_limits_default = {
    .header_timeout_us = 5000000,
    .body_timeout_us = 15000000,
    .idle_timeout_us = 75000000,
    .write_timeout_us = 15000000,
    .requests_per_connection = 10000,
    .connections_per_address = 0,
    .bodies_max_bytes = 268435456,
};

// --- deadlines ---

void http_server_watch_deadline(struct http_server *s, int64_t due_us)
{
    // Deadlines mostly move away; an early timer is left alone and corrects itself.
    if (reactor_timer_is_set(s->timer) && s->timer_due_us <= due_us)
        return;
    s->timer_due_us = due_us;
    reactor_timer_set(s->timer, due_us - clock_boot_us());
}

static void on_timer(void *arg)
{
    struct http_server *s = arg;
    int64_t now_us = clock_boot_us();
    int64_t next_us = INT64_MAX;

    for (int phase = 0; phase < HTTP_PHASES; phase++) {
        struct http_queue *q = &s->queues[phase];
        if (phase == HTTP_PHASE_HANDLER)
            continue;
        while (q->first && q->first->due_us <= now_us)
            http_connection_expire(q->first);
        if (q->first && q->first->due_us < next_us)
            next_us = q->first->due_us;
    }
    if (next_us != INT64_MAX)
        http_server_watch_deadline(s, next_us);
}

// --- connections that go on after an answer ---

void http_connection_ready(struct http_connection *c)
{
    struct http_server *s = c->server;

    if (!s->ready)
        reactor_timer_set(s->wake, 0);
    c->next_ready = s->ready;
    s->ready = c;
}

static void on_wake(void *arg)
{
    struct http_server *s = arg;

    while (s->ready) {
        struct http_connection *c = s->ready;
        s->ready = c->next_ready;
        http_connection_resume(c);
    }
}

// --- new connections ---

// Makes room by ending a connection that is done or idle; false when none is. Those that
// were refused have no place to give.
static bool end_idle(struct http_server *s)
{
    struct http_connection *c = s->queues[HTTP_PHASE_LINGER].first;

    while (c && !c->counted)
        c = c->next;
    if (!c)
        c = s->queues[HTTP_PHASE_IDLE].first;
    if (c)
        http_connection_drop(c);
    return c != NULL;
}

// An address that has too many connections ends nobody else's.
static void take(struct http_server *s, int fd, const struct sockaddr *address)
{
    struct http_peer *counted =
        http_peers_enter(s->peers, address, (size_t)s->limits->connections_per_address);
    bool full = counted && s->connections >= s->connections_max && !end_idle(s);

    if (full) {
        http_peers_leave(s->peers, counted);
        counted = NULL;
    }
    if (!counted && s->counted)
        metric_add(full ? s->refused_total : s->refused_address, 1);
    if (counted || s->refused < REFUSED_MAX)
        http_connection_open(s, fd, address, counted);
    else
        close(fd);
}

static void on_listening(void *arg, uint32_t events)
{
    struct http_server *s = arg;
    struct sockaddr_storage address;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        socklen_t len = sizeof(address);
        int fd = accept4(s->listen_fd, (struct sockaddr *)&address, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(s, fd, (const struct sockaddr *)&address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                   errno == ENOMEM) {
            (void)end_idle(s);
            reactor_unwatch(s->reactor, s->listen_fd);
            reactor_timer_set(s->pause, ACCEPT_PAUSE_US);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void on_pause(void *arg)
{
    struct http_server *s = arg;

    if (s->listen_fd < 0)
        return;
    if (reactor_watch(s->reactor, s->listen_fd, EPOLLIN, on_listening, s, NULL))
        reactor_timer_set(s->pause, ACCEPT_PAUSE_US);
}

// --- opening and closing ---

static void set_gauges(void *arg)
{
    const struct http_server *s = arg;
    metric_set(s->open, (double)(s->connections + s->refused));
}

static struct metric *declare(struct metrics *metrics, const char *name,
                              const char *server, const char *more, const char *help)
{
    struct buf labels = BUF_INIT(256);

    buf_addf(&labels, "server=\"%s\"%s", server, more);
    struct metric *metric = metrics_counter(metrics, name, buf_text(&labels), help);
    buf_free(&labels);
    return metric;
}

static size_t in_hand(void *arg)
{
    return http_server_in_hand(arg);
}

static void declare_metrics(struct http_server *s, struct metrics *metrics,
                            const char *name)
{
    static const char refused[] = "smsq_http_connections_refused_total";
    static const char refused_help[] = "Connections that got 503: too many.";
    struct buf labels = BUF_INIT(256);

    s->metrics = metrics;
    s->refused_total = declare(metrics, refused, name, ",reason=\"all\"", refused_help);
    s->refused_address =
        declare(metrics, refused, name, ",reason=\"address\"", refused_help);
    s->late = declare(metrics, "smsq_http_timeouts_total", name, "",
                      "Requests that took too long to come.");
    buf_addf(&labels, "server=\"%s\"", name);
    s->counted = http_metrics_new(metrics, name, s->routes, in_hand, s);
    s->open = metrics_gauge(metrics, "smsq_http_connections", buf_text(&labels),
                            "Open connections.");
    metrics_before_render(metrics, set_gauges, s);
    buf_free(&labels);
}

enum outcome http_server_open(struct http_server **out, struct reactor *r,
                              const struct http_server_settings *set,
                              const struct http_route *routes, void *arg,
                              struct metrics *metrics, struct err *err)
{
    struct http_server *s = xcalloc(1, sizeof(*s));

    s->reactor = r;
    s->timer = reactor_timer_new(r, on_timer, s);
    s->wake = reactor_timer_new(r, on_wake, s);
    s->pause = reactor_timer_new(r, on_pause, s);
    s->peers = http_peers_new();
    s->listen_fd = -1;
    s->routes = routes;
    s->arg = arg;
    s->limits = set->limits ? set->limits : &http_limits_default;
    s->header_max_bytes = s->spares.header_max_bytes = set->header_max_bytes;
    s->connections_max = (size_t)set->connections_max;
    if (http_listen(&s->listen_fd, &s->port, set->address, set->port, err) ||
        reactor_watch(r, s->listen_fd, EPOLLIN, on_listening, s, err)) {
        http_server_close(s);
        return OUTCOME_FATAL;
    }
    if (metrics)
        declare_metrics(s, metrics, set->name);
    *out = s;
    return OUTCOME_OK;
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

void http_server_stop_listening(struct http_server *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    reactor_timer_stop(s->pause);
    if (s->listen_fd < 0)
        return;
    reactor_unwatch(s->reactor, s->listen_fd);
    close(s->listen_fd);
    s->listen_fd = -1;
}

size_t http_server_in_hand(const struct http_server *s)
{
    return s->requests + s->queues[HTTP_PHASE_WRITE].count;
}

// Those that were answered already may have the next request behind: it is not begun.
static void answer_suspended(struct http_server *s)
{
    static const struct http_header later[] = { { "Retry-After", "1" }, { NULL, NULL } };
    static const struct http_problem problem = {
        503, "stopping", "this server is stopping; try again, another one will answer",
        NULL, later
    };
    const struct http_queue *q = &s->queues[HTTP_PHASE_HANDLER];

    for (struct http_connection *c = q->first; c; c = c->next) {
        c->last = true;
        if (c->req->status == 0 && !c->cut)
            http_problem(c->req, &problem);
    }
    on_wake(s);
}

void http_server_close(struct http_server *s)
{
    if (!s)
        return;
    http_server_stop_listening(s);
    answer_suspended(s);
    for (int phase = 0; phase < HTTP_PHASES; phase++)
        while (s->queues[phase].first)
            http_connection_drop(s->queues[phase].first);
    reactor_timer_free(s->timer);
    reactor_timer_free(s->wake);
    reactor_timer_free(s->pause);
    http_peers_free(s->peers);
    http_spares_free(&s->spares);
    http_metrics_free(s->counted);
    if (s->metrics)
        metrics_forget(s->metrics, s);
    free(s);
}
