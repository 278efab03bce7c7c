#include "wire.h"

#include "buf.h"
#include "json.h"
#include "message_id.h"
#include "timestamp.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 64, ID_BYTES = 16 };

// Every text takes more bytes in JSON (quotes, escapes, base64) than it needs here, so a
// block of the record's size holds them all.
struct wire_memory {
    size_t used;
    size_t room;
    char bytes[];
};

// One decoding in hand.
struct decoding {
    char *record;
    const struct wire_field *fields;
    size_t count;
    size_t next;      // the field that comes next if the writer keeps the table's order
    uint64_t seen;    // bit per field: its member came
    uint64_t filled;  // likewise, and it was not null
    struct wire_memory *memory;
};

void wire_free(struct wire_memory *m)
{
    free(m);
}

static size_t count_fields(const struct wire_field *fields)
{
    size_t count = 0;

    while (fields[count].name)
        count++;
    assert(count <= FIELDS_MAX);
    return count;
}

static bool is_named(const struct wire_field *f, const char *name, size_t len)
{
    return strncmp(f->name, name, len) == 0 && f->name[len] == '\0';
}

// Returns the index of the field, count when the name is unknown.
static size_t find_field(const struct decoding *d, const char *name, size_t len)
{
    for (size_t i = d->next; i < d->count; i++)
        if (is_named(&d->fields[i], name, len))
            return i;
    for (size_t i = 0; i < d->next; i++)
        if (is_named(&d->fields[i], name, len))
            return i;
    return d->count;
}

static enum outcome refuse(const struct wire_field *f, const char *what, struct err *err)
{
    return err_set(err, OUTCOME_REJECT, "\"%s\" %s", f->name, what);
}

static enum outcome decode_integer(void *to, const struct wire_field *f,
                                   const struct json_value *value, struct err *err)
{
    if (value->kind != JSON_INTEGER)
        return refuse(f, "must be an integer", err);
    if (value->integer < f->min || value->integer > f->max)
        return err_set(err, OUTCOME_REJECT,
                       "\"%s\" must be between %" PRId64 " and %" PRId64, f->name, f->min,
                       f->max);
    if (f->kind == WIRE_INT4) {
        int32_t small = (int32_t)value->integer;
        memcpy(to, &small, sizeof(small));
    } else {
        memcpy(to, &value->integer, sizeof(value->integer));
    }
    return OUTCOME_OK;
}

static enum outcome decode_id(void *to, const struct wire_field *f,
                              const struct json_value *value, struct err *err)
{
    if (value->kind != JSON_STRING || !message_id_parse(to, value->text, value->len))
        return refuse(f, "must be a UUID of version 7", err);
    return OUTCOME_OK;
}

static enum outcome decode_time(void *to, const struct wire_field *f,
                                const struct json_value *value, struct err *err)
{
    int64_t us;

    if (value->kind != JSON_STRING || !timestamp_parse(&us, value->text, value->len))
        return refuse(f, "must be a time like 2026-11-21T10:00:00.000Z", err);
    if (us < f->min || us > f->max)
        return refuse(f, "must be a time after 1970", err);
    memcpy(to, &us, sizeof(us));
    return OUTCOME_OK;
}

// Compares text with each of the words between the bars.
static bool is_one_of(const char *words, const char *text, size_t len)
{
    for (const char *at = words;;) {
        size_t word_len = strcspn(at, "|");
        if (word_len == len && memcmp(at, text, len) == 0)
            return true;
        if (at[word_len] == '\0')
            return false;
        at += word_len + 1;
    }
}

static bool is_capitals(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < 'A' || text[i] > 'Z')
            return false;
    return true;
}

static enum outcome check_length(const struct wire_field *f, size_t len, struct err *err)
{
    if (len >= (size_t)f->min && len <= (size_t)f->max)
        return OUTCOME_OK;
    if (f->min == f->max)
        return err_set(err, OUTCOME_REJECT, "\"%s\" must be %" PRId64 " bytes long",
                       f->name, f->min);
    return err_set(err, OUTCOME_REJECT,
                   "\"%s\" must be %" PRId64 " to %" PRId64 " bytes long", f->name,
                   f->min, f->max);
}

static enum outcome check_text(const struct wire_field *f, const struct json_value *value,
                               struct err *err)
{
    if (value->kind != JSON_STRING)
        return refuse(f, "must be a text", err);
    if (f->words && !is_one_of(f->words, value->text, value->len))
        return err_set(err, OUTCOME_REJECT, "\"%s\" must be %s%s", f->name,
                       strchr(f->words, '|') ? "one of " : "", f->words);
    if (!f->words && check_length(f, value->len, err))
        return OUTCOME_REJECT;
    if (f->kind == WIRE_CODE && !is_capitals(value->text, value->len))
        return refuse(f, "must be capital letters", err);
    if (memchr(value->text, '\0', value->len))
        return refuse(f, "must not hold a NUL character", err);
    return OUTCOME_OK;
}

static enum outcome decode_text(void *to, struct wire_memory *m,
                                const struct wire_field *f,
                                const struct json_value *value, struct err *err)
{
    if (check_text(f, value, err))
        return OUTCOME_REJECT;

    char *copy = m->bytes + m->used;
    assert(value->len < m->room - m->used);
    memcpy(copy, value->text, value->len);
    copy[value->len] = '\0';
    m->used += value->len + 1;
    memcpy(to, &copy, sizeof(copy));
    return OUTCOME_OK;
}

static enum outcome decode_bytes(void *to, struct wire_memory *m,
                                 const struct wire_field *f,
                                 const struct json_value *value, struct err *err)
{
    // A buf over the block: it has room for whatever the text can stand for.
    struct buf rest = { .bytes = m->bytes + m->used,
                        .room = m->room - m->used,
                        .max = m->room - m->used - 1 };

    assert(value->kind != JSON_STRING || value->len < rest.room);
    if (value->kind != JSON_STRING ||
        !buf_add_base64_decoded(&rest, value->text, value->len))
        return refuse(f, "must be base64", err);
    if (check_length(f, rest.len, err))
        return OUTCOME_REJECT;
    struct wire_bytes bytes = { (const unsigned char *)rest.bytes, rest.len };
    m->used += rest.len;
    memcpy(to, &bytes, sizeof(bytes));
    return OUTCOME_OK;
}

static enum outcome decode_value(struct decoding *d, const struct wire_field *f,
                                 const struct json_value *value, struct err *err)
{
    void *to = d->record + f->offset;

    switch (f->kind) {
    case WIRE_ID:
        return decode_id(to, f, value, err);
    case WIRE_INT4:
    case WIRE_INT8:
        return decode_integer(to, f, value, err);
    case WIRE_TIME:
        return decode_time(to, f, value, err);
    case WIRE_TEXT:
    case WIRE_CODE:
        return decode_text(to, d->memory, f, value, err);
    case WIRE_BYTES:
        return decode_bytes(to, d->memory, f, value, err);
    }
    return OUTCOME_FATAL;  // not reached: all kinds are above
}

static enum outcome decode_member(void *arg, const char *name, size_t name_len,
                                  const struct json_value *value, struct err *err)
{
    struct decoding *d = arg;
    size_t i = find_field(d, name, name_len);

    if (i == d->count)
        return OUTCOME_OK;
    const uint64_t bit = UINT64_C(1) << i;
    if (d->seen & bit)
        return refuse(&d->fields[i], "comes twice", err);
    d->seen |= bit;
    d->next = i + 1;
    if (value->kind == JSON_NULL)
        return OUTCOME_OK;
    d->filled |= bit;
    return decode_value(d, &d->fields[i], value, err);
}

static enum outcome check_required(const struct decoding *d, struct err *err)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->fields[i].required && !(d->filled & UINT64_C(1) << i))
            return refuse(&d->fields[i], "is missing", err);
    return OUTCOME_OK;
}

static size_t size_of(enum wire_kind kind)
{
    switch (kind) {
    case WIRE_ID:
        return ID_BYTES;
    case WIRE_INT4:
        return sizeof(int32_t);
    case WIRE_INT8:
    case WIRE_TIME:
        return sizeof(int64_t);
    case WIRE_TEXT:
    case WIRE_CODE:
        return sizeof(char *);
    case WIRE_BYTES:
        return sizeof(struct wire_bytes);
    }
    return 0;  // not reached
}

enum outcome wire_decode(void *record, struct wire_memory **memory,
                         const struct wire_field *fields, struct json_reader *reader,
                         const char *bytes, size_t len, struct err *err)
{
    struct decoding d = { .record = record, .fields = fields };

    d.count = count_fields(fields);
    d.memory = xrealloc(NULL, sizeof(*d.memory) + len + 1);
    d.memory->used = 0;
    d.memory->room = len + 1;
    enum outcome rc = json_read(reader, bytes, len, decode_member, &d, err);
    if (!rc)
        rc = check_required(&d, err);
    if (!rc) {
        *memory = d.memory;
        return OUTCOME_OK;
    }

    for (size_t i = 0; i < d.count; i++)
        memset(d.record + fields[i].offset, 0, size_of(fields[i].kind));
    wire_free(d.memory);
    return rc;
}
