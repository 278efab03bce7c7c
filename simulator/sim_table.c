#include "sim_table.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 8 };

struct key {
    const struct sim_table *table;
    const char *text;
    size_t len;
};

static bool is_same(const void *arg, uint32_t number)
{
    const struct key *key = arg;
    const char *row = key->table->rows[number - 1];

    return strncmp(row, key->text, key->len) == 0 && row[key->len] == '\0';
}

void sim_table_free(struct sim_table *t)
{
    free(t->rows);
    sim_index_free(&t->index);
    *t = (struct sim_table){ 0 };
}

static void put(struct sim_table *t, size_t i)
{
    struct key key = { t, t->rows[i], strlen(t->rows[i]) };

    (void)sim_index_put(&t->index, sim_index_hash(0, key.text, key.len), (uint32_t)i + 1,
                        is_same, &key);
}

void sim_table_add(struct sim_table *t, void *row)
{
    if (t->count == t->room) {
        t->room = t->room ? t->room * 2 : ROOM_FIRST;
        t->rows = xrealloc(t->rows, t->room * sizeof(void *));
    }
    t->rows[t->count++] = row;
    put(t, t->count - 1);
}

void *sim_table_find(const struct sim_table *t, const char *key, size_t len)
{
    struct key wanted = { t, key, len };
    uint32_t number =
        sim_index_find(&t->index, sim_index_hash(0, key, len), is_same, &wanted);

    return number ? t->rows[number - 1] : NULL;
}

void sim_table_remove(struct sim_table *t, size_t i)
{
    memmove(t->rows + i, t->rows + i + 1, (t->count - i - 1) * sizeof(void *));
    t->count--;
    sim_index_free(&t->index);
    for (size_t k = 0; k < t->count; k++)
        put(t, k);
}
