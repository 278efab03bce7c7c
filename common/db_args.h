// db_args.h: the arguments of one statement, in PostgreSQL's binary format. They are
// copied when they are added, in the order of $1, $2…; db_submit takes the whole.
// A statement must get the same types each time it is used. The types are told to the
// server, which casts as usual: an int8 is fine for $1::int or LIMIT $1, a text for
// $1::jsonb.
#ifndef DB_ARGS_H
#define DB_ARGS_H

#include "base.h"

struct db_args;

enum {
    DB_ARGS_MAX = 64,               // arguments of a statement
    DB_ARGS_MAX_BYTES = 256 << 20,  // of all of them together; the caller keeps to it
};

struct db_args *db_args_new(void);
void db_args_free(struct db_args *a);

void db_args_bool(struct db_args *a, bool value);
void db_args_int8(struct db_args *a, int64_t value);
void db_args_int4(struct db_args *a, int32_t value);
void db_args_text(struct db_args *a, const char *text);                // NULL = null
void db_args_bytes(struct db_args *a, const void *bytes, size_t len);  // NULL = null
void db_args_uuid(struct db_args *a, const unsigned char id[16]);      // NULL = null

// db_args_time adds a timestamptz; INT64_MIN = null, INT64_MAX = infinity.
void db_args_time(struct db_args *a, int64_t wall_us);

// db_args_null leaves the type to the statement: $1::text.
void db_args_null(struct db_args *a);

// Arrays: begin with the type and the count (0 is fine), then add exactly count elements.
enum db_type { DB_UUID, DB_INT2, DB_INT4, DB_INT8, DB_TEXT, DB_BYTEA, DB_TIME, DB_BOOL };
void db_args_array(struct db_args *a, enum db_type type, size_t count);
void db_args_add_uuid(struct db_args *a, const unsigned char id[16]);  // NULL = null
void db_args_add_int(struct db_args *a, int64_t value);  // INT2, INT4, INT8; BOOL: 0, 1
void db_args_add_text(struct db_args *a, const char *text);                // NULL = null
void db_args_add_bytes(struct db_args *a, const void *bytes, size_t len);  // NULL = null
void db_args_add_time(struct db_args *a, int64_t wall_us);  // as db_args_time
void db_args_add_null(struct db_args *a);

// db_args_int8s adds a whole array at once.
void db_args_int8s(struct db_args *a, const int64_t *values, size_t count);

#endif
