#include "db_rows.h"

#include "db.h"
#include "db_internal.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

bool db_blames_data(const struct db_answer *answer)
{
    static const char *const classes[] = { "22", "23", "54" };

    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (strncmp(answer->sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}

size_t db_rows(const struct db_result *r)
{
    return r ? (size_t)PQntuples(r->pg) : 0;
}

size_t db_affected(const struct db_result *r)
{
    return r ? strtoul(PQcmdTuples(r->pg), NULL, 10) : 0;
}

bool db_is_null(const struct db_result *r, size_t row, int column)
{
    return PQgetisnull(r->pg, (int)row, column);
}

const void *db_bytes(const struct db_result *r, size_t row, int column, size_t *len)
{
    assert(row < db_rows(r) && column < PQnfields(r->pg));
    *len = (size_t)PQgetlength(r->pg, (int)row, column);
    return PQgetvalue(r->pg, (int)row, column);
}

// Returns a value that must have len bytes.
static const void *value(const struct db_result *r, size_t row, int column, size_t len)
{
    size_t found;
    const void *p = db_bytes(r, row, column, &found);
    assert(found == len);
    return p;
}

int64_t db_int(const struct db_result *r, size_t row, int column)
{
    size_t len;
    const unsigned char *p = db_bytes(r, row, column, &len);
    uint64_t bits = 0;

    assert(len == 2 || len == 4 || len == 8);
    for (size_t i = 0; i < len; i++)
        bits = bits << 8 | p[i];
    return len == 2 ? (int16_t)bits : len == 4 ? (int32_t)bits : (int64_t)bits;
}

bool db_bool(const struct db_result *r, size_t row, int column)
{
    return *(const char *)value(r, row, column, 1) != 0;
}

const char *db_text(const struct db_result *r, size_t row, int column)
{
    size_t len;
    return db_bytes(r, row, column, &len);
}

const unsigned char *db_uuid(const struct db_result *r, size_t row, int column)
{
    return value(r, row, column, 16);
}

int db_row_of(const struct db_result *r, const unsigned char id[16], size_t hint)
{
    size_t count = db_rows(r);

    for (size_t i = 0; i < count; i++) {
        size_t row = (hint + i) % count;
        if (memcmp(db_uuid(r, row, 0), id, 16) == 0)
            return (int)row;
    }
    return -1;
}

int64_t db_time_us(const struct db_result *r, size_t row, int column)
{
    uint64_t bits;
    memcpy(&bits, value(r, row, column, sizeof(bits)), sizeof(bits));

    int64_t time_us = (int64_t)be64toh(bits);
    return time_us == INT64_MAX || time_us == INT64_MIN ? time_us : time_us + DB_EPOCH_US;
}
