// http_call.h: the bytes of a request (RFC 9112, section 3).
#ifndef HTTP_CALL_H
#define HTTP_CALL_H

struct buf;
struct http_address;
struct http_call;

enum { HTTP_AUTHORIZATION_MAX_BYTES = 1024 };  // of the whole line

// http_call_authorization appends the header line of "user:password" (RFC 7617).
void http_call_authorization(struct buf *line, const char *user_password);

// http_call_write clears out and writes the request to it; out->failed: it is too long.
// user_agent may be NULL. An empty authorization leaves that to the address.
void http_call_write(struct buf *out, const struct http_call *call,
                     const struct http_address *to, const char *user_agent,
                     const struct buf *authorization);

#endif
