#include "token_cache.h"

#include "db.h"
#include "log.h"
#include "reactor.h"
#include "scope.h"
#include "store_access.h"

#include <stdlib.h>
#include <string.h>

enum {
    ASK_EVERY_US = 1000000,
    ASK_AGAIN_US = 100000,  // for those who wait
    NOTE_AFTER_US = 10000000,
    NOTES_MAX = 5000,
    PLACES_FIRST = 256,
};
static const int64_t hour_us = INT64_C(3600000000);

TAILQ_HEAD(waits, token_wait);

struct token_cache {
    struct db *db;
    struct reactor_timer *ask, *note;
    struct token **index;
    size_t places, count;  // places is a power of two
    int64_t version;       // all changes up to this one are known
    int64_t asked_us, fresh_us;
    bool is_asking, is_noting;
    struct waits waiting, asked;  // for the next answer; for the one under way
    SLIST_HEAD(, token) to_note;
};

static void ask(void *arg);
static void note(void *arg);

struct token_cache *token_cache_new(struct reactor *r, struct db *db)
{
    struct token_cache *c = xcalloc(1, sizeof(*c));

    c->db = db;
    c->ask = reactor_timer_new(r, ask, c);
    c->note = reactor_timer_new(r, note, c);
    c->places = PLACES_FIRST;
    c->index = xcalloc(c->places, sizeof(struct token *));
    c->fresh_us = -TOKEN_CACHE_FRESH_US;
    TAILQ_INIT(&c->waiting);
    TAILQ_INIT(&c->asked);
    SLIST_INIT(&c->to_note);
    ask(c);
    return c;
}

void token_cache_free(struct token_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->places; i++)
        for (struct token *t; (t = c->index[i]); free(t))
            c->index[i] = t->next;
    free(c->index);
    reactor_timer_free(c->ask);
    reactor_timer_free(c->note);
    free(c);
}

// FNV-1a. Key ids are random and ours: nobody chooses where they stand.
static size_t place_of(const struct token_cache *c, const char *key_id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *key_id; key_id++)
        hash = (hash ^ (unsigned char)*key_id) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32) & (c->places - 1);
}

struct token *token_cache_find(const struct token_cache *c, const char *key_id)
{
    struct token *t = c->index[place_of(c, key_id)];

    while (t && strcmp(t->key_id, key_id) != 0)
        t = t->next;
    return t;
}

bool token_cache_is_fresh(const struct token_cache *c)
{
    return clock_boot_us() - c->fresh_us < TOKEN_CACHE_FRESH_US;
}

static void put(struct token_cache *c, struct token *t)
{
    struct token **place = &c->index[place_of(c, t->key_id)];

    t->next = *place;
    *place = t;
}

static void grow(struct token_cache *c)
{
    struct token **old = c->index;
    size_t count = c->places;

    c->places *= 2;
    c->index = xcalloc(c->places, sizeof(struct token *));
    for (size_t i = 0; i < count; i++)
        for (struct token *t; (t = old[i]);) {
            old[i] = t->next;
            put(c, t);
        }
    free(old);
}

static struct token *find_or_make(struct token_cache *c, const struct token_row *row)
{
    struct token *t = token_cache_find(c, row->key_id);

    if (t || strlen(row->key_id) >= sizeof(t->key_id))
        return t;
    if (c->count++ == c->places)
        grow(c);
    t = xcalloc(1, sizeof(*t));
    memcpy(t->key_id, row->key_id, strlen(row->key_id) + 1);
    t->limit.token_id = row->token_id;
    put(c, t);
    return t;
}

static unsigned parse_scopes(const char *words)
{
    unsigned found = 0;

    while (*words) {
        size_t len = strcspn(words, " ");
        found |= scope_find(words, len);
        words += len;
        words += strspn(words, " ");
    }
    return found;
}

static void learn(struct token_cache *c, const struct token_row *row)
{
    struct token *t = find_or_make(c, row);

    if (!t || row->hash.len != sizeof(t->hash))
        return;
    memcpy(t->hash, row->hash.bytes, sizeof(t->hash));
    t->client = row->client;
    t->scopes = parse_scopes(row->scopes);
    if (!account_mode_find(&t->mode, row->mode, strlen(row->mode)))
        t->mode = ACCOUNT_SIMULATE;
    t->rate_per_minute = row->rate_per_minute;
    t->expires_at = row->expires_at;
    t->revoked_at = row->revoked_at;
}

static void tell_all(struct waits *list, const struct db_answer *answer)
{
    for (struct token_wait *wait; (wait = TAILQ_FIRST(list));) {
        TAILQ_REMOVE(list, wait, next);
        wait->done(wait, answer);
    }
}

static void ask_soon(struct token_cache *c)
{
    int64_t pause_us = TAILQ_EMPTY(&c->waiting) ? ASK_EVERY_US : ASK_AGAIN_US;
    int64_t left_us = c->asked_us + pause_us - clock_boot_us();

    if (!c->is_asking)
        reactor_timer_set(c->ask, left_us > 0 ? left_us : 0);
}

static void on_tokens(void *arg, const struct db_answer *answer)
{
    struct token_cache *c = arg;
    size_t count = answer->rc ? 0 : db_rows(answer->rows);

    c->is_asking = false;
    for (size_t i = 0; i < count; i++) {
        struct token_row row;
        store_token_read(&row, answer->rows, i);
        learn(c, &row);
        c->version = row.version;
    }
    if (count == STORE_TOKENS_MAX) {  // there are more
        ask(c);
        return;
    }
    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "tokens_not_read", LOG_T("reason", answer->reason));
    else
        c->fresh_us = c->asked_us;
    tell_all(&c->asked, answer);
    ask_soon(c);
}

static void ask(void *arg)
{
    struct token_cache *c = arg;

    TAILQ_CONCAT(&c->asked, &c->waiting, next);
    c->is_asking = true;
    c->asked_us = clock_boot_us();
    store_tokens(c->db, c->version, on_tokens, c);
}

void token_cache_wait(struct token_cache *c, struct token_wait *wait)
{
    TAILQ_INSERT_TAIL(&c->waiting, wait, next);
    ask_soon(c);
}

static void on_noted(void *arg, const struct db_answer *answer)
{
    struct token_cache *c = arg;

    c->is_noting = false;
    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "token_use_not_noted", LOG_T("reason", answer->reason));
    if (!SLIST_EMPTY(&c->to_note))
        reactor_timer_set(c->note, NOTE_AFTER_US);
}

static void note(void *arg)
{
    struct token_cache *c = arg;
    int64_t ids[NOTES_MAX];
    size_t count = 0;

    while (!SLIST_EMPTY(&c->to_note) && count < NOTES_MAX) {
        struct token *t = SLIST_FIRST(&c->to_note);
        SLIST_REMOVE_HEAD(&c->to_note, to_note);
        t->is_to_note = false;
        ids[count++] = t->limit.token_id;
    }
    c->is_noting = true;
    store_tokens_used(c->db, ids, count, on_noted, c);
}

void token_cache_used(struct token_cache *c, struct token *token)
{
    int64_t hour = clock_wall_us() / hour_us;

    if (token->used_hour == hour || token->is_to_note)
        return;
    token->used_hour = hour;
    token->is_to_note = true;
    SLIST_INSERT_HEAD(&c->to_note, token, to_note);
    if (!c->is_noting && !reactor_timer_is_set(c->note))
        reactor_timer_set(c->note, NOTE_AFTER_US);
}
