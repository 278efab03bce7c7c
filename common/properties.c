#include "properties.h"

#include <string.h>

static const char blanks[] = " \t\r\n";

static void clear(struct property *p)
{
    buf_clear(&p->key);
    buf_clear(&p->value);
}

void property_free(struct property *p)
{
    if (p->value.bytes)
        explicit_bzero(p->value.bytes, p->value.room);
    buf_free(&p->key);
    buf_free(&p->value);
}

static void trim_end(struct buf *b)
{
    while (b->len > 0 && strchr(blanks, b->bytes[b->len - 1]))
        b->bytes[--b->len] = '\0';
}

// Reads up to the next single ';' and moves behind it.
static const char *read_value(struct buf *value, const char *at)
{
    at += strspn(at, blanks);
    for (; *at; at++) {
        if (*at == ';' && *++at != ';')
            break;
        buf_add_char(value, *at);
    }
    trim_end(value);
    return at;
}

enum outcome properties_next(const char **at, struct property *out, struct err *err)
{
    const char *text = *at ? *at : "";

    clear(out);
    text += strspn(text, " \t\r\n;");
    if (!*text)
        return OUTCOME_RETRY;
    const size_t key_len = strcspn(text, "=;");
    if (key_len == 0 || text[key_len] != '=')
        return err_set(err, OUTCOME_REJECT,
                       "\"%.*s\" is not key=value (a ; inside a value is written twice)",
                       (int)(key_len < 64 ? key_len : 64), text);
    buf_add(&out->key, text, key_len);
    trim_end(&out->key);
    *at = read_value(&out->value, text + key_len + 1);
    if (out->key.failed || out->value.failed)
        return err_set(err, OUTCOME_REJECT, "a property is longer than %d bytes",
                       PROPERTIES_MAX_BYTES);
    return OUTCOME_OK;
}

void properties_add(struct buf *out, const char *key, const char *value)
{
    if (out->len > 0)
        buf_add_char(out, ';');
    buf_addf(out, "%s=", key);
    for (const char *p = value; *p; p++) {
        buf_add_char(out, *p);
        if (*p == ';')
            buf_add_char(out, ';');
    }
}
