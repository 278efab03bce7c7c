#include "fuzz.h"

#include "keys.h"

#include <string.h>

const struct keys *fuzz_keys(void)
{
    static struct keys keys;
    static bool is_open;
    char lookup[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    char seal[] = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const struct keys_settings set = { .lookup = lookup, .seal = seal };
    struct err err;

    if (!is_open && keys_open(&keys, &set, &err))
        abort();
    is_open = true;
    return &keys;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

size_t fuzz_cut(const uint8_t **data, size_t *size)
{
    const uint8_t *newline = *size ? memchr(*data, '\n', *size) : NULL;
    size_t len = newline ? (size_t)(newline - *data) : *size;
    size_t used = newline ? len + 1 : len;

    *data += used;
    *size -= used;
    return len;
}
