// mac.h: HMAC-SHA-256 under one key, prepared once. Belongs to one thread.
#ifndef MAC_H
#define MAC_H

#include "base.h"

enum { MAC_KEY_BYTES = 32, MAC_BYTES = 32 };

struct mac;

struct mac *mac_new(const unsigned char key[MAC_KEY_BYTES]);  // copies key
void mac_free(struct mac *m);                                 // NULL is fine
void mac_sign(struct mac *m, const void *input, size_t len, unsigned char out[MAC_BYTES]);

#endif
