// http_reply.h: takes the answers of an HTTP/1.1 server apart, in whatever pieces they
// come (RFC 9112). Strict where two readers could see different answers, tolerant of
// line ends without a carriage return. Pure.
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "buf.h"
#include "http_chunks.h"

enum {
    HTTP_REPLY_HEAD_MAX_BYTES = 65536,  // of all heads of one answer
    HTTP_REPLY_LINE_MAX_BYTES = 16384,
    HTTP_REPLY_TYPE_BYTES = 128,  // a longer Content-Type counts as none
    HTTP_REPLY_ERROR_BYTES = 60,
};

enum http_reply_state {
    HTTP_REPLY_STATUS,
    HTTP_REPLY_FIELDS,
    HTTP_REPLY_LENGTH,  // a body of known length
    HTTP_REPLY_CHUNKS,
    HTTP_REPLY_TO_END,  // a body that ends with the connection
    HTTP_REPLY_DONE,
    HTTP_REPLY_MALFORMED,
    HTTP_REPLY_TOO_LONG,  // longer than body.max
};

struct http_reply {
    enum http_reply_state state;
    bool began;    // a byte of it came
    bool is_bare;  // set by the caller: no body follows, whatever the head says (HEAD)
    int status;
    bool keeps_alive;  // the connection may be used again
    bool has_length, is_chunked;
    uint64_t left;  // of the body
    size_t head_bytes;
    struct http_chunks chunks;
    struct buf line;  // one whose end has not come
    struct buf body;
    char content_type[HTTP_REPLY_TYPE_BYTES];
    int64_t retry_after_us;  // in seconds form, else -1
    char error[HTTP_REPLY_ERROR_BYTES];
};

void http_reply_init(struct http_reply *r, size_t body_max);
void http_reply_free(struct http_reply *r);

// http_reply_begin gets ready for the next answer; keeps the memory.
void http_reply_begin(struct http_reply *r);

// http_reply_read takes bytes and returns how many: fewer than len only in one of the
// last three states. Interim answers (1xx) are dropped.
size_t http_reply_read(struct http_reply *r, const char *bytes, size_t len);

// http_reply_ended notes that the connection ended; the state says what that made of it.
void http_reply_ended(struct http_reply *r);

// http_reply_error says in a few words why there is no complete answer; valid until the
// next begin.
const char *http_reply_error(struct http_reply *r);

#endif
