#include "log.h"

#include "buf.h"
#include "log_limit.h"
#include "message_id.h"
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PROCESS_MAX = 64,
    INTEGER_MAX = 20,  // characters of INT64_MIN
    LINE_END = 2,      // "}\n"
    GATHERED_MAX = 16 * LOG_LINE_MAX,
};

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static enum log_level current_level = LOG_LEVEL_INFO;
static char process_name[PROCESS_MAX] = "smsq";

// Lines that wait for log_flush, when the process gathers them.
static bool gathering;
static char gathered[GATHERED_MAX];
static size_t gathered_len;

void log_init(const char *process)
{
    (void)snprintf(process_name, sizeof(process_name), "%s", process);
    current_level = LOG_LEVEL_INFO;
}

void log_level_set(enum log_level level)
{
    current_level = level;
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (strcmp(text, level_names[i]) != 0)
            continue;
        *out = (enum log_level)i;
        return true;
    }
    return false;
}

bool log_is_on(enum log_level level)
{
    return level <= current_level;
}

static void write_out(const char *bytes, size_t len)
{
    const int saved_errno = errno;
    ssize_t written = write(STDERR_FILENO, bytes, len);

    (void)written;  // nobody is left to tell
    errno = saved_errno;
}

static void write_gathered(void)
{
    if (gathered_len > 0)
        write_out(gathered, gathered_len);
    gathered_len = 0;
}

struct line {
    char bytes[LOG_LINE_MAX];
    size_t len;
    size_t reserved;  // for what must still come: it is kept free
};

static size_t room_in(const struct line *l)
{
    return sizeof(l->bytes) - l->reserved - l->len;
}

static void add(struct line *l, const char *bytes, size_t len)
{
    if (len > room_in(l))
        return;
    memcpy(l->bytes + l->len, bytes, len);
    l->len += len;
}

static void add_text(struct line *l, const char *text)
{
    add(l, text, strlen(text));
}

// Returns the bytes of the character at text; 0 when it is not UTF-8.
static size_t character_at(const char *text)
{
    for (size_t len = 1; len <= 4 && text[len - 1]; len++)
        if (utf8_is_valid(text, len))
            return len;
    return 0;
}

// Writes the character at *text as JSON wants it and moves on; returns its length.
static size_t escape_next(char out[8], const char **text)
{
    const unsigned char c = (unsigned char)**text;

    if (c == '"' || c == '\\' || c < 0x20 || c == 0x7f) {
        *text += 1;
        if (c >= 0x20 && c != 0x7f)
            return (size_t)snprintf(out, 8, "\\%c", c);
        return (size_t)snprintf(out, 8, "\\u%04x", c);
    }
    size_t len = character_at(*text);
    memcpy(out, len ? *text : "\xef\xbf\xbd", len ? len : 3);  // U+FFFD
    *text += len ? len : 1;
    return len ? len : 3;
}

// How many bytes from text on need no escape: most texts need none at all.
static size_t plain_run(const char *text)
{
    size_t len = 0;

    while ((unsigned char)text[len] >= 0x20 && (unsigned char)text[len] < 0x7f &&
           text[len] != '"' && text[len] != '\\')
        len++;
    return len;
}

// Adds a quoted JSON string; as much of text as there is room for.
static void add_string(struct line *l, const char *text)
{
    char piece[8];

    if (room_in(l) < 2)
        return;
    add_text(l, "\"");
    l->reserved++;  // the second quote
    while (*text) {
        size_t plain = plain_run(text);
        if (plain > room_in(l))
            plain = room_in(l);
        add(l, text, plain);
        text += plain;
        if (!*text)
            break;
        size_t len = escape_next(piece, &text);
        if (len > room_in(l))
            break;
        add(l, piece, len);
    }
    l->reserved--;
    add_text(l, "\"");
}

// What the field takes at least: everything but the text between the quotes.
static size_t least_size(const struct log_field *f)
{
    size_t size = strlen(f->name) + strlen(",\"\":");

    switch (f->kind) {
    case LOG_TEXT:
        return size + strlen("null");
    case LOG_INT:
        return size + INTEGER_MAX;
    case LOG_ID:
        return size + MESSAGE_ID_TEXT_BYTES + 1;
    case LOG_TRACE:
        return size + TRACE_ID_DIGITS + 2;
    }
    return size;
}

static void add_integer(struct line *l, int64_t value)
{
    char digits[INTEGER_MAX];
    char *p = digits + sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--p = '-';
    add(l, p, (size_t)(digits + sizeof(digits) - p));
}

static void add_value(struct line *l, const struct log_field *f)
{
    char text[MESSAGE_ID_TEXT_BYTES];

    switch (f->kind) {
    case LOG_TEXT:
        if (f->text)
            add_string(l, f->text);
        else
            add_text(l, "null");
        break;
    case LOG_INT:
        add_integer(l, f->integer);
        break;
    case LOG_ID:
        message_id_format(text, f->id);
        add_string(l, text);
        break;
    case LOG_TRACE:
        add_text(l, "\"");
        add(l, f->text, TRACE_ID_DIGITS);
        add_text(l, "\"");
        break;
    }
}

// Adds the time as buf_add_time does; the part down to the second is kept for the next.
static void add_time(struct line *l, int64_t wall_us)
{
    static int64_t kept_second = -1;
    static char kept[sizeof("2026-11-21T10:00:00")];
    int milliseconds = (int)(wall_us / 1000 % 1000);
    const char fraction[] = { '.', (char)('0' + milliseconds / 100),
                              (char)('0' + milliseconds / 10 % 10),
                              (char)('0' + milliseconds % 10), 'Z' };

    if (wall_us / 1000000 != kept_second) {
        struct buf now = BUF_INIT(32);
        buf_add_time(&now, wall_us);
        kept_second = wall_us / 1000000;
        memcpy(kept, buf_text(&now), sizeof(kept) - 1);
        buf_free(&now);
    }
    add(l, kept, sizeof(kept) - 1);
    add(l, fraction, sizeof(fraction));
}

static void add_head(struct line *l, enum log_level level, const char *event)
{
    add_text(l, "{\"time\":\"");
    add_time(l, clock_wall_us());
    add_text(l, "\",\"level\":\"");
    add_text(l, level_names[level]);
    add_text(l, "\",\"process\":");
    add_string(l, process_name);
    add_text(l, ",\"event\":");
    add_string(l, event);
}

// Errors go out at once: the process may be about to end.
static void put_out(enum log_level level, const struct line *l)
{
    if (!gathering) {
        write_out(l->bytes, l->len);
        return;
    }
    if (gathered_len + l->len > sizeof(gathered))
        write_gathered();
    memcpy(gathered + gathered_len, l->bytes, l->len);
    gathered_len += l->len;
    if (level == LOG_LEVEL_ERROR)
        write_gathered();
}

static bool is_left_out(const struct log_field *f)
{
    return f->kind == LOG_TRACE && !f->text;
}

// Adds as many of the fields as fit at least shortened; extra bytes are kept free.
static void add_fields(struct line *l, const struct log_field *fields, size_t count)
{
    size_t fitting = 0;

    for (; fitting < count && least_size(&fields[fitting]) <= room_in(l); fitting++)
        l->reserved += least_size(&fields[fitting]);
    for (size_t i = 0; i < fitting; i++) {
        l->reserved -= least_size(&fields[i]);
        if (is_left_out(&fields[i]))
            continue;
        add_text(l, ",\"");
        add_text(l, fields[i].name);
        add_text(l, "\":");
        add_value(l, &fields[i]);
    }
}

static void write_line(enum log_level level, const char *event,
                       const struct log_field *fields, size_t count, int64_t repeated)
{
    const struct log_field times = LOG_I("repeated", repeated);
    struct line l;

    l.len = 0;
    l.reserved = LINE_END;
    add_head(&l, level, event);
    if (repeated > 0)
        add_fields(&l, &times, 1);
    add_fields(&l, fields, count);
    l.reserved = 0;
    add_text(&l, "}\n");
    put_out(level, &l);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    int64_t repeated = 0;

    if (!log_is_on(level))
        return;
    if (level > LOG_LEVEL_WARN ||
        log_limit_pass(level, event, clock_boot_us(), &repeated))
        write_line(level, event, fields, count, repeated);
}

// What was counted and nobody told yet, once its time is over.
static void tell_repeated(int64_t now_us)
{
    enum log_level level;
    const char *event;
    int64_t repeated;

    while (log_limit_due(now_us, &level, &event, &repeated))
        write_line(level, event, NULL, 0, repeated);
}

void log_flush(void)
{
    if (log_limit_waits())
        tell_repeated(clock_boot_us());
    write_gathered();
}

void log_gather(bool on)
{
    tell_repeated(on ? clock_boot_us() : INT64_MAX);
    write_gathered();
    gathering = on;
}
