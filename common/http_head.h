// http_head.h: reads the head of a request: the request line and the header fields. Takes
// what RFC 9112 allows and nothing that two programs could read differently. Pure.
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base.h"
#include "http_refusal.h"

enum { HTTP_FIELDS_MAX = 100, HTTP_LINE_MAX_BYTES = 8192 };

// How far the end of a head was looked for. Zeroed for each new head.
struct http_scan {
    size_t at;     // bytes looked at; once whole: the length of the head
    size_t line;   // where the line began
    size_t lines;  // that ended
    bool is_whole;
    bool had_blank;  // the one empty line that may come first (RFC 9112, 2.2)
};

struct http_field {
    const char *name, *value;
};

// A head that was read. All texts lie in the bytes that http_head_parse was given.
struct http_head {
    const char *method;
    const char *target;  // raw path and query, or "*"; always begins with one of both
    int minor;           // HTTP/1.0 or 1.1; a higher minor is 1
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t field_count;
    bool has_body;
    bool chunked;             // the length is not known yet
    uint64_t content_length;  // 0 when chunked
    bool expects_continue;    // the client waits before it sends the body
    bool wants_close;         // no other request follows on this connection
    const char *content_type, *content_encoding;  // NULL if absent
};

// http_head_scan goes on looking in bytes (the head so far, from its first byte) and
// sets scan->is_whole when its end is there. fault is left alone unless the head can be
// refused already: it is not waited for the end of what is wrong.
void http_head_scan(struct http_scan *scan, const char *bytes, size_t len,
                    size_t max_bytes, struct http_fault *fault);

// http_head_parse reads a whole head; text is cut up in place and must live as long as
// head. When fault is set, head holds what was read before.
void http_head_parse(struct http_head *head, char *text, struct http_fault *fault);

// http_head_field returns the value of the first field of that name, or NULL.
const char *http_head_field(const struct http_head *head, const char *name);

// http_is_token and http_is_value say whether text may be a field's name or value.
bool http_is_token(const char *text, size_t len);
bool http_is_value(const char *text);

// http_media_type_is compares a Content-Type with a bare type: without its parameters
// and without regard to case.
bool http_media_type_is(const char *content_type, const char *wanted);

#endif
