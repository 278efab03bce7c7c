#include "keys.h"

#include "kdf.h"
#include "mac.h"
#include "seal.h"
#include "settings.h"

#include <openssl/crypto.h>
#include <string.h>

enum { TAG_BYTES = 8 };

static struct mac *derive(const unsigned char *lookup, const char *use)
{
    unsigned char key[KEY_BYTES];

    kdf_derive(lookup, use, strlen(use), key);
    struct mac *mac = mac_new(key);
    OPENSSL_cleanse(key, sizeof(key));
    return mac;
}

enum outcome keys_open(struct keys *out, const struct keys_settings *set, struct err *err)
{
    unsigned char lookup[KEY_BYTES];
    struct seal *seal;

    if (!hex_decode(lookup, sizeof(lookup), set->lookup, strlen(set->lookup)))
        return err_set(err, OUTCOME_REJECT, "keys.lookup is not 64 hex digits");
    if (seal_new(&seal, set->seal, err)) {
        err_context(err, "keys.seal");
        return OUTCOME_REJECT;
    }
    out->id = derive(lookup, "smsq message id");
    out->recipient = derive(lookup, "smsq recipient");
    out->callback = derive(lookup, "smsq callback");
    out->token = derive(lookup, "smsq token");
    out->content = derive(lookup, "smsq content");
    out->idempotency = derive(lookup, "smsq idempotency");
    OPENSSL_cleanse(lookup, sizeof(lookup));
    out->seal = seal;
    return OUTCOME_OK;
}

void keys_close(struct keys *k)
{
    mac_free(k->id);
    mac_free(k->recipient);
    mac_free(k->callback);
    mac_free(k->token);
    mac_free(k->content);
    mac_free(k->idempotency);
    seal_free(k->seal);
    *k = (struct keys){ 0 };
}

static enum outcome check_settings(const void *part, struct err *err)
{
    const struct keys_settings *set = part;
    struct keys keys = { 0 };

    enum outcome rc = keys_open(&keys, set, err);
    if (!rc)
        keys_close(&keys);
    return rc;
}

const struct settings_part keys_settings_part = { check_settings, NULL };

void keys_to_hash(const struct keys *k, const char *to, unsigned char out[TO_HASH_BYTES])
{
    unsigned char mac[KEY_BYTES];

    mac_sign(k->recipient, to, strlen(to), mac);
    memcpy(out, mac, TO_HASH_BYTES);
}

void keys_token_hash(const struct keys *k, const char *token, size_t len,
                     unsigned char out[KEY_BYTES])
{
    mac_sign(k->token, token, len, out);
}

// Each part is hashed by itself, so that no byte can move from one to the next.
void keys_content_hash(const struct keys *k, const char *topic, const void *key,
                       size_t key_len, const void *value, size_t value_len,
                       unsigned char out[KEY_BYTES])
{
    unsigned char parts[3][KEY_BYTES];

    mac_sign(k->content, topic, strlen(topic), parts[0]);
    mac_sign(k->content, key ? key : "", key_len, parts[1]);
    mac_sign(k->content, value ? value : "", value_len, parts[2]);
    mac_sign(k->content, parts, sizeof(parts), out);
}

void keys_callback_tag(const struct keys *k, const unsigned char id[16], int32_t turn,
                       char out[CALLBACK_TAG_TEXT_BYTES])
{
    unsigned char input[20], mac[KEY_BYTES];
    uint32_t t = (uint32_t)turn;

    memcpy(input, id, 16);
    for (int i = 0; i < 4; i++)
        input[16 + i] = (unsigned char)(t >> (24 - 8 * i));
    mac_sign(k->callback, input, sizeof(input), mac);
    hex_encode(out, mac, TAG_BYTES);
}

bool keys_callback_tag_is(const struct keys *k, const unsigned char id[16], int32_t turn,
                          const char *tag)
{
    char right[CALLBACK_TAG_TEXT_BYTES];

    keys_callback_tag(k, id, turn, right);
    return strlen(tag) == sizeof(right) - 1 &&
           CRYPTO_memcmp(right, tag, sizeof(right) - 1) == 0;
}
