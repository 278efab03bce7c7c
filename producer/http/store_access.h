// store_access.h: what the producer reads and writes about API tokens. Texts of what the
// _read functions fill are borrowed from the answer.
#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include "base.h"
#include "db.h"
#include "wire.h"

enum { STORE_TOKENS_MAX = 5000 };

// store_tokens reads the tokens that changed after this version (0 = all of them), in
// the order of their changes, STORE_TOKENS_MAX at most.
void store_tokens(struct db *db, int64_t version, db_done *done, void *arg);

struct token_row {
    int64_t token_id, version;
    int32_t client;
    const char *key_id;
    const char *mode;         // "simulate", "listed", "live"
    const char *scopes;       // words with one blank between: "send_sms admin"
    struct wire_bytes hash;   // HMAC-SHA-256 of the token
    int32_t rate_per_minute;  // 0 = no limit; -1 = as the settings say
    int64_t expires_at;       // wall clock; 0 = never
    int64_t revoked_at;       // 0 = not
};

void store_token_read(struct token_row *out, const struct db_result *rows, size_t row);

// store_tokens_used notes the current hour for these tokens. Repeating it changes
// nothing.
void store_tokens_used(struct db *db, const int64_t *token_ids, size_t count,
                       db_done *done, void *arg);

// What one producer took of a token's rate since its batch before.
struct rate_taken {
    int64_t token_id;
    int64_t taken;
    int64_t interval_ns;  // each of them costs so much
};

struct rate_batch {
    int64_t epoch;                  // this life of the producer
    int64_t seq;                    // number of the batch in it: one that comes twice
                                    // counts once
    int64_t age_us;                 // how long ago the first request was taken
    const struct rate_taken *rows;  // sorted by token, each once
    size_t count;
};

// store_rates adds what was taken to the shared limits. Rows: (token_id int8, ahead_us
// int8), how far the token's TAT lies ahead of now, over all producers; negative when it
// does not.
void store_rates(struct db *db, const struct rate_batch *batch, db_done *done, void *arg);

#endif
