#include "sim_pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    char key[SIM_PAIRS_KEY_BYTES];  // first: the key of the table
    int64_t at_us;
};

void sim_pairs_clear(struct sim_pairs *p)
{
    for (size_t i = 0; i < p->table.count; i++)
        free(p->table.rows[i]);
    sim_table_free(&p->table);
}

static bool make_key(char key[SIM_PAIRS_KEY_BYTES], const char *a, const char *b)
{
    int len = snprintf(key, SIM_PAIRS_KEY_BYTES, "%s|%s", a, b);
    return len > 0 && len < SIM_PAIRS_KEY_BYTES;
}

static struct row *find(const struct sim_pairs *p, const char *key)
{
    return sim_table_find(&p->table, key, strlen(key));
}

void sim_pairs_set(struct sim_pairs *p, const char *a, const char *b, int64_t at_us)
{
    char key[SIM_PAIRS_KEY_BYTES];

    if (!make_key(key, a, b))
        return;
    struct row *row = find(p, key);
    if (!row && (at_us == 0 || p->table.count == SIM_PAIRS_MAX))
        return;
    if (!row) {
        row = xcalloc(1, sizeof(*row));
        memcpy(row->key, key, sizeof(row->key));
        sim_table_add(&p->table, row);
    }
    row->at_us = at_us;
}

int64_t sim_pairs_get(const struct sim_pairs *p, const char *a, const char *b)
{
    char key[SIM_PAIRS_KEY_BYTES];

    if (p->table.count == 0 || !make_key(key, a, b))
        return 0;
    const struct row *row = find(p, key);
    return row ? row->at_us : 0;
}
