// store_keys.h: idempotency keys in PostgreSQL: who may publish a keyed message.
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "base.h"
#include "db.h"

enum { KEY_HASH_BYTES = 16 };

// A request that came with a key.
struct key_claim {
    unsigned char key_hash[KEY_HASH_BYTES];      // of client and key
    unsigned char request_hash[KEY_HASH_BYTES];  // of what decides the message
    unsigned char claim[16];  // a new message id: the message's, if the key is new
    int32_t client;
};

// store_keys_claim enters the keys that are new, hands a key that was not published to a
// request of the same content once its claim is older than lease_us, and reads all keys
// back. The claims may be in any order and have a key more than once.
void store_keys_claim(struct db *db, const struct key_claim *const *claims, size_t count,
                      int64_t lease_us, db_done *done, void *arg);

// One row of the answer.
struct key_row {
    size_t place;  // index in claims
    unsigned char message_id[16];
    bool same_request;
    bool published;  // Kafka has the message
    bool claimed;    // this very request may publish it
};

void store_keys_read(struct key_row *out, const struct db_result *rows, size_t row);

// What became of a claim: Kafka confirmed the message, or somebody else may try at once.
struct key_end {
    struct key_claim claim;
    bool published;
};

// store_keys_end writes it down. A claim that was lost meanwhile is not given back.
void store_keys_end(struct db *db, const struct key_end *ends, size_t count,
                    db_done *done, void *arg);

#endif
