// sim_table.h: a growing list of things that are found by a text: accounts, senders,
// services. The things stay where they are; the table holds pointers to them.
#ifndef SIM_TABLE_H
#define SIM_TABLE_H

#include "sim_index.h"

// Zero-initialised is empty. Each row begins with its key: a NUL-terminated text.
struct sim_table {
    void **rows;
    size_t count, room;
    struct sim_index index;
};

// sim_table_free forgets the rows; they stay the caller's.
void sim_table_free(struct sim_table *t);

// sim_table_add puts row behind the others; its key is not there yet.
void sim_table_add(struct sim_table *t, void *row);

// sim_table_find returns the row of that key, or NULL.
void *sim_table_find(const struct sim_table *t, const char *key, size_t len);

// sim_table_remove takes row i out, which stays the caller's; the others keep their
// order.
void sim_table_remove(struct sim_table *t, size_t i);

#endif
