#include "form.h"

#include <stdlib.h>
#include <string.h>

// Decodes len bytes at text in place, ends them with a NUL (over the '=' or '&' behind
// them at the latest) and returns the new length.
static size_t decode(char *text, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && len - i > 2 && hex_decode(&c, 1, text + i + 1, 2)) {
            i += 2;
        }
        text[out++] = c;
    }
    text[out] = '\0';
    return out;
}

static struct form_pair decode_pair(char *text, size_t len)
{
    char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : len;
    char *value = equals ? equals + 1 : text + len;
    size_t value_len = (size_t)(text + len - value);

    return (struct form_pair){
        .name = text,
        .value = value,
        .name_len = decode(text, name_len),
        .value_len = decode(value, value_len),
    };
}

// Returns the end of the sequence that starts at text.
static const char *sequence_end(const char *text, const char *end)
{
    const char *ampersand = memchr(text, '&', (size_t)(end - text));
    return ampersand ? ampersand : end;
}

static size_t count_sequences(const char *text, const char *end)
{
    size_t count = 0;

    while (text < end) {
        const char *stop = sequence_end(text, end);
        count += stop > text;
        text = stop + 1;
    }
    return count;
}

enum outcome form_parse(struct form *out, const char *text, size_t len, struct err *err)
{
    size_t count = len ? count_sequences(text, text + len) : 0;
    if (count > FORM_PAIRS_MAX)
        return err_set(err, OUTCOME_REJECT, "form has more than %d pairs",
                       FORM_PAIRS_MAX);

    struct form f = {
        .pairs = xcalloc(count, sizeof(*f.pairs)),
        .bytes = xmemdup0(text, len),
    };
    char *end = f.bytes + len;
    for (char *p = f.bytes; p < end;) {
        char *stop = f.bytes + (sequence_end(p, end) - f.bytes);
        if (stop > p)
            f.pairs[f.count++] = decode_pair(p, (size_t)(stop - p));
        p = stop + 1;
    }

    *out = f;
    return OUTCOME_OK;
}

void form_free(struct form *f)
{
    free(f->pairs);
    free(f->bytes);
    *f = (struct form){ 0 };
}

const struct form_pair *form_find(const struct form *f, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < f->count; i++)
        if (f->pairs[i].name_len == len && memcmp(f->pairs[i].name, name, len) == 0)
            return &f->pairs[i];
    return NULL;
}

bool form_copy(char *out, size_t size, const struct form *f, const char *name)
{
    const struct form_pair *pair = form_find(f, name);

    out[0] = '\0';
    if (!pair || pair->value_len == 0 || pair->value_len >= size ||
        memchr(pair->value, '\0', pair->value_len))
        return false;
    memcpy(out, pair->value, pair->value_len);
    out[pair->value_len] = '\0';
    return true;
}
