// http_guard.h: refuses requests that two HTTP programs could read differently, before a
// handler sees them. libmicrohttpd 0.9.75 lets many of them pass.
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "base.h"

struct MHD_Connection;

// What the server must know about a request before its body is read.
struct http_head {
    bool has_body;
    bool chunked;                  // the length is not known yet
    uint64_t content_length;       // 0 when chunked
    bool expects_continue;         // the client waits before it sends the body
    const char *content_type;      // NULL if absent; borrowed from the connection
    const char *content_encoding;  // likewise
};

// http_guard_target returns NULL when the raw target is a clean path and query, else
// a sentence about what is wrong.
const char *http_guard_target(const char *target);

// http_guard_head checks all header fields and fills head; returns like the above.
const char *http_guard_head(struct MHD_Connection *connection, const char *version,
                            struct http_head *head);

// http_media_type_is compares a Content-Type with a bare type: without its parameters
// and without regard to case.
bool http_media_type_is(const char *content_type, const char *wanted);

#endif
