// tokens.h: API tokens in PostgreSQL: makes, lists, revokes them. Blocks; a tool for
// operators.
#ifndef TOKENS_H
#define TOKENS_H

#include "account.h"
#include "base.h"
#include "keys.h"
#include "token.h"

struct token_order {
    const char *client;         // made when it is new
    const char *const *scopes;  // names of scope.h
    size_t scope_count;
    int64_t expires_days;     // 0 = never
    int64_t rate_per_minute;  // 0 = no limit, -1 = as the producer's settings say
    enum account_mode mode;
};

// One row, as the table has it; texts are borrowed during the call only. Times are UTC,
// "2026-11-21T15:00:00Z", or "" for never.
struct token_info {
    const char *key_id, *client, *mode;
    const char *scopes;           // words with one blank between
    const char *rate_per_minute;  // "" = as the producer's settings say
    const char *created_at, *expires_at, *revoked_at, *last_used_at;
    const char *state;  // "active", "expired", "revoked"
};
typedef void tokens_each(void *arg, const struct token_info *info);

// tokens_create writes a new token's keyed hash and returns the token itself in out: it
// is stored nowhere and cannot be shown again. each gets its row.
//   OUTCOME_RETRY   PostgreSQL could not be reached.
//   OUTCOME_REJECT  PostgreSQL refuses the row; the text says why.
MUST_CHECK enum outcome tokens_create(char out[TOKEN_TEXT_BYTES],
                                      const struct token_order *order,
                                      const struct keys *keys, const char *database_url,
                                      tokens_each *each, void *arg, struct err *err);

// tokens_list calls each for the tokens of that client (NULL = all clients), by age;
// for those that do not work any more too if all is set. Outcomes as above.
MUST_CHECK enum outcome tokens_list(const char *client, bool all,
                                    const char *database_url, tokens_each *each,
                                    void *arg, struct err *err);

// tokens_revoke ends the token with this key id, and calls each with its row; not at all
// when there is none. One that was revoked before keeps its time. Outcomes as above.
MUST_CHECK enum outcome tokens_revoke(const char *key_id, const char *database_url,
                                      tokens_each *each, void *arg, struct err *err);

#endif
