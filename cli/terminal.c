#include "terminal.h"

#include "buf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX_BYTES = 4 << 20, BAR_CELLS = 30 };

static const int64_t show_after_us = 1000000, show_each_us = 100000;

// Returns how long the character at text is, and which; 0 when it is no UTF-8.
static size_t decode(const char *text, size_t len, uint32_t *out)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t wanted = in[0] < 0x80 ? 1 : in[0] < 0xe0 ? 2 : in[0] < 0xf0 ? 3 : 4;

    if (wanted > len || !utf8_is_valid(text, wanted))
        return 0;
    *out = wanted == 1 ? in[0] : in[0] & (0xffu >> (wanted + 1));
    for (size_t i = 1; i < wanted; i++)
        *out = *out << 6 | (in[i] & 0x3fu);
    return wanted;
}

// Controls, line and paragraph ends, marks and overrides of direction, joiners that
// cannot be seen, tags.
static bool is_printable(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0xad && c != 0x61c &&
           !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
           !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff &&
           !(c >= 0xe0000 && c <= 0xe007f);
}

static void add_escaped(struct buf *out, uint32_t c)
{
    if (c == '\n')
        buf_add_text(out, "\\n");
    else if (c == '\t')
        buf_add_text(out, "\\t");
    else
        buf_addf(out, "\\u%04" PRIx32, c);
}

void terminal_add(struct buf *out, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t c = 0;
        size_t taken = text[at] ? decode(text + at, len - at, &c) : 1;

        if (taken == 0)
            buf_addf(out, "\\x%02x", (unsigned char)text[at]);
        else if (is_printable(c))
            buf_add(out, text + at, taken);
        else
            add_escaped(out, c);
        at += taken ? taken : 1;
    }
}

void terminal_print(FILE *to, const char *text, size_t len)
{
    struct buf safe = BUF_INIT(TEXT_MAX_BYTES);

    terminal_add(&safe, text, len);
    fputs(buf_text(&safe), to);
    if (safe.failed)
        fputs("…", to);
    buf_free(&safe);
}

static bool has_colours(FILE *to)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(to)) && !(no_colour && no_colour[0]) && term &&
           strcmp(term, "dumb") != 0;
}

void terminal_colour(FILE *to, enum terminal_colour colour, const char *text)
{
    static const char *const begins[] = { "", "\033[32m", "\033[31m", "\033[33m" };
    bool is_coloured = colour != TERMINAL_PLAIN && has_colours(to);

    if (is_coloured)
        fputs(begins[colour], to);
    terminal_print(to, text, strlen(text));
    if (is_coloured)
        fputs("\033[0m", to);
}

void progress_begin(struct progress *p, const char *what, uint64_t total)
{
    *p = (struct progress){ .what = what, .total = total, .began_us = clock_boot_us() };
}

static void show(const struct progress *p, uint64_t done, int64_t took_us)
{
    static const char full[BAR_CELLS + 1] = "##############################";
    static const char empty[BAR_CELLS + 1] = "..............................";
    uint64_t cells = p->total ? done * BAR_CELLS / p->total : 0;
    int64_t rate = took_us > 0 ? (int64_t)done * 1000000 / took_us : 0;
    int64_t left_s = rate > 0 && done < p->total ? (int64_t)(p->total - done) / rate : 0;

    fprintf(stderr,
            "\r[%.*s%.*s] %s %" PRIu64 "/%" PRIu64 ", %" PRId64 "/s, %" PRId64
            " s left\033[K",
            (int)cells, full, (int)(BAR_CELLS - cells), empty, p->what, done, p->total,
            rate, left_s);
}

void progress_at(struct progress *p, uint64_t done)
{
    int64_t now_us = clock_boot_us(), took_us = now_us - p->began_us;

    if (took_us < show_after_us || now_us - p->shown_us < show_each_us ||
        !isatty(STDERR_FILENO))
        return;
    show(p, done < p->total ? done : p->total, took_us);
    p->shown_us = now_us;
    p->is_shown = true;
}

void progress_end(struct progress *p)
{
    if (p->is_shown)
        fputs("\r\033[K", stderr);
    p->is_shown = false;
}
