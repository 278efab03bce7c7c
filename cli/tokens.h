// tokens.h: makes API tokens in PostgreSQL. Blocks; a tool for operators.
#ifndef TOKENS_H
#define TOKENS_H

#include "base.h"
#include "keys.h"

// "smsq_" and 48 hex digits: recognisable for secret scanners, 192 random bits.
enum { TOKEN_TEXT_BYTES = 5 + 48 + 1, TOKEN_PREFIX_BYTES = 5 + 6 + 1 };

struct token_order {
    const char *client;         // made when it is new
    const char *const *scopes;  // names of scope.h
    size_t scope_count;
    int64_t expires_days;  // 0 = never
};

// tokens_create writes a new token's keyed hash and returns the token itself in out: it
// is stored nowhere and cannot be shown again.
//   OUTCOME_RETRY   PostgreSQL could not be reached.
//   OUTCOME_REJECT  PostgreSQL refuses the row; the text says why.
MUST_CHECK enum outcome tokens_create(char out[TOKEN_TEXT_BYTES],
                                      const struct token_order *order,
                                      const struct keys *keys, const char *database_url,
                                      struct err *err);

#endif
