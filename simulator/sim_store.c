#include "sim_store.h"
#include "sim_index.h"
#include "sim_url.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGES_PER_BLOCK = 4096, TEXTS_BLOCK_BYTES = 1 << 20 };

struct texts_block {
    struct texts_block *next;
    size_t used;
    char bytes[TEXTS_BLOCK_BYTES];
};

struct sim_store {
    struct sim_message **blocks;
    size_t block_count;
    struct texts_block *texts;  // the newest first
    uint32_t count;
    struct sim_index newest_to;
};

struct sim_store *sim_store_new(void)
{
    return xcalloc(1, sizeof(struct sim_store));
}

void sim_store_clear(struct sim_store *s)
{
    for (size_t i = 0; i < s->block_count; i++)
        free(s->blocks[i]);
    free(s->blocks);
    while (s->texts) {
        struct texts_block *next = s->texts->next;
        free(s->texts);
        s->texts = next;
    }
    sim_index_free(&s->newest_to);
    *s = (struct sim_store){ 0 };
}

void sim_store_free(struct sim_store *s)
{
    if (!s)
        return;
    sim_store_clear(s);
    free(s);
}

// Returns len bytes that stay until clear. len is far below the size of a block.
static char *texts_new(struct sim_store *s, size_t len)
{
    if (!s->texts || s->texts->used + len > TEXTS_BLOCK_BYTES) {
        struct texts_block *block = xrealloc(NULL, sizeof(*block));
        block->next = s->texts;
        block->used = 0;
        s->texts = block;
    }
    char *texts = s->texts->bytes + s->texts->used;
    s->texts->used += len;
    return texts;
}

// Puts text and a NUL at *end, moves it on, and returns the offset from texts.
static uint16_t put(char *texts, char **end, struct sim_text text)
{
    uint16_t at = (uint16_t)(*end - texts);

    if (text.len)
        memcpy(*end, text.bytes, text.len);
    (*end)[text.len] = '\0';
    *end += text.len + 1;
    return at;
}

static void copy_texts(struct sim_store *s, struct sim_message *m,
                       const struct sim_draft *d)
{
    size_t len =
        d->to.len + d->from.len + d->service.len + d->body.len + d->callback.len + 5;
    for (size_t i = 0; i < d->media_count; i++)
        len += d->media[i].len + 1;
    char *texts = texts_new(s, len);
    char *end = texts;

    m->texts = texts;
    (void)put(texts, &end, d->to);
    m->body_at = put(texts, &end, d->body);
    m->body_len = (uint16_t)d->body.len;
    if (d->from.len)
        m->from = texts + put(texts, &end, d->from);
    if (d->service.len)
        m->service_at = put(texts, &end, d->service);
    if (d->callback.len) {
        m->callback_at = put(texts, &end, d->callback);
        struct sim_text id = sim_url_query(texts + m->callback_at, "m");
        m->id_at = id.len ? (uint16_t)(id.bytes - texts) : 0;
        m->id_len = (uint16_t)id.len;
    }
    for (size_t i = 0; i < d->media_count; i++) {
        uint16_t at = put(texts, &end, d->media[i]);
        if (i == 0)
            m->media_at = at;
    }
}

struct to_key {
    const struct sim_store *store;
    const char *to;
};

static bool is_to(const void *arg, uint32_t number)
{
    const struct to_key *key = arg;
    return strcmp(sim_message_to(sim_store_get(key->store, number)), key->to) == 0;
}

static struct sim_message *message_new(struct sim_store *s)
{
    size_t block = s->count / MESSAGES_PER_BLOCK;

    if (block == s->block_count) {
        s->blocks = xrealloc(s->blocks, (block + 1) * sizeof(struct sim_message *));
        s->blocks[block] = xcalloc(MESSAGES_PER_BLOCK, sizeof(struct sim_message));
        s->block_count++;
    }
    struct sim_message *m = &s->blocks[block][s->count % MESSAGES_PER_BLOCK];
    m->number = ++s->count;
    return m;
}

struct sim_message *sim_store_add(struct sim_store *s, const struct sim_draft *draft,
                                  int64_t now_us)
{
    struct sim_message *m = message_new(s);

    copy_texts(s, m, draft);
    m->created_us = now_us;
    m->updated_s = (uint32_t)(now_us / 1000000);
    m->cost_micros = draft->cost_micros;
    m->fee_micros = (uint32_t)draft->fee_micros;
    m->segments = (uint8_t)draft->segments;
    m->media_count = (uint8_t)draft->media_count;
    m->direction = (uint8_t)draft->direction;
    m->account = draft->account;
    m->fate_code = (uint32_t)draft->fate_code;
    m->send_at_s = (uint32_t)(draft->send_at_us / 1000000);
    m->validity_s =
        (uint16_t)(draft->validity_s ? draft->validity_s : SIM_MESSAGE_VALIDITY_MAX_S);
    m->status = (uint8_t)sim_message_first_status(m);

    struct to_key key = { s, sim_message_to(m) };
    uint64_t hash = sim_index_hash(0, draft->to.bytes, draft->to.len);
    m->older_to = sim_index_put(&s->newest_to, hash, m->number, is_to, &key);
    return m;
}

struct sim_message *sim_store_get(const struct sim_store *s, uint32_t number)
{
    if (number == 0 || number > s->count)
        return NULL;
    return &s->blocks[(number - 1) / MESSAGES_PER_BLOCK]
                     [(number - 1) % MESSAGES_PER_BLOCK];
}

uint32_t sim_store_count(const struct sim_store *s)
{
    return s->count;
}

uint32_t sim_store_newest_to(const struct sim_store *s, const char *to)
{
    struct to_key key = { s, to };
    return sim_index_find(&s->newest_to, sim_index_hash(0, to, strlen(to)), is_to, &key);
}
