#include "http_chunks.h"

#include "buf.h"
#include "http_head.h"

enum { DIGITS_MAX = 15 };  // of a size: it fits in 60 bits

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_chunks_state take_size(struct http_chunks *c, char byte)
{
    int value = hex_value(byte);

    if (value >= 0 && c->digits < DIGITS_MAX) {
        c->digits++;
        c->size = c->size << 4 | (unsigned)value;
        return HTTP_CHUNKS_SIZE;
    }
    if (c->digits == 0 || value >= 0)
        return HTTP_CHUNKS_MALFORMED;
    if (byte == ';')
        return HTTP_CHUNKS_EXTENSION;
    return byte == '\r' ? HTTP_CHUNKS_SIZE_LF : HTTP_CHUNKS_MALFORMED;
}

// Text up to a carriage return, in which no control character may stand.
static enum http_chunks_state take_text(struct http_chunks *c, char byte,
                                        enum http_chunks_state same,
                                        enum http_chunks_state next)
{
    if (byte == '\r')
        return next;
    if (((unsigned char)byte < ' ' && byte != '\t') || byte == 0x7f ||
        ++c->extras > HTTP_CHUNK_EXTRAS_MAX_BYTES)
        return HTTP_CHUNKS_MALFORMED;
    return same;
}

static enum http_chunks_state take_name(struct http_chunks *c, char byte)
{
    bool is_first = c->state == HTTP_CHUNKS_LINE;

    if (is_first && byte == '\r')
        return HTTP_CHUNKS_END_LF;
    if (++c->extras > HTTP_CHUNK_EXTRAS_MAX_BYTES)
        return HTTP_CHUNKS_MALFORMED;
    if (!is_first && byte == ':')
        return HTTP_CHUNKS_VALUE;
    return http_is_token(&byte, 1) ? HTTP_CHUNKS_NAME : HTTP_CHUNKS_MALFORMED;
}

static enum http_chunks_state begin_data(struct http_chunks *c, const struct buf *body)
{
    c->digits = 0;
    if (c->size == 0)
        return HTTP_CHUNKS_LINE;
    return c->size > body->max - body->len ? HTTP_CHUNKS_TOO_LARGE : HTTP_CHUNKS_DATA;
}

static enum http_chunks_state take_byte(struct http_chunks *c, char byte,
                                        const struct buf *body)
{
    switch (c->state) {
    case HTTP_CHUNKS_SIZE:
        return take_size(c, byte);
    case HTTP_CHUNKS_EXTENSION:
        return take_text(c, byte, HTTP_CHUNKS_EXTENSION, HTTP_CHUNKS_SIZE_LF);
    case HTTP_CHUNKS_SIZE_LF:
        return byte == '\n' ? begin_data(c, body) : HTTP_CHUNKS_MALFORMED;
    case HTTP_CHUNKS_DATA_CR:
        return byte == '\r' ? HTTP_CHUNKS_DATA_LF : HTTP_CHUNKS_MALFORMED;
    case HTTP_CHUNKS_DATA_LF:
        return byte == '\n' ? HTTP_CHUNKS_SIZE : HTTP_CHUNKS_MALFORMED;
    case HTTP_CHUNKS_LINE:
    case HTTP_CHUNKS_NAME:
        return take_name(c, byte);
    case HTTP_CHUNKS_VALUE:
        return take_text(c, byte, HTTP_CHUNKS_VALUE, HTTP_CHUNKS_LINE_LF);
    case HTTP_CHUNKS_LINE_LF:
        return byte == '\n' ? HTTP_CHUNKS_LINE : HTTP_CHUNKS_MALFORMED;
    case HTTP_CHUNKS_END_LF:
        return byte == '\n' ? HTTP_CHUNKS_DONE : HTTP_CHUNKS_MALFORMED;
    default:
        return c->state;
    }
}

static size_t take_data(struct http_chunks *c, const char *bytes, size_t len,
                        struct buf *body)
{
    size_t taken = len < c->size ? len : (size_t)c->size;

    buf_add(body, bytes, taken);
    c->size -= taken;
    if (c->size == 0)
        c->state = HTTP_CHUNKS_DATA_CR;
    return taken;
}

size_t http_chunks_read(struct http_chunks *c, const char *bytes, size_t len,
                        struct buf *body)
{
    size_t at = 0;

    while (at < len && c->state < HTTP_CHUNKS_DONE) {
        if (c->state == HTTP_CHUNKS_DATA)
            at += take_data(c, bytes + at, len - at, body);
        else
            c->state = take_byte(c, bytes[at++], body);
    }
    return at;
}
