#include "seal.h"

#include "buf.h"
#include "kdf.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    VERSION = 1,
    KEY_BYTES = 32,
    HEADER_BYTES = 4,
    NONCE_BYTES = 12,
    TAG_BYTES = 16,
    PREFIX_BYTES = HEADER_BYTES + NONCE_BYTES,
    MONTHS_CACHED = 4,
};

struct master_key {
    int id;  // 1..255
    unsigned char bytes[KEY_BYTES];
};

// A derived data key, ready to use.
struct month_key {
    int key_id;  // 0 = free
    int month;   // since 1970-01
    EVP_CIPHER_CTX *encrypt, *decrypt;
};

struct seal {
    struct master_key masters[SEAL_KEYS_MAX];
    size_t master_count;
    struct month_key months[MONTHS_CACHED];
    size_t next_month;  // the place that is replaced next
};

static enum outcome add_master(struct seal *s, const char *item, size_t len,
                               struct err *err)
{
    char *end;
    long id = strtol(item, &end, 10);

    if (end == item || *end != ':' || id < 1 || id > 255)
        return err_set(err, OUTCOME_REJECT, "a sealing key begins with 1 to 255 and ':'");
    if (s->master_count == SEAL_KEYS_MAX)
        return err_set(err, OUTCOME_REJECT, "more than %d sealing keys", SEAL_KEYS_MAX);
    for (size_t i = 0; i < s->master_count; i++)
        if (s->masters[i].id == id)
            return err_set(err, OUTCOME_REJECT, "sealing key %ld is given twice", id);

    struct master_key *m = &s->masters[s->master_count];
    const char *hex = end + 1;
    if (!hex_decode(m->bytes, KEY_BYTES, hex, len - (size_t)(hex - item)))
        return err_set(err, OUTCOME_REJECT, "sealing key %ld is not 64 hex digits", id);
    m->id = (int)id;
    s->master_count++;
    return OUTCOME_OK;
}

enum outcome seal_new(struct seal **out, const char *keys, struct err *err)
{
    struct seal *s = xcalloc(1, sizeof(*s));

    for (const char *item = keys; item;) {
        const char *comma = strchr(item, ',');
        size_t len = comma ? (size_t)(comma - item) : strlen(item);
        if (add_master(s, item, len, err)) {
            seal_free(s);
            return OUTCOME_REJECT;
        }
        item = comma ? comma + 1 : NULL;
    }
    *out = s;
    return OUTCOME_OK;
}

static void forget_month(struct month_key *m)
{
    EVP_CIPHER_CTX_free(m->encrypt);
    EVP_CIPHER_CTX_free(m->decrypt);
    *m = (struct month_key){ 0 };
}

void seal_free(struct seal *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < MONTHS_CACHED; i++)
        forget_month(&s->months[i]);
    OPENSSL_cleanse(s, sizeof(*s));
    free(s);
}

// One data key per master key and month.
static void derive(const struct master_key *master, int month, unsigned char *key)
{
    const unsigned char info[] = { 's',
                                   'm',
                                   's',
                                   'q',
                                   ' ',
                                   's',
                                   'e',
                                   'a',
                                   'l',
                                   (unsigned char)(month >> 8),
                                   (unsigned char)month };

    kdf_derive(master->bytes, info, sizeof(info), key);
}

static struct month_key *month_key(struct seal *s, const struct master_key *master,
                                   int month)
{
    for (size_t i = 0; i < MONTHS_CACHED; i++)
        if (s->months[i].key_id == master->id && s->months[i].month == month)
            return &s->months[i];

    struct month_key *m = &s->months[s->next_month++ % MONTHS_CACHED];
    unsigned char key[KEY_BYTES];

    forget_month(m);
    derive(master, month, key);
    *m = (struct month_key){ master->id, month, EVP_CIPHER_CTX_new(),
                             EVP_CIPHER_CTX_new() };
    if (EVP_EncryptInit_ex(m->encrypt, EVP_aes_256_gcm(), NULL, key, NULL) <= 0 ||
        EVP_DecryptInit_ex(m->decrypt, EVP_aes_256_gcm(), NULL, key, NULL) <= 0)
        abort();
    OPENSSL_cleanse(key, sizeof(key));
    return m;
}

static int month_of(int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    return (tm.tm_year - 70) * 12 + tm.tm_mon;
}

void seal_close(struct seal *s, int64_t wall_us, const void *aad, size_t aad_len,
                const void *plain, size_t len, struct buf *out)
{
    const struct master_key *master = &s->masters[s->master_count - 1];
    int month = month_of(wall_us), n;
    struct month_key *m = month_key(s, master, month);
    unsigned char head[PREFIX_BYTES] = { VERSION, (unsigned char)master->id,
                                         (unsigned char)(month >> 8),
                                         (unsigned char)month };
    unsigned char tag[TAG_BYTES];
    size_t begin = out->len;

    random_bytes(head + HEADER_BYTES, NONCE_BYTES);
    buf_add(out, head, sizeof(head));
    buf_add(out, plain, len);  // its ciphertext takes its place below
    if (out->failed)
        return;

    unsigned char *cipher = (unsigned char *)out->bytes + begin + PREFIX_BYTES;
    if (EVP_EncryptInit_ex(m->encrypt, NULL, NULL, NULL, head + HEADER_BYTES) <= 0 ||
        EVP_EncryptUpdate(m->encrypt, NULL, &n, head, HEADER_BYTES) <= 0 ||
        EVP_EncryptUpdate(m->encrypt, NULL, &n, aad, (int)aad_len) <= 0 ||
        EVP_EncryptUpdate(m->encrypt, cipher, &n, plain, (int)len) <= 0 ||
        EVP_EncryptFinal_ex(m->encrypt, cipher + n, &n) <= 0 ||
        EVP_CIPHER_CTX_ctrl(m->encrypt, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) <= 0)
        abort();
    buf_add(out, tag, sizeof(tag));
}

static const struct master_key *find_master(const struct seal *s, int id)
{
    for (size_t i = 0; i < s->master_count; i++)
        if (s->masters[i].id == id)
            return &s->masters[i];
    return NULL;
}

enum outcome seal_open(struct seal *s, const void *aad, size_t aad_len,
                       const void *sealed, size_t len, struct buf *out, struct err *err)
{
    const unsigned char *in = sealed;

    if (len < SEAL_OVERHEAD_BYTES || in[0] != VERSION)
        return err_set(err, OUTCOME_REJECT, "sealed data is cut or of another version");
    const struct master_key *master = find_master(s, in[1]);
    if (!master)
        return err_set(err, OUTCOME_REJECT, "sealed with key %d, which is not configured",
                       in[1]);

    struct month_key *m = month_key(s, master, in[2] << 8 | in[3]);
    size_t plain_len = len - SEAL_OVERHEAD_BYTES, begin = out->len;
    unsigned char tag[TAG_BYTES];
    int n;

    memcpy(tag, in + len - TAG_BYTES, TAG_BYTES);
    buf_add(out, in + PREFIX_BYTES, plain_len);
    if (out->failed)
        return err_set(err, OUTCOME_REJECT, "sealed data is larger than %zu bytes",
                       out->max);
    unsigned char *plain = (unsigned char *)out->bytes + begin;
    if (EVP_DecryptInit_ex(m->decrypt, NULL, NULL, NULL, in + HEADER_BYTES) <= 0 ||
        EVP_CIPHER_CTX_ctrl(m->decrypt, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) <= 0 ||
        EVP_DecryptUpdate(m->decrypt, NULL, &n, in, HEADER_BYTES) <= 0 ||
        EVP_DecryptUpdate(m->decrypt, NULL, &n, aad, (int)aad_len) <= 0 ||
        EVP_DecryptUpdate(m->decrypt, plain, &n, in + PREFIX_BYTES, (int)plain_len) <=
            0 ||
        EVP_DecryptFinal_ex(m->decrypt, plain + n, &n) <= 0) {
        memset(plain, 0, plain_len);
        out->len = begin;
        out->bytes[begin] = '\0';
        return err_set(err, OUTCOME_REJECT,
                       "sealed data was changed or belongs to another message");
    }
    return OUTCOME_OK;
}

void seal_message_aad(unsigned char out[SEAL_AAD_BYTES], const unsigned char id[16],
                      int32_t client)
{
    uint32_t c = (uint32_t)client;

    memcpy(out, id, 16);
    for (int i = 0; i < 4; i++)
        out[16 + i] = (unsigned char)(c >> (24 - 8 * i));
}
