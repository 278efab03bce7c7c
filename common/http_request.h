// http_request.h: one request and what the server answers by itself. Shared by the files
// of the HTTP server; others use http_server.h.
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "buf.h"
#include "form.h"
#include "http_head.h"
#include "http_server.h"

struct http_connection;
struct http_spares;

struct http_query {
    struct form form;
    bool is_read;
};

struct http_request {
    struct http_connection *connection;
    struct http_request *next;       // spare
    const struct http_route *route;  // NULL until found
    struct http_head head;           // its texts lie in text
    struct buf text, path, body;
    struct buf fields;         // of the answer, as they go out
    struct http_query *query;  // elsewhere: it is read when it is first asked for
    struct http_fault fault;
    bool in_handler;  // the handler runs; otherwise an answer comes later
    int64_t began_us;
    int status;  // 0 until answered
};

// http_request_new returns an empty request that began now. http_request_recycle counts
// its answer and takes it back; http_spares_free frees what is kept.
struct http_request *http_request_new(struct http_server *s, struct http_connection *c);
void http_request_recycle(struct http_server *s, struct http_request *req);
void http_spares_free(struct http_spares *spares);

// http_request_read reads a whole head and sets head, path and route; fault, if the
// server has to refuse it.
void http_request_read(struct http_request *req, const char *head, size_t len);

// http_request_breaks says whether nothing can follow such a refusal on the connection.
bool http_request_breaks(const struct http_request *req);

// http_request_refuse answers as req->fault says.
void http_request_refuse(struct http_request *req);

#endif
