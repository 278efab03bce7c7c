// http_request.h: what http_server.c and http_request.c share about one request. Others
// use http_server.h.
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "buf.h"
#include "http_server.h"

struct MHD_Connection;
struct MHD_Response;

enum http_stage {
    HTTP_STAGE_TARGET,     // the request line is there, fields are still coming
    HTTP_STAGE_BODY,       // header read, body coming; refused ones are read and dropped
    HTTP_STAGE_HANDLER,    // the handler runs
    HTTP_STAGE_SUSPENDED,  // it will answer later
};

// Why the server answers by itself, without a handler.
enum http_refusal {
    HTTP_REFUSAL_NONE,
    HTTP_REFUSAL_OPTIONS,    // not an error: it asked what it may do
    HTTP_REFUSAL_MALFORMED,  // complaint says how
    HTTP_REFUSAL_HEADER,
    HTTP_REFUSAL_PATH,
    HTTP_REFUSAL_METHOD,
    HTTP_REFUSAL_MEDIA,
    HTTP_REFUSAL_BODY,
};

struct http_request {
    struct http_server *server;
    struct http_request *prev, *next;  // in the list of those in hand, or spare
    struct MHD_Connection *connection;
    const struct http_route *routes;  // the whole table
    const struct http_route *route;   // NULL until found
    const char *method, *path;        // the connection's, until the request ends
    const char *peer;                 // likewise
    struct buf target;                // raw
    struct buf body;
    struct buf fields;  // of the answer: name NUL value NUL…
    enum http_stage stage;
    enum http_refusal refusal;
    const char *complaint;  // a literal
    bool in_hand;
    bool cut;
    size_t dropped_bytes;  // of a refused body
    int64_t began_us;
    int status;  // 0 until answered
    struct MHD_Response *response;
};

// Requests kept for reuse: no allocation per request.
struct http_spares {
    size_t target_max_bytes;
    struct http_request *first;
    size_t count;
};

// http_request_new returns an empty request that began now. http_request_recycle takes it
// back; http_spares_free frees what is kept.
struct http_request *http_request_new(struct http_spares *spares);
void http_request_recycle(struct http_spares *spares, struct http_request *req);
void http_spares_free(struct http_spares *spares);

// A refused body up to here is read and dropped, so that its sender sees the answer.
enum { HTTP_DROP_MAX_BYTES = 65536 };

// http_request_judge looks at the header and sets route, refusal and complaint. Returns
// true when the answer must come now and the connection must end with it.
bool http_request_judge(struct http_request *req, const char *version,
                        bool header_too_large);

// http_server_wake makes the server look at its connections later in this turn of the
// loop, once for many calls.
void http_server_wake(struct http_server *s);

// http_request_refuse answers as req->refusal says.
void http_request_refuse(struct http_request *req);

#endif
