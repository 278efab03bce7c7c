#include "http_reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void http_reply_init(struct http_reply *r, size_t body_max)
{
    memset(r, 0, sizeof(*r));
    buf_init(&r->body, body_max);
    buf_init(&r->line, HTTP_REPLY_LINE_MAX_BYTES);
    http_reply_begin(r);
}

void http_reply_free(struct http_reply *r)
{
    buf_free(&r->body);
    buf_free(&r->line);
}

static void begin_head(struct http_reply *r)
{
    r->state = HTTP_REPLY_STATUS;
    r->status = 0;
    r->keeps_alive = true;
    r->has_length = r->is_chunked = false;
    r->left = 0;
    r->content_type[0] = '\0';
    r->retry_after_us = -1;
}

void http_reply_begin(struct http_reply *r)
{
    begin_head(r);
    r->began = r->is_bare = false;
    r->head_bytes = 0;
    r->chunks = (struct http_chunks){ 0 };
    buf_clear(&r->line);
    buf_clear(&r->body);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// "HTTP/1.1 201 Created"; the words at the end may be missing.
static void take_status(struct http_reply *r, const char *line, size_t len)
{
    bool is_status = len >= 12 && memcmp(line, "HTTP/1.", 7) == 0 && is_digit(line[7]) &&
                     line[8] == ' ' && line[9] >= '1' && line[9] <= '9' &&
                     is_digit(line[10]) && is_digit(line[11]) &&
                     (len == 12 || line[12] == ' ');

    if (!is_status) {
        r->state = HTTP_REPLY_MALFORMED;
        return;
    }
    r->keeps_alive = line[7] != '0';
    r->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    r->state = HTTP_REPLY_FIELDS;
}

// --- fields ---

// A length is digits only and fits in 63 bits; one that comes twice must be the same.
static void take_length(struct http_reply *r, const char *value, size_t len)
{
    uint64_t length = 0;

    for (size_t i = 0; i < len; i++) {
        if (!is_digit(value[i]) || i >= 18)
            r->state = HTTP_REPLY_MALFORMED;
        length = length * 10 + (uint64_t)(value[i] - '0');
    }
    if (len == 0 || (r->has_length && r->left != length))
        r->state = HTTP_REPLY_MALFORMED;
    r->has_length = true;
    r->left = length;
}

static void take_encoding(struct http_reply *r, const char *value, size_t len)
{
    if (r->is_chunked || len != 7 || strncasecmp(value, "chunked", 7) != 0)
        r->state = HTTP_REPLY_MALFORMED;
    r->is_chunked = true;
}

static void take_connection(struct http_reply *r, const char *value, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t begin = at, end;
        while (at < len && value[at] != ',')
            at++;
        for (end = at; end > begin && value[end - 1] == ' ';)
            end--;
        while (begin < end && value[begin] == ' ')
            begin++;
        if (end - begin == 5 && strncasecmp(value + begin, "close", 5) == 0)
            r->keeps_alive = false;
        at++;
    }
}

static void take_retry_after(struct http_reply *r, const char *value, size_t len)
{
    int64_t seconds = 0;

    for (size_t i = 0; i < len; i++) {
        if (!is_digit(value[i]) || seconds > INT32_MAX)
            return;
        seconds = seconds * 10 + (value[i] - '0');
    }
    if (len > 0 && seconds <= INT32_MAX)
        r->retry_after_us = seconds * 1000000;
}

static void take_type(struct http_reply *r, const char *value, size_t len)
{
    if (len >= sizeof(r->content_type))
        return;
    memcpy(r->content_type, value, len);
    r->content_type[len] = '\0';
}

static const struct {
    const char *name;
    size_t len;
    void (*take)(struct http_reply *r, const char *value, size_t len);
} fields[] = {
    { "content-length", 14, take_length },      { "content-type", 12, take_type },
    { "transfer-encoding", 17, take_encoding }, { "connection", 10, take_connection },
    { "retry-after", 11, take_retry_after },
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void take_field(struct http_reply *r, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);

    if (!colon || colon == line || is_blank(line[0]) || is_blank(colon[-1])) {
        r->state = HTTP_REPLY_MALFORMED;
        return;
    }
    size_t name_len = (size_t)(colon - line);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (fields[i].len != name_len || strncasecmp(line, fields[i].name, name_len) != 0)
            continue;
        const char *value = colon + 1, *end = line + len;
        while (value < end && is_blank(*value))
            value++;
        while (end > value && is_blank(end[-1]))
            end--;
        fields[i].take(r, value, (size_t)(end - value));
        return;
    }
}

// --- the body ---

// What follows the empty line behind the fields.
static void begin_body(struct http_reply *r)
{
    if (r->status == 101) {
        r->state = HTTP_REPLY_MALFORMED;  // nobody asked for another protocol
    } else if (r->status < 200) {
        begin_head(r);
    } else if (r->is_bare || r->status == 204 || r->status == 304) {
        r->state = HTTP_REPLY_DONE;
    } else if (r->is_chunked) {
        r->keeps_alive = r->keeps_alive && !r->has_length;  // RFC 9112, 6.3
        r->state = HTTP_REPLY_CHUNKS;
    } else if (r->has_length) {
        r->state = r->left ? HTTP_REPLY_LENGTH : HTTP_REPLY_DONE;
        if (r->left > r->body.max)
            r->state = HTTP_REPLY_TOO_LONG;
    } else {
        r->keeps_alive = false;
        r->state = HTTP_REPLY_TO_END;
    }
}

static void take_line(struct http_reply *r, const char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (memchr(line, '\0', len))
        r->state = HTTP_REPLY_MALFORMED;
    else if (r->state == HTTP_REPLY_STATUS)
        take_status(r, line, len);
    else if (len > 0)
        take_field(r, line, len);
    else
        begin_body(r);
}

// Takes one line of a head, or what came of it.
static size_t read_line(struct http_reply *r, const char *bytes, size_t len)
{
    const char *end = memchr(bytes, '\n', len);
    size_t taken = end ? (size_t)(end - bytes) + 1 : len;

    r->head_bytes += taken;
    if (end && taken - 1 > HTTP_REPLY_LINE_MAX_BYTES)
        r->state = HTTP_REPLY_MALFORMED;
    else if (!end || r->line.len > 0) {
        buf_add(&r->line, bytes, end ? taken - 1 : taken);
        if (end && !r->line.failed)
            take_line(r, buf_text(&r->line), r->line.len);
        if (end)
            r->line.len = 0;
    } else {
        take_line(r, bytes, taken - 1);
    }
    if (r->line.failed || r->head_bytes > HTTP_REPLY_HEAD_MAX_BYTES)
        r->state = HTTP_REPLY_MALFORMED;
    return taken;
}

static size_t read_length(struct http_reply *r, const char *bytes, size_t len)
{
    size_t taken = len < r->left ? len : (size_t)r->left;

    buf_add(&r->body, bytes, taken);
    r->left -= taken;
    if (r->left == 0)
        r->state = HTTP_REPLY_DONE;
    return taken;
}

static size_t read_chunks(struct http_reply *r, const char *bytes, size_t len)
{
    size_t taken = http_chunks_read(&r->chunks, bytes, len, &r->body);

    if (r->chunks.state == HTTP_CHUNKS_DONE)
        r->state = HTTP_REPLY_DONE;
    else if (r->chunks.state == HTTP_CHUNKS_MALFORMED)
        r->state = HTTP_REPLY_MALFORMED;
    else if (r->chunks.state == HTTP_CHUNKS_TOO_LARGE)
        r->state = HTTP_REPLY_TOO_LONG;
    return taken;
}

static size_t read_to_end(struct http_reply *r, const char *bytes, size_t len)
{
    buf_add(&r->body, bytes, len);
    if (r->body.failed)
        r->state = HTTP_REPLY_TOO_LONG;
    return len;
}

size_t http_reply_read(struct http_reply *r, const char *bytes, size_t len)
{
    size_t at = 0;

    r->began = r->began || len > 0;
    while (at < len && r->state < HTTP_REPLY_DONE) {
        if (r->state <= HTTP_REPLY_FIELDS)
            at += read_line(r, bytes + at, len - at);
        else if (r->state == HTTP_REPLY_LENGTH)
            at += read_length(r, bytes + at, len - at);
        else if (r->state == HTTP_REPLY_CHUNKS)
            at += read_chunks(r, bytes + at, len - at);
        else
            at += read_to_end(r, bytes + at, len - at);
    }
    return at;
}

void http_reply_ended(struct http_reply *r)
{
    r->keeps_alive = false;
    if (r->state == HTTP_REPLY_TO_END)
        r->state = HTTP_REPLY_DONE;
}

const char *http_reply_error(struct http_reply *r)
{
    if (r->state == HTTP_REPLY_MALFORMED)
        return "the answer is malformed";
    if (r->state == HTTP_REPLY_TOO_LONG) {
        (void)snprintf(r->error, sizeof(r->error), "the answer is longer than %zu bytes",
                       r->body.max);
        return r->error;
    }
    return r->began ? "the connection closed in the midst of the answer"
                    : "the connection closed before an answer; not sent again";
}
