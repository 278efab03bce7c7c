// kdf.h: HKDF-SHA-256 (RFC 5869), without salt: one key per use from a master key.
#ifndef KDF_H
#define KDF_H

#include "base.h"

enum { KDF_KEY_BYTES = 32 };

// kdf_derive writes the key that master gives for info; cannot fail.
void kdf_derive(const unsigned char master[KDF_KEY_BYTES], const void *info, size_t len,
                unsigned char out[KDF_KEY_BYTES]);

#endif
