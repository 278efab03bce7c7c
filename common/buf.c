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

    char *to = make_room(b, len < 0 ? SIZE_MAX : (size_t)len);
    if (to) {
        (void)vsnprintf(to, (size_t)len + 1, fmt, again);
        grew(b, (size_t)len);
    }
    va_end(again);
}

// Takes back what was added since start when something of it did not fit.
static void all_or_nothing(struct buf *b, size_t start)
{
    if (!b->failed || b->len == start)
        return;
    b->len = start;
    b->bytes[start] = '\0';
}

static void add_json_escape(struct buf *b, unsigned char c)
{
    if (c == '"' || c == '\\')
        buf_addf(b, "\\%c", c);
    else if (c == '\n')
        buf_add_text(b, "\\n");
    else
        buf_addf(b, "\\u%04x", c);
}

void buf_add_json_string(struct buf *b, const char *text, size_t len)
{
    const size_t start = b->len;
    size_t plain = 0;  // start of the run that needs no escape

    buf_add_char(b, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, text + plain, i - plain);
        plain = i + 1;
        add_json_escape(b, c);
    }
    buf_add(b, text + plain, len - plain);
    buf_add_char(b, '"');
    all_or_nothing(b, start);
}

void buf_add_base64(struct buf *b, const void *bytes, size_t len)
{
    size_t out_len = len / 3 * 4 + (len % 3 ? 4 : 0);
    char *out = len <= INT_MAX ? make_room(b, out_len) : make_room(b, SIZE_MAX);
    if (!out)
        return;
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
    grew(b, out_len);
}

// Values of the digits, with BASE64_DIGIT added; 0 for all other characters.
enum { BASE64_DIGIT = 64 };
static const unsigned char base64_digits[256] = {
    ['A'] = 64,  ['B'] = 65,  ['C'] = 66,  ['D'] = 67,  ['E'] = 68,  ['F'] = 69,
    ['G'] = 70,  ['H'] = 71,  ['I'] = 72,  ['J'] = 73,  ['K'] = 74,  ['L'] = 75,
    ['M'] = 76,  ['N'] = 77,  ['O'] = 78,  ['P'] = 79,  ['Q'] = 80,  ['R'] = 81,
    ['S'] = 82,  ['T'] = 83,  ['U'] = 84,  ['V'] = 85,  ['W'] = 86,  ['X'] = 87,
    ['Y'] = 88,  ['Z'] = 89,  ['a'] = 90,  ['b'] = 91,  ['c'] = 92,  ['d'] = 93,
    ['e'] = 94,  ['f'] = 95,  ['g'] = 96,  ['h'] = 97,  ['i'] = 98,  ['j'] = 99,
    ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105,
    ['q'] = 106, ['r'] = 107, ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111,
    ['w'] = 112, ['x'] = 113, ['y'] = 114, ['z'] = 115, ['0'] = 116, ['1'] = 117,
    ['2'] = 118, ['3'] = 119, ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123,
    ['8'] = 124, ['9'] = 125, ['+'] = 126, ['/'] = 127,
};

// Decodes four digits into three bytes; false if one of them is no digit. A table walk,
// because EVP_DecodeBlock skips blanks and would need a check of every character first.
static bool decode_quad(unsigned char out[3], const char quad[4])
{
    const unsigned char *p = (const unsigned char *)quad;
    unsigned a = base64_digits[p[0]], b = base64_digits[p[1]];
    unsigned c = base64_digits[p[2]], d = base64_digits[p[3]];

    out[0] = (unsigned char)(a << 2 | (b & 63) >> 4);
    out[1] = (unsigned char)(b << 4 | (c & 63) >> 2);
    out[2] = (unsigned char)(c << 6 | (d & 63));
    return a & b & c & d & BASE64_DIGIT;
}

// Decodes the quad that ends in pad times '='; the bits behind the last byte must be 0.
static bool decode_last_quad(unsigned char *out, const char *text, size_t pad)
{
    char quad[4] = { text[0], text[1], 'A', 'A' };
    unsigned char bytes[3];

    if (pad == 1)
        quad[2] = text[2];
    if (!decode_quad(bytes, quad) || bytes[2] != 0 || (pad == 2 && bytes[1] != 0))
        return false;
    memcpy(out, bytes, 3 - pad);
    return true;
}

bool buf_add_base64_decoded(struct buf *b, const char *text, size_t len)
{
    size_t pad = 0;

    while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
        pad++;
    if (len % 4 != 0)
        return false;

    const size_t out_len = len / 4 * 3 - pad;
    const size_t full_len = pad ? len - 4 : len;
    unsigned char *out = (unsigned char *)make_room(b, out_len);
    if (!out)
        return false;
    bool good = true;
    for (size_t i = 0; i < full_len; i += 4)
        good &= decode_quad(out + i / 4 * 3, text + i);
    if (pad)
        good &= decode_last_quad(out + full_len / 4 * 3, text + full_len, pad);
    grew(b, good ? out_len : 0);
    return good;
}

// Letters, digits, '-', '.', '_' and '~' (RFC 3986, 2.3), one bit each.
static bool is_unreserved(char c)
{
    static const uint64_t set[4] = { 0x03ff600000000000, 0x47fffffe87fffffe, 0, 0 };
    const unsigned char byte = (unsigned char)c;

    return set[byte >> 6] >> (byte & 63) & 1;
}

static size_t escaped_len(const char *text, size_t len)
{
    size_t wanted = len;

    for (size_t i = 0; i < len; i++)
        wanted += is_unreserved(text[i]) ? 0 : 2;
    return wanted;
}

// Counts first only where three times the room might not be there.
void buf_add_url_escaped(struct buf *b, const char *text, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    bool is_short = !b->failed && len <= (b->max - b->len) / 3;
    char *begin = make_room(b, is_short ? 3 * len : escaped_len(text, len));
    char *out = begin;

    if (!out)
        return;
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
    grew(b, (size_t)(out - begin));
}

void buf_add_form(struct buf *b, const char *name, const char *value)
{
    const size_t start = b->len;

    if (b->len > 0)
        buf_add_char(b, '&');
    buf_add_url_escaped(b, name, strlen(name));
    buf_add_char(b, '=');
    buf_add_url_escaped(b, value, strlen(value));
    all_or_nothing(b, start);
}

static void put_digits(char *out, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

void buf_add_time(struct buf *b, int64_t wall_us)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    int64_t behind_us = wall_us % 1000000;
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;

    if (behind_us < 0) {  // before 1970
        behind_us += 1000000;
        seconds--;
    }
    bool shown = gmtime_r(&seconds, &tm) && tm.tm_year >= -1900 && tm.tm_year <= 8099;

    char *out = make_room(b, shown ? sizeof(form) - 1 : SIZE_MAX);
    if (!out)
        return;
    memcpy(out, form, sizeof(form) - 1);
    put_digits(out, tm.tm_year + 1900, 4);
    put_digits(out + 5, tm.tm_mon + 1, 2);
    put_digits(out + 8, tm.tm_mday, 2);
    put_digits(out + 11, tm.tm_hour, 2);
    put_digits(out + 14, tm.tm_min, 2);
    put_digits(out + 17, tm.tm_sec, 2);
    put_digits(out + 20, (int)(behind_us / 1000), 3);
    grew(b, sizeof(form) - 1);
}
