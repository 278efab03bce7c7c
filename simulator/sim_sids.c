#include "sim_sids.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 };

// What an identifier hides. Exactly one AES block.
struct block {
    uint64_t number;
    uint32_t generation;
    uint32_t kind;  // 'S', 'R', 'T' with a status, or two letters
};

struct sim_sids {
    EVP_CIPHER_CTX *encrypt, *decrypt;
    uint32_t generation;
};

static EVP_CIPHER_CTX *cipher_new(const unsigned char *key, int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (!ctx || EVP_CipherInit_ex(ctx, EVP_aes_128_ecb(), NULL, key, NULL, encrypt) != 1)
        abort();  // AES is always there; what fails here is memory
    EVP_CIPHER_CTX_set_padding(ctx, 0);
    return ctx;
}

struct sim_sids *sim_sids_new(const char *seed)
{
    struct sim_sids *s = xcalloc(1, sizeof(*s));
    unsigned char key[EVP_MAX_MD_SIZE];

    _Static_assert(sizeof(struct block) == BLOCK_BYTES, "one identifier, one block");
    random_bytes(key, sizeof(key));
    if (seed[0] && EVP_Digest(seed, strlen(seed), key, NULL, EVP_sha256(), NULL) != 1)
        abort();
    s->encrypt = cipher_new(key, 1);
    s->decrypt = cipher_new(key, 0);
    return s;
}

void sim_sids_free(struct sim_sids *s)
{
    if (!s)
        return;
    EVP_CIPHER_CTX_free(s->encrypt);
    EVP_CIPHER_CTX_free(s->decrypt);
    free(s);
}

void sim_sids_renew(struct sim_sids *s)
{
    s->generation++;
}

static void encrypt(struct sim_sids *s, const struct block *block,
                    unsigned char out[BLOCK_BYTES])
{
    int len = 0;

    if (EVP_EncryptUpdate(s->encrypt, out, &len, (const unsigned char *)block,
                          BLOCK_BYTES) != 1)
        abort();
}

static void write_sid(struct sim_sids *s, const char *prefix, const struct block *block,
                      char out[SIM_SIDS_TEXT_BYTES])
{
    unsigned char bytes[BLOCK_BYTES];

    encrypt(s, block, bytes);
    memcpy(out, prefix, 2);
    hex_encode(out + 2, bytes, sizeof(bytes));
}

void sim_sids_message(struct sim_sids *s, uint32_t number, char out[SIM_SIDS_TEXT_BYTES])
{
    write_sid(s, "SM", &(struct block){ number, s->generation, 'S' }, out);
}

void sim_sids_request(struct sim_sids *s, uint64_t count, char out[SIM_SIDS_TEXT_BYTES])
{
    write_sid(s, "RQ", &(struct block){ count, s->generation, 'R' }, out);
}

void sim_sids_other(struct sim_sids *s, const char *kind, uint64_t number,
                    char out[SIM_SIDS_TEXT_BYTES])
{
    uint32_t word = (uint32_t)((unsigned char)kind[0] | (unsigned char)kind[1] << 8);

    write_sid(s, kind, &(struct block){ number, s->generation, word }, out);
}

void sim_sids_token(struct sim_sids *s, uint32_t number, unsigned status,
                    char out[SIM_SIDS_TOKEN_BYTES])
{
    static const size_t groups[] = { 4, 2, 2, 2, 6 };
    unsigned char bytes[BLOCK_BYTES];
    const unsigned char *from = bytes;

    encrypt(s, &(struct block){ number, s->generation, 'T' | status << 8 }, bytes);
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        if (i > 0)
            *out++ = '-';
        hex_encode(out, from, groups[i]);
        out += groups[i] * 2;
        from += groups[i];
    }
}

bool sim_sids_read(struct sim_sids *s, const char *text, size_t len, uint32_t *number)
{
    unsigned char bytes[BLOCK_BYTES];
    struct block block;
    int out_len = 0;

    if (len != SIM_SIDS_TEXT_BYTES - 1 || (text[0] != 'S' && text[0] != 'M') ||
        text[1] != 'M' || !hex_decode(bytes, sizeof(bytes), text + 2, len - 2))
        return false;
    if (EVP_DecryptUpdate(s->decrypt, (unsigned char *)&block, &out_len, bytes,
                          BLOCK_BYTES) != 1)
        abort();
    if (block.kind != 'S' || block.generation != s->generation || block.number == 0 ||
        block.number > UINT32_MAX)
        return false;
    *number = (uint32_t)block.number;
    return true;
}
