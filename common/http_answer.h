// http_answer.h: how handlers answer a request, each once, at once or later. Part of
// http_server.h, which includes it.
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "base.h"

struct http_request;

struct http_header {
    const char *name, *value;
};

// http_request_add_header adds a field to the answer that is to come; both texts are
// copied. A field whose value cannot stand in a header, or beyond HTTP_FIELDS_MAX_BYTES
// in all, is left out.
enum { HTTP_FIELDS_MAX_BYTES = 512 };
void http_request_add_header(struct http_request *req, const char *name,
                             const char *value);

// http_answer answers with a copy of body; headers is ended by a NULL name, or NULL.
// content_type may be NULL when len is 0. status is 200 to 599; with 204 and 304, and to
// HEAD, body is left out. Call once, from the handler or later.
void http_answer(struct http_request *req, int status, const char *content_type,
                 const char *body, size_t len, const struct http_header *headers);

// http_cut ends the connection instead of answering: the len bytes go out as they are, as
// far as they fit into the socket's buffer, then it closes; is_reset: with a reset. It is
// for programs that play a broken server.
void http_cut(struct http_request *req, const char *bytes, size_t len, bool is_reset);

// http_problem answers application/problem+json (RFC 9457): type, title, status, detail
// and, unless NULL, "code" (stable word for programs) and "field" (which input is wrong).
struct http_problem {
    int status;
    const char *code;    // "invalid_number"
    const char *detail;  // one sentence for people: what to do next
    const char *field;
    const struct http_header *headers;  // Retry-After, WWW-Authenticate; or NULL
};
void http_problem(struct http_request *req, const struct http_problem *problem);

#endif
