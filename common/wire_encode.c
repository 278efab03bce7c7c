// The writing half of wire.h: records and their JSON Schema.
#include "wire.h"

#include "buf.h"
#include "message_id.h"

#include <assert.h>
#include <string.h>

static bool is_zero(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

static void begin_member(struct buf *out, const struct wire_field *f, bool *first)
{
    buf_add_text(out, *first ? "\"" : ",\"");
    buf_add_text(out, f->name);
    buf_add_text(out, "\":");
    *first = false;
}

static void encode_id(struct buf *out, const struct wire_field *f, const void *from,
                      bool *first)
{
    char text[MESSAGE_ID_TEXT_BYTES + 1];

    if (!f->required && is_zero(from, MESSAGE_ID_BYTES))
        return;
    begin_member(out, f, first);
    message_id_format(text, from);
    buf_add_char(out, '"');
    buf_add(out, text, MESSAGE_ID_TEXT_BYTES - 1);
    buf_add_char(out, '"');
}

static int64_t integer_of(const struct wire_field *f, const void *from)
{
    int32_t small;
    int64_t large;

    if (f->kind == WIRE_INT4) {
        memcpy(&small, from, sizeof(small));
        return small;
    }
    memcpy(&large, from, sizeof(large));
    return large;
}

static void encode_integer(struct buf *out, const struct wire_field *f, const void *from,
                           bool *first)
{
    int64_t value = integer_of(f, from);

    if (!f->required && value == 0)
        return;
    begin_member(out, f, first);
    if (f->kind != WIRE_TIME) {
        buf_add_int(out, value);
        return;
    }
    buf_add_char(out, '"');
    buf_add_time(out, value);
    buf_add_char(out, '"');
}

static void encode_text(struct buf *out, const struct wire_field *f, const void *from,
                        bool *first)
{
    const char *text;

    memcpy(&text, from, sizeof(text));
    assert(text || !f->required);
    if (!text)
        return;
    begin_member(out, f, first);
    buf_add_json_string(out, text, strlen(text));
}

static void encode_bytes(struct buf *out, const struct wire_field *f, const void *from,
                         bool *first)
{
    struct wire_bytes value;

    memcpy(&value, from, sizeof(value));
    assert(value.bytes || !f->required);
    if (!value.bytes)
        return;
    begin_member(out, f, first);
    buf_add_char(out, '"');
    buf_add_base64(out, value.bytes, value.len);
    buf_add_char(out, '"');
}

static bool is_in_range(const struct wire_field *f, bool there, int64_t value)
{
    if (!there)
        return !f->required;
    return f->words || (value >= f->min && value <= f->max);
}

static bool is_sound(const struct wire_field *f, const void *from)
{
    struct wire_bytes bytes;
    const char *text;
    int64_t value;

    switch (f->kind) {
    case WIRE_ID:
        return !f->required || !is_zero(from, MESSAGE_ID_BYTES);
    case WIRE_INT4:
    case WIRE_INT8:
    case WIRE_TIME:
        value = integer_of(f, from);
        return is_in_range(f, f->required || value != 0, value);
    case WIRE_TEXT:
    case WIRE_CODE:
        memcpy(&text, from, sizeof(text));
        return is_in_range(f, text != NULL, text ? (int64_t)strlen(text) : 0);
    case WIRE_BYTES:
        memcpy(&bytes, from, sizeof(bytes));
        return is_in_range(f, bytes.bytes != NULL, (int64_t)bytes.len);
    }
    return false;
}

const char *wire_flaw(const void *record, const struct wire_field *fields)
{
    for (const struct wire_field *f = fields; f->name; f++)
        if (!is_sound(f, (const char *)record + f->offset))
            return f->name;
    return NULL;
}

void wire_encode(const void *record, const struct wire_field *fields, struct buf *out)
{
    bool first = true;

    buf_add_char(out, '{');
    for (const struct wire_field *f = fields; f->name; f++) {
        const void *from = (const char *)record + f->offset;
        switch (f->kind) {
        case WIRE_ID:
            encode_id(out, f, from, &first);
            break;
        case WIRE_INT4:
        case WIRE_INT8:
        case WIRE_TIME:
            encode_integer(out, f, from, &first);
            break;
        case WIRE_TEXT:
        case WIRE_CODE:
            encode_text(out, f, from, &first);
            break;
        case WIRE_BYTES:
            encode_bytes(out, f, from, &first);
            break;
        }
    }
    buf_add_char(out, '}');
}

static void schema_words(struct buf *out, const char *words)
{
    buf_add_text(out, ", \"enum\": [");
    for (const char *at = words;;) {
        size_t len = strcspn(at, "|");
        buf_add_json_string(out, at, len);
        if (at[len] == '\0')
            break;
        buf_add_text(out, ", ");
        at += len + 1;
    }
    buf_add_char(out, ']');
}

// JSON Schema counts characters, we count bytes: a character is 1 to 4 of them.
static void schema_text(struct buf *out, const struct wire_field *f)
{
    buf_add_text(out, "\"string\"");
    if (f->words)
        schema_words(out, f->words);
    else
        buf_addf(out, ", \"minLength\": %lld, \"maxLength\": %lld",
                 (long long)((f->min + 3) / 4), (long long)f->max);
}

static void schema_kind(struct buf *out, const struct wire_field *f)
{
    const long long min = f->min, max = f->max;

    switch (f->kind) {
    case WIRE_ID:
        buf_add_text(out, "\"string\", \"format\": \"uuid\"");
        break;
    case WIRE_INT4:
    case WIRE_INT8:
        buf_addf(out, "\"integer\", \"minimum\": %lld, \"maximum\": %lld", min, max);
        break;
    case WIRE_TIME:
        buf_add_text(out, "\"string\", \"format\": \"date-time\"");
        break;
    case WIRE_TEXT:
        schema_text(out, f);
        break;
    case WIRE_CODE:
        buf_addf(out, "\"string\", \"pattern\": \"^[A-Z]{%lld,%lld}$\"", min, max);
        break;
    case WIRE_BYTES:
        buf_addf(out,
                 "\"string\", \"contentEncoding\": \"base64\", \"minLength\": %lld, "
                 "\"maxLength\": %lld",
                 (min + 2) / 3 * 4, (max + 2) / 3 * 4);
        break;
    }
}

static void schema_required(struct buf *out, const struct wire_field *fields)
{
    const char *between = "";

    buf_add_text(out, "  \"required\": [");
    for (const struct wire_field *f = fields; f->name; f++) {
        if (!f->required)
            continue;
        buf_addf(out, "%s\n    \"%s\"", between, f->name);
        between = ",";
    }
    buf_add_text(out, "\n  ]\n");
}

void wire_schema(const char *title, const struct wire_field *fields, struct buf *out)
{
    buf_add_text(out,
                 "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                 "  \"title\": ");
    buf_add_json_string(out, title, strlen(title));
    buf_add_text(out, ",\n  \"type\": \"object\",\n  \"properties\": {");
    for (const struct wire_field *f = fields; f->name; f++) {
        buf_addf(out,
                 "%s\n    \"%s\": {\n      \"description\": ", f == fields ? "" : ",",
                 f->name);
        buf_add_json_string(out, f->help, strlen(f->help));
        buf_add_text(out, ",\n      \"type\": ");
        schema_kind(out, f);
        buf_add_text(out, "\n    }");
    }
    buf_add_text(out, "\n  },\n");
    schema_required(out, fields);
    buf_add_text(out, "}\n");
}
