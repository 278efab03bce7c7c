#include "sim_index.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1024 };

struct sim_index_slot {
    uint32_t tag;     // of the hash; also gives the place
    uint32_t number;  // 0 = free
};

void sim_index_free(struct sim_index *index)
{
    free(index->slots);
    *index = (struct sim_index){ 0 };
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

uint64_t sim_index_hash(uint64_t hash, const void *bytes, size_t len)
{
    const char *at = bytes;
    uint64_t word;

    hash = mix(hash, len + 1);
    for (; len >= sizeof(word); at += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        hash = mix(hash, word);
    }
    word = 0;
    if (len)
        memcpy(&word, at, len);
    return mix(mix(hash, word), 0);
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash ^ (hash >> 32));
}

// Returns the slot of this content, or the free one where it belongs.
static struct sim_index_slot *locate(const struct sim_index *index, uint32_t tag,
                                     sim_index_same *same, const void *arg)
{
    size_t mask = index->room - 1;

    for (size_t i = tag & mask;; i = (i + 1) & mask) {
        struct sim_index_slot *slot = &index->slots[i];
        if (slot->number == 0 || (slot->tag == tag && same(arg, slot->number)))
            return slot;
    }
}

// Never the same: what is moved is known to be distinct.
static bool is_never_same(const void *arg, uint32_t number)
{
    (void)arg;
    (void)number;
    return false;
}

static void grow(struct sim_index *index)
{
    struct sim_index bigger = { .room = index->room ? index->room * 2 : ROOM_FIRST,
                                .used = index->used };

    bigger.slots = xcalloc(bigger.room, sizeof(*bigger.slots));
    for (size_t i = 0; i < index->room; i++)
        if (index->slots[i].number)
            *locate(&bigger, index->slots[i].tag, is_never_same, NULL) = index->slots[i];
    free(index->slots);
    *index = bigger;
}

uint32_t sim_index_find(const struct sim_index *index, uint64_t hash,
                        sim_index_same *same, const void *arg)
{
    return index->room ? locate(index, tag_of(hash), same, arg)->number : 0;
}

uint32_t sim_index_put(struct sim_index *index, uint64_t hash, uint32_t number,
                       sim_index_same *same, const void *arg)
{
    if (index->used * 4 >= index->room * 3)  // also while there is no room at all
        grow(index);

    struct sim_index_slot *slot = locate(index, tag_of(hash), same, arg);
    uint32_t replaced = slot->number;
    if (!replaced)
        index->used++;
    *slot = (struct sim_index_slot){ tag_of(hash), number };
    return replaced;
}
