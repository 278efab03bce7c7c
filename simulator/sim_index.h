// sim_index.h: a hash table from content to message numbers: open addressing, 8 bytes a
// slot. It keeps no keys: the caller compares with the message that a number stands for.
#ifndef SIM_INDEX_H
#define SIM_INDEX_H

#include "base.h"

struct sim_index_slot;

// Zero-initialised is empty.
struct sim_index {
    struct sim_index_slot *slots;
    size_t room;  // a power of two
    size_t used;
};

// Tells whether the message of that number has the wanted content.
typedef bool sim_index_same(const void *arg, uint32_t number);

// sim_index_free empties the table.
void sim_index_free(struct sim_index *index);

// sim_index_hash mixes len bytes into hash; begin with 0.
uint64_t sim_index_hash(uint64_t hash, const void *bytes, size_t len);

// sim_index_find returns the number that was put for this content, or 0.
uint32_t sim_index_find(const struct sim_index *index, uint64_t hash,
                        sim_index_same *same, const void *arg);

// sim_index_put stores number (not 0) for this content and returns the number that it
// replaced, or 0 for new content.
uint32_t sim_index_put(struct sim_index *index, uint64_t hash, uint32_t number,
                       sim_index_same *same, const void *arg);

#endif
