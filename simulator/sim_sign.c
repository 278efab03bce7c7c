#include "sim_sign.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMS_MAX = 64, SHA1_BYTES = 20 };

struct sim_signer {
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx;  // keyed once; each signature begins again with the same key
};

struct sim_signer *sim_signer_new(const char *auth_token)
{
    struct sim_signer *s = xcalloc(1, sizeof(*s));
    char digest[] = "SHA1";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    s->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    s->ctx = s->mac ? EVP_MAC_CTX_new(s->mac) : NULL;
    if (!s->ctx || EVP_MAC_init(s->ctx, (const unsigned char *)auth_token,
                                strlen(auth_token), params) != 1)
        abort();  // HMAC-SHA1 is always there; what fails here is memory
    return s;
}

void sim_signer_free(struct sim_signer *s)
{
    if (!s)
        return;
    EVP_MAC_CTX_free(s->ctx);
    EVP_MAC_free(s->mac);
    free(s);
}

static void add(struct sim_signer *s, const char *text, size_t len)
{
    if (EVP_MAC_update(s->ctx, (const unsigned char *)text, len) != 1)
        abort();
}

// Fills order with the indexes of params by name, in byte order.
static void sort(const struct sim_param *params, size_t count, size_t *order)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && strcmp(params[order[at - 1]].name, params[i].name) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

void sim_sign(struct sim_signer *s, const char *url, size_t len,
              const struct sim_param *params, size_t count, char out[SIM_SIGN_TEXT_BYTES])
{
    unsigned char digest[SHA1_BYTES];
    size_t order[PARAMS_MAX];
    size_t digest_len = 0;

    if (count > PARAMS_MAX || EVP_MAC_init(s->ctx, NULL, 0, NULL) != 1)
        abort();
    sort(params, count, order);
    add(s, url, len);
    for (size_t i = 0; i < count; i++) {
        const struct sim_param *p = &params[order[i]];
        add(s, p->name, strlen(p->name));
        add(s, p->value, strlen(p->value));
    }
    if (EVP_MAC_final(s->ctx, digest, &digest_len, sizeof(digest)) != 1)
        abort();
    EVP_EncodeBlock((unsigned char *)out, digest, (int)digest_len);
}
