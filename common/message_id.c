#include "message_id.h"

#include "mac.h"

#include <openssl/crypto.h>
#include <string.h>

enum { TAGGED_BYTES = 12, TAG_BYTES = 4 };

// The tag covers the first 96 bits and the client, so an id says nothing to anybody else.
static void tag_of(unsigned char out[TAG_BYTES], const unsigned char id[MESSAGE_ID_BYTES],
                   int32_t client, struct mac *tags)
{
    unsigned char input[TAGGED_BYTES + 4], mac[MAC_BYTES];
    uint32_t c = (uint32_t)client;

    memcpy(input, id, TAGGED_BYTES);
    for (int i = 0; i < 4; i++)
        input[TAGGED_BYTES + i] = (unsigned char)(c >> (24 - 8 * i));
    mac_sign(tags, input, sizeof(input), mac);
    memcpy(out, mac, TAG_BYTES);
}

void message_id_new(unsigned char id[MESSAGE_ID_BYTES], int64_t wall_ms, int32_t client,
                    struct mac *tags)
{
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(wall_ms >> (40 - 8 * i));
    random_bytes(id + 6, TAGGED_BYTES - 6);
    id[6] = (unsigned char)(0x70 | (id[6] & 0x0f));  // version 7
    id[8] = (unsigned char)(0x80 | (id[8] & 0x3f));  // RFC variant
    tag_of(id + TAGGED_BYTES, id, client, tags);
}

bool message_id_is_of(const unsigned char id[MESSAGE_ID_BYTES], int32_t client,
                      struct mac *tags)
{
    unsigned char tag[TAG_BYTES];

    tag_of(tag, id, client, tags);
    return CRYPTO_memcmp(tag, id + TAGGED_BYTES, TAG_BYTES) == 0;
}

static bool is_hyphen_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool message_id_parse(unsigned char id[MESSAGE_ID_BYTES], const char *text, size_t len)
{
    char digits[2 * MESSAGE_ID_BYTES];
    unsigned char bytes[MESSAGE_ID_BYTES];
    size_t n = 0;

    if (len != MESSAGE_ID_TEXT_BYTES - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (is_hyphen_place(i) != (text[i] == '-'))
            return false;
        if (text[i] != '-')
            digits[n++] = text[i];
    }
    if (!hex_decode(bytes, sizeof(bytes), digits, n))
        return false;
    if (bytes[6] >> 4 != 7 || bytes[8] >> 6 != 2)
        return false;
    memcpy(id, bytes, sizeof(bytes));
    return true;
}

void message_id_format(char text[MESSAGE_ID_TEXT_BYTES],
                       const unsigned char id[MESSAGE_ID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    for (size_t i = 0; i < MESSAGE_ID_BYTES; i++) {
        if (is_hyphen_place(n))
            text[n++] = '-';
        text[n++] = digits[id[i] >> 4];
        text[n++] = digits[id[i] & 15];
    }
    text[n] = '\0';
}

int64_t message_id_ms(const unsigned char id[MESSAGE_ID_BYTES])
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id[i];
    return ms;
}
