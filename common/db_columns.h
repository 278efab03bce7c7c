// db_columns.h: structs to array arguments and back, by a table: one line per column.
#ifndef DB_COLUMNS_H
#define DB_COLUMNS_H

#include "base.h"
#include "db.h"

// No value of an integer stands for null.
#define NEVER_NULL INT64_MIN

// The type says what the field is: DB_UUID unsigned char[16], zero = null; DB_INT2 and
// DB_INT4 int32_t; DB_INT8 int64_t; DB_TIME int64_t wall microseconds; DB_TEXT const
// char *, NULL = null; DB_BYTEA struct wire_bytes, NULL = null; DB_BOOL bool.
struct db_column {
    enum db_type type;
    size_t offset;
    int64_t null;  // the integer or time that stands for null, or NEVER_NULL
};

// db_columns_add adds one array per column, with an element per row.
void db_columns_add(struct db_args *args, const struct db_column *columns,
                    size_t column_count, const void *const *rows, size_t count);

// db_columns_read fills the struct out from a row, from its column first on. Texts and
// bytes are borrowed from rows. Nulls become what stands for null; 0 without such.
void db_columns_read(void *out, const struct db_column *columns, size_t column_count,
                     const struct db_result *rows, size_t row, int first);

#endif
