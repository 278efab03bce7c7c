#include "buf.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf)BUF_INIT(max);
}

void buf_free(struct buf *b)
{
    free(b->bytes);
    buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->bytes)
        b->bytes[0] = '\0';
}

const char *buf_text(const struct buf *b)
{
    return b->bytes ? b->bytes : "";
}

// Returns where len more bytes may be written, or NULL when they do not fit.
static char *make_room(struct buf *b, size_t len)
{
    if (b->failed || len > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    if (b->len + len + 1 > b->room) {
        size_t room = b->room ? b->room * 2 : 256;
        if (room < b->len + len + 1)
            room = b->len + len + 1;
        b->bytes = xrealloc(b->bytes, room);
        b->room = room;
    }
    return b->bytes + b->len;
}

static void grew(struct buf *b, size_t len)
{
    b->len += len;
    b->bytes[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    char *to = make_room(b, len);
    if (!to)
        return;
    if (len)
        memcpy(to, bytes, len);
    grew(b, len);
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_add_int(struct buf *b, int64_t value)
{
    char digits[24];  // sign, 19 digits, and room to spare
    char *p = digits + sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--p = '-';
    buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    char *to = len < 0 ? NULL : make_room(b, (size_t)len);
    if (to) {
        (void)vsnprintf(to, (size_t)len + 1, fmt, again);
        grew(b, (size_t)len);
    }
    va_end(again);
}

void buf_add_json_string(struct buf *b, const char *text, size_t len)
{
    size_t plain = 0;  // start of the run that needs no escape

    buf_add_char(b, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, text + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\')
            buf_addf(b, "\\%c", c);
        else if (c == '\n')
            buf_add_text(b, "\\n");
        else
            buf_addf(b, "\\u%04x", c);
    }
    buf_add(b, text + plain, len - plain);
    buf_add_char(b, '"');
}

void buf_add_base64(struct buf *b, const void *bytes, size_t len)
{
    size_t out_len = (len + 2) / 3 * 4;
    char *out = len <= INT_MAX ? make_room(b, out_len) : NULL;
    if (!out)
        return;
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
    grew(b, out_len);
}

bool buf_add_base64_decoded(struct buf *b, const char *text, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t pad = 0;

    while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
        pad++;
    // EVP_DecodeBlock skips blanks around the text: only digits may reach it.
    for (size_t i = 0; i < len - pad; i++)
        if (!memchr(digits, text[i], sizeof(digits) - 1))
            return false;
    if (len % 4 != 0 || len > INT_MAX)
        return false;

    char *out = make_room(b, len / 4 * 3);
    if (!out)
        return false;
    if (EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len) <
        0) {
        *out = '\0';
        return false;
    }
    grew(b, len / 4 * 3 - pad);
    return true;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void buf_add_url_escaped(struct buf *b, const char *text, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    char *start = make_room(b, len * 3);
    if (!start)
        return;

    char *out = start;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_unreserved(text[i])) {
            *out++ = text[i];
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    grew(b, (size_t)(out - start));
}

void buf_add_form(struct buf *b, const char *name, const char *value)
{
    if (b->len > 0)
        buf_add_char(b, '&');
    buf_add_url_escaped(b, name, strlen(name));
    buf_add_char(b, '=');
    buf_add_url_escaped(b, value, strlen(value));
}

void buf_add_time(struct buf *b, int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm)) {
        b->failed = true;
        return;
    }
    buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_us / 1000 % 1000));
}
