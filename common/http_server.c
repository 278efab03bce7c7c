#include "http_server.h"

#include "http_listen.h"
#include "http_request.h"
#include "metrics.h"
#include "reactor.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ANSWER_HEADER_BYTES = 16384,  // beside the request's header, per connection
    STATUS_CLASSES = 6,           // by the first digit
    CLOSE_TURNS = 4,              // to write the last answers
};

struct http_server {
    struct reactor *reactor;
    struct reactor_timer *timer;  // libmicrohttpd's own deadlines
    int64_t timer_due_us;
    struct MHD_Daemon *daemon;
    int listen_fd;  // -1 once closed
    int epoll_fd;   // the daemon's, -1 before it runs
    int port;
    const struct http_route *routes;
    void *arg;
    size_t header_max_bytes;
    size_t connections, connections_max;
    bool stopping;
    bool woken;  // it must run once more, soon
    struct http_request *in_hand;
    size_t in_hand_count;
    struct http_spares spares;
    struct metric *answers[STATUS_CLASSES];  // NULL without metrics
    struct metric *seconds;
};

// --- the event loop ---

static void run_in(struct http_server *s, int64_t delay_us)
{
    int64_t due_us = clock_boot_us() + delay_us;

    // Deadlines mostly move away; an early timer is left alone and corrects itself.
    if (reactor_timer_is_set(s->timer) && s->timer_due_us <= due_us)
        return;
    s->timer_due_us = due_us;
    reactor_timer_set(s->timer, delay_us);
}

void http_server_wake(struct http_server *s)
{
    if (s->woken)
        return;
    s->woken = true;
    run_in(s, 0);
}

static void run(void *arg)
{
    struct http_server *s = arg;
    unsigned long long left_ms;

    if (s->woken)
        reactor_timer_stop(s->timer);
    s->woken = false;
    (void)MHD_run(s->daemon);
    if (MHD_get_timeout(s->daemon, &left_ms) == MHD_YES)
        run_in(s, (int64_t)left_ms * 1000);
}

static void on_ready(void *arg, uint32_t events)
{
    (void)events;
    run(arg);
}

// --- requests ---

static void take_in_hand(struct http_server *s, struct http_request *req)
{
    req->in_hand = true;
    req->next = s->in_hand;
    if (req->next)
        req->next->prev = req;
    s->in_hand = req;
    s->in_hand_count++;
}

static void leave_hand(struct http_server *s, struct http_request *req)
{
    if (!req->in_hand)
        return;
    if (req->next)
        req->next->prev = req->prev;
    if (req->prev)
        req->prev->next = req->next;
    else
        s->in_hand = req->next;
    s->in_hand_count--;
}

// libmicrohttpd decodes the target in place after this: the only chance to see it raw.
static void *on_target(void *arg, const char *target, struct MHD_Connection *connection)
{
    struct http_server *s = arg;
    struct http_request *req = http_request_new(&s->spares);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    req->server = s;
    req->routes = s->routes;
    req->connection = connection;
    req->peer = info->socket_context;
    buf_add_text(&req->target, target ? target : "");
    return req;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *s = arg;
    struct http_request *req = *context;

    (void)connection;
    (void)code;
    if (!req)
        return;
    *context = NULL;
    leave_hand(s, req);
    if (req->response)
        MHD_destroy_response(req->response);
    if (req->status != 0 && s->seconds) {
        metric_add(s->answers[req->status / 100], 1);
        metric_observe_us(s->seconds, clock_boot_us() - req->began_us);
    }
    http_request_recycle(&s->spares, req);
}

static enum MHD_Result queue_answer(struct http_request *req, bool last)
{
    struct MHD_Response *response = req->response;

    req->response = NULL;
    if (last || req->server->stopping)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result rc =
        MHD_queue_response(req->connection, (unsigned)req->status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result on_head(struct http_request *req, const char *version)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(req->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    take_in_hand(req->server, req);
    req->stage = HTTP_STAGE_BODY;
    if (!http_request_judge(req, version,
                            size->header_size > req->server->header_max_bytes))
        return MHD_YES;
    http_request_refuse(req);
    return queue_answer(req, true);
}

// What a refused request still sends is dropped up to a limit, so that its sender reads
// the answer instead of a broken connection; beyond it, the connection ends.
static enum MHD_Result on_body(struct http_request *req, const char *bytes, size_t *len)
{
    if (req->refusal == HTTP_REFUSAL_NONE) {
        buf_add(&req->body, bytes, *len);
        if (req->body.failed)
            req->refusal = HTTP_REFUSAL_BODY;
    }
    if (req->refusal != HTTP_REFUSAL_NONE)
        req->dropped_bytes += *len;
    *len = 0;
    return req->dropped_bytes > HTTP_DROP_MAX_BYTES ? MHD_NO : MHD_YES;
}

// Runs when the request is complete, and again after it was resumed with an answer.
static enum MHD_Result on_whole(struct http_request *req)
{
    if (req->cut)
        return MHD_NO;
    if (req->refusal != HTTP_REFUSAL_NONE && req->status == 0) {
        http_request_refuse(req);
    } else if (req->status == 0) {
        req->stage = HTTP_STAGE_HANDLER;
        req->route->fn(req->server->arg, req);
    }
    if (req->cut)
        return MHD_NO;
    ((char *)req->peer)[HTTP_PEER_BYTES] = 1;
    if (req->status != 0)
        return queue_answer(req, false);
    req->stage = HTTP_STAGE_SUSPENDED;
    MHD_suspend_connection(req->connection);
    return MHD_YES;
}

static enum MHD_Result on_access(void *arg, struct MHD_Connection *connection,
                                 const char *url, const char *method, const char *version,
                                 const char *body, size_t *body_len, void **context)
{
    struct http_request *req = *context;

    (void)arg;
    (void)connection;
    if (!req)
        return MHD_NO;
    if (req->stage == HTTP_STAGE_TARGET) {
        req->method = method;
        req->path = url;
        return on_head(req, version);
    }
    return *body_len > 0 ? on_body(req, body, body_len) : on_whole(req);
}

// --- connections ---

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = arg;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        char *peer = xcalloc(1, HTTP_PEER_BYTES + 1);
        http_peer_text(peer, info->client_addr);
        *context = peer;
        s->connections++;
        return;
    }
    if (s->connections-- == s->connections_max)
        http_server_wake(s);  // it listens again only when it runs once more
    free(*context);
}

// --- opening and closing ---

static enum outcome start_daemon(struct http_server *s,
                                 const struct http_server_settings *set, struct err *err)
{
    // MHD_OPTION_STRICT_FOR_CLIENT stays 0: level 1 of 0.9.75 adds two checks that the
    // guard makes itself, and answers a missing Host with its header written twice.
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, s->listen_fd, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)set->connections_max, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT,
          (intptr_t)((set->idle_timeout_us + 999999) / 1000000), NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT,
          (intptr_t)(set->header_max_bytes + ANSWER_HEADER_BYTES), NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, s },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s },
        { MHD_OPTION_END, 0, NULL },
    };

    s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                                 on_access, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!s->daemon)
        return err_set(err, OUTCOME_FATAL, "cannot start the HTTP server: %s",
                       strerror(errno));
    s->epoll_fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return reactor_watch(s->reactor, s->epoll_fd, EPOLLIN, on_ready, s, err);
}

static void declare_metrics(struct http_server *s, struct metrics *metrics,
                            const char *name)
{
    static const char *const classes[] = { "2xx", "3xx", "4xx", "5xx" };
    struct buf labels = BUF_INIT(256);

    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        buf_clear(&labels);
        buf_addf(&labels, "server=\"%s\",code=\"%s\"", name, classes[i]);
        s->answers[i + 2] = metrics_counter(metrics, "smsq_http_requests_total",
                                            buf_text(&labels), "HTTP requests answered");
    }
    buf_clear(&labels);
    buf_addf(&labels, "server=\"%s\"", name);
    s->seconds = metrics_histogram(metrics, "smsq_http_request_seconds",
                                   buf_text(&labels), "from request line to last byte",
                                   metrics_latency, metrics_latency_count);
    buf_free(&labels);
}

enum outcome http_server_open(struct http_server **out, struct reactor *r,
                              const struct http_server_settings *set,
                              const struct http_route *routes, void *arg,
                              struct metrics *metrics, struct err *err)
{
    struct http_server *s = xcalloc(1, sizeof(*s));

    s->reactor = r;
    s->timer = reactor_timer_new(r, run, s);
    s->listen_fd = s->epoll_fd = -1;
    s->routes = routes;
    s->arg = arg;
    s->spares.target_max_bytes = set->header_max_bytes + ANSWER_HEADER_BYTES;
    s->header_max_bytes = set->header_max_bytes;
    s->connections_max = (size_t)set->connections_max;
    if (http_listen(&s->listen_fd, &s->port, set->address, set->port, err) ||
        start_daemon(s, set, err)) {
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
    if (s->daemon)
        (void)MHD_quiesce_daemon(s->daemon);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    s->listen_fd = -1;
}

size_t http_server_in_hand(const struct http_server *s)
{
    return s->in_hand_count;
}

static void answer_suspended(struct http_server *s)
{
    static const struct http_header later[] = { { "Retry-After", "1" }, { NULL, NULL } };
    static const struct http_problem problem = {
        MHD_HTTP_SERVICE_UNAVAILABLE, "stopping",
        "this server is stopping; try again, another one will answer", NULL, later
    };

    for (struct http_request *req = s->in_hand; req; req = req->next)
        if (req->stage == HTTP_STAGE_SUSPENDED && req->status == 0)
            http_problem(req, &problem);
}

void http_server_close(struct http_server *s)
{
    if (!s)
        return;
    http_server_stop_listening(s);
    if (s->epoll_fd >= 0)
        reactor_unwatch(s->reactor, s->epoll_fd);
    if (s->daemon) {
        answer_suspended(s);
        for (size_t i = 0; i < CLOSE_TURNS; i++)
            (void)MHD_run(s->daemon);
        MHD_stop_daemon(s->daemon);
    }
    reactor_timer_free(s->timer);
    http_spares_free(&s->spares);
    free(s);
}
