// db_args_internal.h: how db_args look inside, for db.
#ifndef DB_ARGS_INTERNAL_H
#define DB_ARGS_INTERNAL_H

#include "db_args.h"

// PostgreSQL counts microseconds from 2000-01-01.
#define DB_EPOCH_US INT64_C(946684800000000)

// The arguments lie in bytes one behind the other.
struct db_args {
    int count;
    size_t start[DB_ARGS_MAX];
    unsigned type[DB_ARGS_MAX];  // OID; 0 = the statement decides
    bool null[DB_ARGS_MAX];
    unsigned char *bytes;
    size_t len, room;
    enum db_type element;  // type of the array that was begun last
    size_t missing;        // elements it still needs
};

// db_args_point fills what libpq wants; the arrays have DB_ARGS_MAX places, and what
// they point at is borrowed from a.
void db_args_point(const struct db_args *a, const char **values, int *lengths,
                   int *formats);

#endif
