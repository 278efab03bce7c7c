// db_rows.h: readers of an answer's rows, which are in PostgreSQL's binary format and
// borrowed during done. Row and column (from 0) must exist and have the type; only
// db_is_null may be asked of a null.
#ifndef DB_ROWS_H
#define DB_ROWS_H

#include "base.h"

struct db_answer;
struct db_result;

// db_blames_data: a REJECT is about the values (classes 22, 23 and 54), so the rest of a
// batch may pass without them; others are about the statement, the schema or rights.
bool db_blames_data(const struct db_answer *answer);

size_t db_rows(const struct db_result *r);      // NULL = 0
size_t db_affected(const struct db_result *r);  // rows that INSERT, UPDATE… changed

bool db_is_null(const struct db_result *r, size_t row, int column);
int64_t db_int(const struct db_result *r, size_t row, int column);  // int2, int4, int8
bool db_bool(const struct db_result *r, size_t row, int column);
const char *db_text(const struct db_result *r, size_t row, int column);  // NUL-ended
const void *db_bytes(const struct db_result *r, size_t row, int column, size_t *len);
const unsigned char *db_uuid(const struct db_result *r, size_t row, int column);

// db_row_of returns the row whose column 0 is this uuid, or -1. It begins with row hint,
// any number: answers mostly have the order of their arguments.
int db_row_of(const struct db_result *r, const unsigned char id[16], size_t hint);

// db_time_us is the wall clock; INT64_MIN and INT64_MAX stand for the infinities.
int64_t db_time_us(const struct db_result *r, size_t row, int column);

#endif
