#include "signature.h"

#include "form.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADER_BYTES = 28 };  // base64 of 20 bytes

struct signature_keys {
    size_t count;
    EVP_MAC_CTX **macs;  // each holds one token
};

static EVP_MAC_CTX *mac_new(const char *token, size_t len)
{
    char digest[] = "SHA1";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;

    EVP_MAC_free(hmac);  // the context keeps it
    if (mac && EVP_MAC_init(mac, (const unsigned char *)token, len, params) == 1)
        return mac;
    EVP_MAC_CTX_free(mac);
    return NULL;
}

static enum outcome add_token(struct signature_keys *keys, const char *token, size_t len,
                              struct err *err)
{
    while (len > 0 && token[0] == ' ') {
        token++;
        len--;
    }
    while (len > 0 && token[len - 1] == ' ')
        len--;
    if (len == 0)
        return err_set(err, OUTCOME_FATAL, "an auth token is empty");

    EVP_MAC_CTX *mac = mac_new(token, len);
    if (!mac)
        return err_set(err, OUTCOME_FATAL, "OpenSSL has no HMAC-SHA-1");
    keys->macs = xrealloc(keys->macs, (keys->count + 1) * sizeof(*keys->macs));
    keys->macs[keys->count++] = mac;
    return OUTCOME_OK;
}

enum outcome signature_keys_open(struct signature_keys **out, const char *tokens,
                                 struct err *err)
{
    struct signature_keys *keys = xcalloc(1, sizeof(*keys));
    enum outcome rc;

    for (;;) {
        size_t len = strcspn(tokens, ",");
        rc = add_token(keys, tokens, len, err);
        if (rc || tokens[len] == '\0')
            break;
        tokens += len + 1;
    }
    if (rc) {
        signature_keys_close(keys);
        return rc;
    }
    *out = keys;
    return OUTCOME_OK;
}

void signature_keys_close(struct signature_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++)
        EVP_MAC_CTX_free(keys->macs[i]);
    free(keys->macs);
    free(keys);
}

struct slice {
    const char *bytes;
    size_t len;
};

// The URL that was signed, in pieces; the fragment is left out.
struct url {
    struct slice host;  // scheme, userinfo and host
    struct slice port;  // ":1234", the scheme's own if none is written
    struct slice path;  // what the base has behind the port
    struct slice target;
};

// Returns how long the authority is without its port. A colon may also stand in the
// userinfo and in an IPv6 address.
static size_t portless_len(const char *authority, size_t len)
{
    size_t digits = 0;

    while (digits < len && authority[len - 1 - digits] >= '0' &&
           authority[len - 1 - digits] <= '9')
        digits++;
    bool has_port = digits > 0 && digits < len && authority[len - 1 - digits] == ':';
    return has_port ? len - digits - 1 : len;
}

static struct slice default_port(const char *base)
{
    bool is_https = strncasecmp(base, "https:", strlen("https:")) == 0;
    return is_https ? (struct slice){ ":443", 4 } : (struct slice){ ":80", 3 };
}

static bool split_url(struct url *out, const char *base, const char *target)
{
    const char *authority = strstr(base, "://");
    if (!authority)
        return false;
    authority += strlen("://");
    size_t authority_len = strcspn(authority, "/?#");
    const char *path = authority + authority_len;
    const char *port = authority + portless_len(authority, authority_len);

    out->host = (struct slice){ base, (size_t)(port - base) };
    out->port = (struct slice){ port, (size_t)(path - port) };
    if (out->port.len == 0)
        out->port = default_port(base);
    out->path = (struct slice){ path, strcspn(path, "#") };
    out->target = (struct slice){ target, strcspn(target, "#") };
    return true;
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_pairs(const struct form_pair *a, const struct form_pair *b)
{
    int order = compare_bytes(a->name, a->name_len, b->name, b->name_len);
    return order ? order : compare_bytes(a->value, a->value_len, b->value, b->value_len);
}

static int qsort_compare(const void *a, const void *b)
{
    return compare_pairs(*(const struct form_pair *const *)a,
                         *(const struct form_pair *const *)b);
}

// The parameters in the order in which they are signed.
struct params {
    size_t count;
    const struct form_pair *pairs[FORM_PAIRS_MAX];
};

// Sorts by name, then by value, and keeps one of those that are equal in both. Without a
// form there are no parameters.
static void sort_params(struct params *out, const struct form *form)
{
    out->count = 0;
    if (!form)
        return;
    assert(form->count <= FORM_PAIRS_MAX);
    for (size_t i = 0; i < form->count; i++)
        out->pairs[i] = &form->pairs[i];
    qsort(out->pairs, form->count, sizeof(out->pairs[0]), qsort_compare);

    for (size_t i = 0; i < form->count; i++)
        if (i == 0 || compare_pairs(out->pairs[i - 1], out->pairs[i]) != 0)
            out->pairs[out->count++] = out->pairs[i];
}

static void mac_add(EVP_MAC_CTX *mac, const char *bytes, size_t len)
{
    EVP_MAC_update(mac, (const unsigned char *)bytes, len);
}

static bool mac_matches(EVP_MAC_CTX *mac, const struct url *url, struct slice port,
                        const struct params *params,
                        const unsigned char wanted[SHA_DIGEST_LENGTH])
{
    unsigned char made[SHA_DIGEST_LENGTH];
    size_t len = 0;

    if (EVP_MAC_init(mac, NULL, 0, NULL) != 1)  // again with the same token
        return false;
    mac_add(mac, url->host.bytes, url->host.len);
    mac_add(mac, port.bytes, port.len);
    mac_add(mac, url->path.bytes, url->path.len);
    mac_add(mac, url->target.bytes, url->target.len);
    for (size_t i = 0; i < params->count; i++) {
        mac_add(mac, params->pairs[i]->name, params->pairs[i]->name_len);
        mac_add(mac, params->pairs[i]->value, params->pairs[i]->value_len);
    }
    return EVP_MAC_final(mac, made, &len, sizeof(made)) == 1 && len == sizeof(made) &&
           CRYPTO_memcmp(made, wanted, sizeof(made)) == 0;
}

// EVP_DecodeBlock skips blanks and ignores bits that stand for nothing: only the one
// canonical text of 20 bytes may pass.
static bool decode_header(unsigned char out[SHA_DIGEST_LENGTH], const char *header)
{
    unsigned char bytes[HEADER_BYTES / 4 * 3];
    unsigned char again[HEADER_BYTES + 1];

    if (!header || strlen(header) != HEADER_BYTES)
        return false;
    if (EVP_DecodeBlock(bytes, (const unsigned char *)header, HEADER_BYTES) < 0)
        return false;
    EVP_EncodeBlock(again, bytes, SHA_DIGEST_LENGTH);
    if (memcmp(again, header, HEADER_BYTES) != 0)
        return false;
    memcpy(out, bytes, SHA_DIGEST_LENGTH);
    return true;
}

// Returns the value of the query's first parameter of that name, or bytes == NULL.
static struct slice query_value(struct slice target, const char *name)
{
    const char *end = target.bytes + target.len;
    const char *mark = memchr(target.bytes, '?', target.len);
    size_t name_len = strlen(name);

    for (const char *p = mark ? mark + 1 : end; p < end;) {
        const char *stop = memchr(p, '&', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);
        if (len > name_len && memcmp(p, name, name_len) == 0 && p[name_len] == '=')
            return (struct slice){ p + name_len + 1, len - name_len - 1 };
        p += len + 1;
    }
    return (struct slice){ 0 };
}

// The signature covers a form, and of another body only the hash in the URL.
static bool body_is_covered(const struct signature_input *in, struct slice target)
{
    unsigned char told[SHA256_DIGEST_LENGTH], made[SHA256_DIGEST_LENGTH];

    if (in->form)
        return true;
    struct slice hex = query_value(target, "bodySHA256");
    if (!hex.bytes)
        return in->body_len == 0;
    if (!hex_decode(told, sizeof(told), hex.bytes, hex.len))
        return false;
    SHA256(in->body, in->body_len, made);
    return CRYPTO_memcmp(made, told, sizeof(made)) == 0;
}

bool signature_is_valid(struct signature_keys *keys, const struct signature_input *in)
{
    static const struct slice no_port = { "", 0 };
    unsigned char wanted[SHA_DIGEST_LENGTH];
    struct params params;
    struct url url;

    if (!decode_header(wanted, in->header) || !split_url(&url, in->base, in->target) ||
        !body_is_covered(in, url.target))
        return false;
    sort_params(&params, in->form);
    for (size_t i = 0; i < keys->count; i++) {
        if (mac_matches(keys->macs[i], &url, no_port, &params, wanted) ||
            mac_matches(keys->macs[i], &url, url.port, &params, wanted))
            return true;
    }
    return false;
}
