// http_input.h: what the bytes of a connection mean: the next head, the rest of a body,
// or something to refuse. Part of the HTTP server.
#ifndef HTTP_INPUT_H
#define HTTP_INPUT_H

#include "base.h"
#include "http_refusal.h"

struct http_connection;

// http_input_is_taken says whether bytes may be worked on now: no handler has a request,
// the connection does not end, and its peer takes the answers.
bool http_input_is_taken(const struct http_connection *c);

// http_input_consume works through bytes, request after request, and runs handlers;
// answers are left in c->out. Returns how many bytes are done with.
size_t http_input_consume(struct http_connection *c, const char *bytes, size_t len);

// http_input_refuse answers what is coming in and ends the connection with that.
void http_input_refuse(struct http_connection *c, enum http_refusal refusal,
                       const char *complaint);

// http_input_finish lets c->req go, which is answered.
void http_input_finish(struct http_connection *c);

#endif
