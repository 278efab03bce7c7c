// http_server_state.h: what one HTTP server holds. Shared by its files; others use
// http_server.h.
#ifndef HTTP_SERVER_STATE_H
#define HTTP_SERVER_STATE_H

#include "http_connection.h"
#include "http_server.h"

struct http_peers;
struct http_metrics;
struct metric;
struct reactor;
struct reactor_timer;

// Connections of one phase, the one with the nearest deadline first: all of a phase have
// the same time (but for a while, after that was changed by SIGHUP).
struct http_queue {
    struct http_connection *first, *last;
    size_t count;
};

// Requests kept for reuse: no allocation per request.
struct http_spares {
    size_t header_max_bytes;
    struct http_request *first;
    size_t count;
};

enum { HTTP_DATE_BYTES = 32, HTTP_SCRATCH_BYTES = 65536 };

struct http_server {
    struct reactor *reactor;
    struct reactor_timer *timer;  // the nearest deadline, or sooner
    int64_t timer_due_us;
    struct reactor_timer *wake;   // runs what is ready
    struct reactor_timer *pause;  // between failures to accept
    int listen_fd;                // -1 once closed
    int port;
    const struct http_route *routes;
    void *arg;
    const struct http_limits *limits;
    size_t header_max_bytes;
    size_t connections, connections_max;
    size_t refused;  // connections without a place, until they have read their 503
    struct http_peers *peers;
    struct http_queue queues[HTTP_PHASES];
    struct http_connection *ready;  // answered by their handlers
    struct http_spares spares;
    size_t requests;      // begun and not answered
    size_t bodies_bytes;  // that all of them hold
    bool stopping;
    int64_t date_s;  // of date
    char date[HTTP_DATE_BYTES];
    struct metrics *metrics;  // NULL without metrics, as the next five
    struct http_metrics *counted;
    struct metric *late, *refused_total, *refused_address, *open;
    char scratch[HTTP_SCRATCH_BYTES];  // what a read brings, before it has a place
};

// http_server_watch_deadline makes the server look when this one is due.
void http_server_watch_deadline(struct http_server *s, int64_t due_us);

#endif
