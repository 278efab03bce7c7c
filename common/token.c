#include "token.h"

#include "buf.h"

#include <string.h>

#define PREFIX "smsq_"

static const char digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum { BASE = sizeof(digits) - 1 };

// By half bytes: every request with a token is checked.
static uint32_t crc32_of(const char *text, size_t len)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)text[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static void write_check(char out[TOKEN_CHECK_LEN], const char *text, size_t len)
{
    uint32_t crc = crc32_of(text, len);

    for (size_t i = TOKEN_CHECK_LEN; i-- > 0; crc /= BASE)
        out[i] = digits[crc % BASE];
}

static void write_random(char *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = digits[random_below(BASE)];
}

void token_make(char out[TOKEN_TEXT_BYTES], struct token_name *name,
                enum account_mode mode)
{
    struct buf text = BUF_INIT(TOKEN_TEXT_BYTES);
    char secret[TOKEN_SECRET_LEN + 1] = "", check[TOKEN_CHECK_LEN + 1] = "";

    *name = (struct token_name){ .mode = mode };
    write_random(name->key_id, TOKEN_KEY_ID_LEN);
    write_random(secret, TOKEN_SECRET_LEN);
    buf_addf(&text, PREFIX "%s_%s_%s", account_mode_name(mode), name->key_id, secret);
    write_check(check, text.bytes, text.len);
    buf_add_text(&text, check);
    memcpy(out, buf_text(&text), text.len + 1);
    buf_free(&text);
}

static bool are_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return true;
}

bool token_parse(struct token_name *out, const char *text, size_t len)
{
    static const size_t prefix_len = sizeof(PREFIX) - 1,
                        rest_len =
                            TOKEN_KEY_ID_LEN + 1 + TOKEN_SECRET_LEN + TOKEN_CHECK_LEN;
    char check[TOKEN_CHECK_LEN];

    if (len < prefix_len + rest_len + 1 || memcmp(text, PREFIX, prefix_len) != 0)
        return false;
    const char *mode = text + prefix_len, *key_id = text + len - rest_len;
    size_t mode_len = (size_t)(key_id - 1 - mode);
    *out = (struct token_name){ 0 };
    if (!account_mode_find(&out->mode, mode, mode_len) || key_id[-1] != '_' ||
        key_id[TOKEN_KEY_ID_LEN] != '_' || !are_digits(key_id, TOKEN_KEY_ID_LEN) ||
        !are_digits(key_id + TOKEN_KEY_ID_LEN + 1, TOKEN_SECRET_LEN + TOKEN_CHECK_LEN))
        return false;
    memcpy(out->key_id, key_id, TOKEN_KEY_ID_LEN);
    write_check(check, text, len - TOKEN_CHECK_LEN);
    return memcmp(check, text + len - TOKEN_CHECK_LEN, TOKEN_CHECK_LEN) == 0;
}
