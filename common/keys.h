// keys.h: the two secrets of an installation and what is derived from them.
//   keys.lookup  never rotated: recipient hashes and ids hang on it.
//   keys.seal    "1:<64 hex>,2:<64 hex>": the last one seals, all of them open.
#ifndef KEYS_H
#define KEYS_H

#include "base.h"

struct mac;
struct seal;
struct setting;
struct settings_part;

struct keys_settings {
    char *lookup;  // 64 hex digits
    char *seal;
};

#define KEYS_SETTINGS(base)                                                              \
    { "keys.lookup",                                                                     \
      SETTING_SECRET,                                                                    \
      (base) + offsetof(struct keys_settings, lookup),                                   \
      NULL,                                                                              \
      64,                                                                                \
      64,                                                                                \
      NULL,                                                                              \
      "64 hex digits, never changed: finds recipients, tags ids" },                      \
    {                                                                                    \
        "keys.seal", SETTING_SECRET, (base) + offsetof(struct keys_settings, seal),      \
            NULL, 66, 4096, NULL,                                                        \
            "number:64 hex digits, with commas; the last one seals"                      \
    }

enum { KEY_BYTES = 32, TO_HASH_BYTES = 16, CALLBACK_TAG_TEXT_BYTES = 17 };

// Each use has a key of its own, by HKDF-SHA-256 (RFC 5869) from keys.lookup.
struct keys {
    struct mac *id;           // message_id tags
    struct mac *recipient;    // to_hash
    struct mac *callback;     // k= in callback URLs
    struct mac *token;        // API tokens at rest
    struct mac *content;      // what a dead letter holds
    struct mac *idempotency;  // idempotency keys and the requests they came with
    struct seal *seal;
};

//   OUTCOME_REJECT  a key is malformed; the text says which and what is wanted.
MUST_CHECK enum outcome keys_open(struct keys *out, const struct keys_settings *set,
                                  struct err *err);
void keys_close(struct keys *k);

// keys_settings_part refuses what keys_open does.
extern const struct settings_part keys_settings_part;

// keys_to_hash is HMAC-SHA-256 of the E.164 number, cut to TO_HASH_BYTES.
void keys_to_hash(const struct keys *k, const char *to, unsigned char out[TO_HASH_BYTES]);

// keys_token_hash is HMAC-SHA-256 of an API token, as the table api_tokens keeps it.
void keys_token_hash(const struct keys *k, const char *token, size_t len,
                     unsigned char out[KEY_BYTES]);

// keys_content_hash is HMAC-SHA-256 of a record's topic, key and value, so that the same
// content is known again. NULL bytes are like none.
void keys_content_hash(const struct keys *k, const char *topic, const void *key,
                       size_t key_len, const void *value, size_t value_len,
                       unsigned char out[KEY_BYTES]);

// keys_callback_tag writes k=: the first 8 bytes, in hex, of HMAC-SHA-256(callback key,
// id ‖ turn as 4 bytes big-endian). keys_callback_tag_is compares in constant time.
void keys_callback_tag(const struct keys *k, const unsigned char id[16], int32_t turn,
                       char out[CALLBACK_TAG_TEXT_BYTES]);
MUST_CHECK bool keys_callback_tag_is(const struct keys *k, const unsigned char id[16],
                                     int32_t turn, const char *tag);

#endif
