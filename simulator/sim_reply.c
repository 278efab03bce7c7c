#include "sim_reply.h"
#include "buf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STATUS_LINE_MIN = 13, LENGTH_DIGITS_MAX = 18, CHUNK_DIGITS_MAX = 8 };

// Returns the field's value when the line has that name, else NULL.
static const char *field(const char *line, const char *end, const char *name)
{
    size_t len = strlen(name);

    if ((size_t)(end - line) <= len || line[len] != ':' ||
        strncasecmp(line, name, len) != 0)
        return NULL;
    line += len + 1;
    while (line < end && (*line == ' ' || *line == '\t'))
        line++;
    return line;
}

static bool is_word(const char *value, const char *end, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(end - value) == len && strncasecmp(value, word, len) == 0;
}

static bool read_length(struct sim_reply *r, const char *at, const char *end)
{
    if (at == end || end - at > LENGTH_DIGITS_MAX)
        return false;
    r->has_length = true;
    for (r->length = 0; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        r->length = r->length * 10 + (uint64_t)(*at - '0');
    }
    return true;
}

static bool read_field(struct sim_reply *r, const char *line, const char *end)
{
    const char *value;

    if ((value = field(line, end, "Content-Length")))
        return read_length(r, value, end);
    if ((value = field(line, end, "Transfer-Encoding")))
        r->is_chunked = is_word(value, end, "chunked");
    else if ((value = field(line, end, "Connection")))
        r->keeps = !is_word(value, end, "close");
    else if ((value = field(line, end, "Content-Type")) &&
             (size_t)(end - value) < sizeof(r->content_type)) {
        memcpy(r->content_type, value, (size_t)(end - value));
        r->content_type[end - value] = '\0';
    }
    return true;
}

// Reads "HTTP/1.1 204 No Content".
static bool read_status(struct sim_reply *r, const char *line, const char *end)
{
    if (end - line < STATUS_LINE_MIN - 1 || strncmp(line, "HTTP/1.", 7) != 0 ||
        line[8] != ' ')
        return false;
    for (const char *at = line + 9; at < line + 12; at++) {
        if (*at < '0' || *at > '9')
            return false;
        r->status = r->status * 10 + (*at - '0');
    }
    r->keeps = line[7] == '1';
    return r->status >= 100;
}

static bool read_head(struct sim_reply *r, const char *bytes, size_t len)
{
    const char *line = bytes, *end = bytes + len;

    *r = (struct sim_reply){ .head_len = len };
    while (line < end - 2) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = next > line && next[-1] == '\r' ? next - 1 : next;
        if (line == bytes ? !read_status(r, line, line_end)
                          : !read_field(r, line, line_end))
            return false;
        line = next + 1;
    }
    return true;
}

// Finds the head; interim answers in front of it are taken out.
static enum sim_reply_state find_head(struct sim_reply *r, struct buf *in)
{
    for (;;) {
        const char *end = in->len ? memmem(in->bytes, in->len, "\r\n\r\n", 4) : NULL;
        if (!end)
            return in->len > SIM_REPLY_HEAD_MAX_BYTES ? SIM_REPLY_BAD : SIM_REPLY_MORE;
        size_t len = (size_t)(end - in->bytes) + 4;
        if (!read_head(r, in->bytes, len))
            return SIM_REPLY_BAD;
        if (r->status >= 200)
            return SIM_REPLY_WHOLE;
        memmove(in->bytes, in->bytes + len, in->len - len);
        in->len -= len;
        *r = (struct sim_reply){ 0 };
    }
}

// Reads a chunk's size at *at and moves behind its line. Returns false when the line is
// not whole or not one; *is_bad tells which.
static bool read_size(const char **at, const char *end, size_t *size, bool *is_bad)
{
    const char *line_end = memchr(*at, '\n', (size_t)(end - *at));
    char *stop = NULL;

    *is_bad = false;
    if (!line_end)
        return false;
    unsigned long value = strtoul(*at, &stop, 16);
    *is_bad = stop == *at || stop - *at > CHUNK_DIGITS_MAX || **at == '-' || **at == '+';
    *size = value;
    *at = line_end + 1;
    return !*is_bad;
}

// Puts the chunks together behind the head. Trailers are expected to be none.
static enum sim_reply_state read_chunks(struct sim_reply *r, struct buf *in,
                                        size_t body_max)
{
    const char *end = in->bytes + in->len, *at = in->bytes + r->head_len;
    size_t size = 0, total = 0;
    bool is_bad = false;

    for (;;) {  // are all of them there?
        if (!read_size(&at, end, &size, &is_bad))
            return is_bad ? SIM_REPLY_BAD : SIM_REPLY_MORE;
        total += size;
        if (total > body_max)
            return SIM_REPLY_BAD;
        if ((size_t)(end - at) < size + 2)
            return SIM_REPLY_MORE;
        at += size + 2;
        if (size == 0)
            break;
    }
    r->keeps = r->keeps && at == end;
    char *to = in->bytes + r->head_len;
    at = to;
    while (read_size(&at, end, &size, &is_bad) && size > 0) {
        memmove(to, at, size);
        to += size;
        at += size + 2;
    }
    *to = '\0';
    r->body_at = r->head_len;
    r->body_len = total;
    return SIM_REPLY_WHOLE;
}

static enum sim_reply_state read_plain(struct sim_reply *r, struct buf *in,
                                       size_t body_max, bool is_eof)
{
    size_t came = in->len - r->head_len;

    if (r->status == 204 || r->status == 304) {
        r->has_length = true;
        r->length = 0;
    }
    if ((r->has_length && r->length > body_max) || came > body_max)
        return SIM_REPLY_BAD;
    if (r->has_length ? came < r->length : !is_eof)
        return is_eof ? SIM_REPLY_BAD : SIM_REPLY_MORE;
    r->keeps = r->keeps && r->has_length && came == r->length;
    r->body_at = r->head_len;
    r->body_len = r->has_length ? (size_t)r->length : came;
    return SIM_REPLY_WHOLE;
}

enum sim_reply_state sim_reply_read(struct sim_reply *r, struct buf *in, size_t body_max,
                                    bool is_eof)
{
    if (r->head_len == 0) {
        enum sim_reply_state state = find_head(r, in);
        if (state != SIM_REPLY_WHOLE)
            return state == SIM_REPLY_MORE && is_eof ? SIM_REPLY_BAD : state;
    }
    if (!r->is_chunked)
        return read_plain(r, in, body_max, is_eof);
    enum sim_reply_state state = read_chunks(r, in, body_max);
    return state == SIM_REPLY_MORE && is_eof ? SIM_REPLY_BAD : state;
}
