// idempotency_key.h: Idempotency-Key: how a key is written and what it is hashed to.
// After draft-ietf-httpapi-idempotency-key-header-07; the values are those of RFC 8941.
#ifndef IDEMPOTENCY_KEY_H
#define IDEMPOTENCY_KEY_H

#include "base.h"
#include "store_keys.h"

struct keys;
struct send_request;

enum { IDEMPOTENCY_KEY_MAX_BYTES = 255 };

#define IDEMPOTENCY_KEY_RULE                                                             \
    "an idempotency key has 1 to 255 visible ASCII characters, without blanks"

// idempotency_key_is_valid: 1 to 255 visible ASCII characters, no blank.
bool idempotency_key_is_valid(const char *key, size_t len);

// idempotency_key_read reads the header's value: an RFC 8941 string in double quotes, in
// which \" and \\ stand for one character, or the key as it is. Returns false when that
// is no valid key.
MUST_CHECK bool idempotency_key_read(char key[IDEMPOTENCY_KEY_MAX_BYTES + 1],
                                     const char *value);

// idempotency_key_hash fills key_hash and request_hash by HMAC-SHA-256, cut. The request
// hash is over what decides the message, each part with its name and length: to in E.164
// form, and body, from, class, reference, expires_in as far as they are given, and the
// mode: what was simulated is no answer to what is live. It must not change between
// versions, or repeats look like other requests: new fields only add parts, and only when
// they are given.
void idempotency_key_hash(struct key_claim *out, const struct keys *keys, int32_t client,
                          const char *key, const struct send_request *request);

#endif
