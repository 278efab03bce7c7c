#include "turn_key.h"

#include "db.h"

#include <string.h>

int turn_key_compare(const void *a, const void *b)
{
    const struct turn_key *x = a;
    const struct turn_key *y = b;
    int order = memcmp(x->message_id, y->message_id, sizeof(x->message_id));

    return order ? order : (x->turn > y->turn) - (x->turn < y->turn);
}

void turn_key_add_args(struct db_args *args, const struct turn_key *keys, size_t count)
{
    db_args_array(args, DB_UUID, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_uuid(args, keys[i].message_id);

    db_args_array(args, DB_INT4, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_int(args, keys[i].turn);
}
