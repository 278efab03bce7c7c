#include "trace.h"

#include <string.h>

enum {
    ID_AT = 3,
    PARENT_AT = 36,
    PARENT_DIGITS = 16,
    FLAGS_AT = 53,
    VERSION_00_LEN = 55
};

static bool is_hex(const char *at, size_t digits)
{
    return strspn(at, "0123456789abcdef") >= digits;
}

static bool is_zero(const char *at, size_t digits)
{
    return strspn(at, "0") >= digits;
}

bool trace_is_valid(const char *text)
{
    size_t len = strlen(text);

    if (len < VERSION_00_LEN || text[2] != '-' || text[PARENT_AT - 1] != '-' ||
        text[FLAGS_AT - 1] != '-')
        return false;
    if (!is_hex(text, 2) || !is_hex(text + ID_AT, TRACE_ID_DIGITS) ||
        !is_hex(text + PARENT_AT, PARENT_DIGITS) || !is_hex(text + FLAGS_AT, 2))
        return false;
    if (is_zero(text + ID_AT, TRACE_ID_DIGITS) ||
        is_zero(text + PARENT_AT, PARENT_DIGITS))
        return false;
    if (memcmp(text, "00", 2) == 0)
        return len == VERSION_00_LEN;
    return memcmp(text, "ff", 2) != 0 &&
           (len == VERSION_00_LEN || text[VERSION_00_LEN] == '-');
}

static void random_hex(char *out, size_t digits)
{
    unsigned char bytes[TRACE_ID_DIGITS / 2];
    char text[TRACE_ID_DIGITS + 1];

    do {
        random_bytes(bytes, digits / 2);
        hex_encode(text, bytes, digits / 2);
    } while (is_zero(text, digits));
    memcpy(out, text, digits);
}

void trace_continue(char out[TRACE_PARENT_BYTES], const char *received)
{
    memcpy(out, "00-", ID_AT);
    out[PARENT_AT - 1] = out[FLAGS_AT - 1] = '-';
    if (trace_is_valid(received)) {
        memcpy(out + ID_AT, received + ID_AT, TRACE_ID_DIGITS);
        out[FLAGS_AT] = '0';  // the last bit is all that we know
        out[FLAGS_AT + 1] = strchr("13579bdf", received[FLAGS_AT + 1]) ? '1' : '0';
    } else {
        random_hex(out + ID_AT, TRACE_ID_DIGITS);
        memcpy(out + FLAGS_AT, "00", 2);
    }
    random_hex(out + PARENT_AT, PARENT_DIGITS);
    out[VERSION_00_LEN] = '\0';
}

const char *trace_id_of(const char *traceparent)
{
    return traceparent ? traceparent + ID_AT : NULL;
}

bool trace_id_is_valid(const char *text)
{
    return strlen(text) == TRACE_ID_DIGITS && is_hex(text, TRACE_ID_DIGITS) &&
           !is_zero(text, TRACE_ID_DIGITS);
}
