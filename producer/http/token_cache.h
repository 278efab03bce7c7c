// token_cache.h: the table api_tokens in this producer's memory. It asks once a second
// for what has changed, so that a send costs no round trip and a token that was revoked
// ends within TOKEN_CACHE_FRESH_US everywhere. A key id that is not known waits for the
// next answer, which all unknown ones share: a flood of them costs PostgreSQL ten small
// questions a second, and pushes no good token out.
#ifndef TOKEN_CACHE_H
#define TOKEN_CACHE_H

#include "account.h"
#include "base.h"
#include "limits.h"

#include <sys/queue.h>

struct db;
struct db_answer;
struct reactor;
struct token_cache;

enum { TOKEN_CACHE_FRESH_US = 5000000 };

struct token {
    char key_id[13];
    unsigned char hash[32];  // HMAC-SHA-256 of the token
    int32_t client;
    unsigned scopes;
    enum account_mode mode;
    int64_t rate_per_minute;         // 0 = no limit; -1 = as the settings say
    int64_t expires_at, revoked_at;  // wall clock; 0 = never
    struct limit limit;
    int64_t used_hour;  // the latest that was noted
    bool is_to_note;
    struct token *next;          // with the same place in the index
    SLIST_ENTRY(token) to_note;  // used in an hour that PostgreSQL does not know yet
};

struct token_cache *token_cache_new(struct reactor *r, struct db *db);
void token_cache_free(struct token_cache *c);

// token_cache_find returns the token with this key id, or NULL. Only as long as
// token_cache_is_fresh does it say how the token stands now. Valid until the cache ends.
struct token *token_cache_find(const struct token_cache *c, const char *key_id);
bool token_cache_is_fresh(const struct token_cache *c);

// token_cache_used notes that the token was used; PostgreSQL hears of it once an hour.
void token_cache_used(struct token_cache *c, struct token *token);

// Who waits for an answer to a question that was not asked yet. answer->rc is REJECT when
// PostgreSQL refused to tell.
struct token_wait {
    TAILQ_ENTRY(token_wait) next;
    void (*done)(struct token_wait *wait, const struct db_answer *answer);
};

// token_cache_wait calls wait->done once, later, unless the cache ends before.
void token_cache_wait(struct token_cache *c, struct token_wait *wait);

#endif
