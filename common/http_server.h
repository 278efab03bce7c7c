// http_server.h: HTTP/1.1 server on the reactor (RFC 9110, 9112). A handler may answer at
// once or later; each request is answered exactly once, in the order they came. What it
// refuses by itself, and with what, is the table in docs/reliability.md.
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base.h"
#include "http_answer.h"
#include "http_limits.h"

struct http_server;
struct http_request;
struct metrics;
struct reactor;

typedef void http_handler(void *arg, struct http_request *req);

// One row of a route table. Paths match exactly; a path that ends in '*' matches any
// rest, which http_request_rest returns; the closest row is taken. A known path with
// another method is 405 with Allow, an unknown path 404; HEAD is answered as GET without
// body, OPTIONS with Allow.
struct http_route {
    const char *method;  // "GET", "POST"; NULL ends the table
    const char *path;
    http_handler *fn;
    size_t body_max_bytes;     // a larger body is 413, before it is read
    const char *content_type;  // required of requests with a body, else 415; NULL = any
};

struct http_server_settings {
    const char *address;  // "127.0.0.1", "0.0.0.0", "::"
    int64_t port;         // 0 = any free one
    int64_t connections_max;
    size_t header_max_bytes;           // a larger header is 431
    const struct http_limits *limits;  // NULL = http_limits_default; borrowed until close
    const char *name;  // for metrics: smsq_http_requests_total{server="api"}
};

enum { HTTP_HEADER_MAX_BYTES = 16384 };

// http_server_open listens. routes, names and arg are borrowed until close. metrics may
// be NULL; of the servers of one process one gets them (series of a name stand in a row).
//   OUTCOME_FATAL  the port is in use or not allowed; the text names it.
MUST_CHECK enum outcome http_server_open(struct http_server **out, struct reactor *r,
                                         const struct http_server_settings *set,
                                         const struct http_route *routes, void *arg,
                                         struct metrics *metrics, struct err *err);

// http_server_port returns the port that is really listened on.
int http_server_port(const struct http_server *s);

// http_server_stop_listening refuses new connections; requests in hand go on.
// http_server_in_hand counts requests that were begun and not answered yet.
void http_server_stop_listening(struct http_server *s);
size_t http_server_in_hand(const struct http_server *s);

// http_server_close answers what is left with 503 and frees everything.
void http_server_close(struct http_server *s);

// A request is borrowed by the handler until it is answered (http_answer.h). Texts live
// as long.
const char *http_request_method(const struct http_request *req);
const char *http_request_target(const struct http_request *req);  // raw: path and query
const char *http_request_path(const struct http_request *req);    // decoded
const char *http_request_rest(const struct http_request *req);    // behind '*', or ""
const char *http_request_header(const struct http_request *req, const char *name);
size_t http_request_headers(const struct http_request *req, const char *name,
                            const char **values, size_t max);  // all, in their order
const char *http_request_query(const struct http_request *req, const char *name);
const char *http_request_body(const struct http_request *req, size_t *len);
const char *http_request_peer(const struct http_request *req);  // address as text
int64_t http_request_began_us(const struct http_request *req);  // clock_boot_us

// http_request_is_reused tells whether the connection had an answer before this request.
bool http_request_is_reused(const struct http_request *req);

// http_request_is_abandoned tells whether the peer sends no more: it has gone, or waits
// with its side closed. Asks the kernel.
bool http_request_is_abandoned(const struct http_request *req);

#endif
