#include "kdf.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>

void kdf_derive(const unsigned char master[KDF_KEY_BYTES], const void *info, size_t len,
                unsigned char out[KDF_KEY_BYTES])
{
    size_t out_len = KDF_KEY_BYTES;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);

    if (!ctx || EVP_PKEY_derive_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) <= 0 ||
        EVP_PKEY_CTX_set1_hkdf_key(ctx, master, KDF_KEY_BYTES) <= 0 ||
        EVP_PKEY_CTX_add1_hkdf_info(ctx, info, (int)len) <= 0 ||
        EVP_PKEY_derive(ctx, out, &out_len) <= 0)
        abort();  // libcrypto lacks what every build of it has
    EVP_PKEY_CTX_free(ctx);
}
