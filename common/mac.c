#include "mac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

struct mac {
    EVP_MAC_CTX *ctx;
};

// libcrypto can fail here only when it lacks what every build of it has, or memory.
struct mac *mac_new(const unsigned char key[MAC_KEY_BYTES])
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    struct mac *m = xcalloc(1, sizeof(*m));
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);

    m->ctx = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    if (!m->ctx || EVP_MAC_init(m->ctx, key, MAC_KEY_BYTES, params) != 1)
        abort();
    return m;
}

void mac_free(struct mac *m)
{
    if (!m)
        return;
    EVP_MAC_CTX_free(m->ctx);
    free(m);
}

void mac_sign(struct mac *m, const void *input, size_t len, unsigned char out[MAC_BYTES])
{
    size_t out_len;

    // Without a key it begins anew under the one it has.
    if (EVP_MAC_init(m->ctx, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(m->ctx, input, len) != 1 ||
        EVP_MAC_final(m->ctx, out, &out_len, MAC_BYTES) != 1 || out_len != MAC_BYTES)
        abort();
}
