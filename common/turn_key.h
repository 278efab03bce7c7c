// turn_key.h: the fence of every write: one turn of one message.
#ifndef TURN_KEY_H
#define TURN_KEY_H

#include "base.h"

struct db_args;

struct turn_key {
    unsigned char message_id[16];
    int32_t turn;
};

// The rows m of a batch whose sorted ids are $1: by the index, in the partitions that
// hold them, never by a scan of the table.
#define TURN_KEY_ROWS_SQL                                                                \
    " and m.message_id = any ($1)"                                                       \
    " and m.message_id >= ($1)[1] and m.message_id <= ($1)[cardinality($1)]"

// turn_key_compare orders by id, then by turn; for qsort and bsearch.
int turn_key_compare(const void *a, const void *b);

// turn_key_add_args adds the keys as two arrays: uuid[], int4[].
void turn_key_add_args(struct db_args *args, const struct turn_key *keys, size_t count);

#endif
