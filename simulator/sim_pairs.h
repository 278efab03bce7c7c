// sim_pairs.h: remembers a time for pairs of texts: who opted out of which sender, and
// when a person last wrote to a WhatsApp sender.
#ifndef SIM_PAIRS_H
#define SIM_PAIRS_H

#include "sim_table.h"

enum { SIM_PAIRS_MAX = 1000000, SIM_PAIRS_KEY_BYTES = 96 };

// Zero-initialised is empty.
struct sim_pairs {
    struct sim_table table;
};

void sim_pairs_clear(struct sim_pairs *p);

// sim_pairs_set remembers at_us (0 = forget) for the pair; beyond SIM_PAIRS_MAX pairs,
// and for texts that are too long together, nothing is remembered.
void sim_pairs_set(struct sim_pairs *p, const char *a, const char *b, int64_t at_us);

// sim_pairs_get returns what was set, 0 for nothing.
int64_t sim_pairs_get(const struct sim_pairs *p, const char *a, const char *b);

#endif
