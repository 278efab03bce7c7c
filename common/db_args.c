#include "db_args.h"

#include "db_args_internal.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 512, ARRAY_HEADER_BYTES = 20, NULL_FLAG_AT = 4 };

// src/include/catalog/pg_type.dat has the OIDs; they never change.
static const struct {
    unsigned scalar, array;
    size_t bytes;  // of one value, 0 = it varies
} types[] = {
    [DB_UUID] = { 2950, 2951, 16 }, [DB_INT2] = { 21, 1005, 2 },
    [DB_INT4] = { 23, 1007, 4 },    [DB_INT8] = { 20, 1016, 8 },
    [DB_TEXT] = { 25, 1009, 0 },    [DB_BYTEA] = { 17, 1001, 0 },
    [DB_TIME] = { 1184, 1185, 8 },  [DB_BOOL] = { 16, 1000, 1 },
};

struct db_args *db_args_new(void)
{
    return xcalloc(1, sizeof(struct db_args));
}

void db_args_free(struct db_args *a)
{
    if (!a)
        return;
    free(a->bytes);
    free(a);
}

static void reserve(struct db_args *a, size_t len)
{
    if (len <= a->room - a->len)
        return;
    assert(len <= DB_ARGS_MAX_BYTES - a->len);

    size_t room = a->room ? a->room * 2 : FIRST_ROOM;
    while (room - a->len < len)
        room *= 2;
    a->bytes = xrealloc(a->bytes, room);
    a->room = room;
}

static unsigned char *extend(struct db_args *a, size_t len)
{
    reserve(a, len);
    unsigned char *p = a->bytes + a->len;
    a->len += len;
    return p;
}

static void put32(unsigned char *p, uint32_t value)
{
    value = htobe32(value);
    memcpy(p, &value, sizeof(value));
}

static void put64(unsigned char *p, uint64_t value)
{
    value = htobe64(value);
    memcpy(p, &value, sizeof(value));
}

static void put_time(unsigned char *p, int64_t wall_us)
{
    put64(p, (uint64_t)(wall_us == INT64_MAX ? wall_us : wall_us - DB_EPOCH_US));
}

// Begins the next argument.
static void begin(struct db_args *a, unsigned type, bool null)
{
    assert(a->count < DB_ARGS_MAX);
    assert(a->missing == 0);
    a->start[a->count] = a->len;
    a->type[a->count] = type;
    a->null[a->count] = null;
    a->count++;
}

static unsigned char *scalar(struct db_args *a, enum db_type type, size_t len)
{
    begin(a, types[type].scalar, false);
    return extend(a, len);
}

void db_args_bool(struct db_args *a, bool value)
{
    *scalar(a, DB_BOOL, 1) = value;
}

void db_args_int8(struct db_args *a, int64_t value)
{
    put64(scalar(a, DB_INT8, 8), (uint64_t)value);
}

void db_args_int4(struct db_args *a, int32_t value)
{
    put32(scalar(a, DB_INT4, 4), (uint32_t)value);
}

static void scalar_bytes(struct db_args *a, enum db_type type, const void *bytes,
                         size_t len)
{
    if (!bytes) {
        begin(a, types[type].scalar, true);
        return;
    }
    unsigned char *p = scalar(a, type, len);
    if (len)
        memcpy(p, bytes, len);
}

void db_args_text(struct db_args *a, const char *text)
{
    scalar_bytes(a, DB_TEXT, text, text ? strlen(text) : 0);
}

void db_args_bytes(struct db_args *a, const void *bytes, size_t len)
{
    scalar_bytes(a, DB_BYTEA, bytes, len);
}

void db_args_uuid(struct db_args *a, const unsigned char id[16])
{
    scalar_bytes(a, DB_UUID, id, 16);
}

void db_args_time(struct db_args *a, int64_t wall_us)
{
    if (wall_us == INT64_MIN)
        begin(a, types[DB_TIME].scalar, true);
    else
        put_time(scalar(a, DB_TIME, 8), wall_us);
}

void db_args_null(struct db_args *a)
{
    begin(a, 0, true);
}

// The header is: dimensions, has-null flag, element OID, then size and lower bound of
// each dimension; an empty array has none.
void db_args_array(struct db_args *a, enum db_type type, size_t count)
{
    assert(count <= DB_ARGS_MAX_BYTES);
    begin(a, types[type].array, false);
    reserve(a, ARRAY_HEADER_BYTES + count * (4 + types[type].bytes));

    unsigned char *p = extend(a, count ? ARRAY_HEADER_BYTES : 12);
    put32(p, count ? 1 : 0);
    put32(p + NULL_FLAG_AT, 0);
    put32(p + 8, types[type].scalar);
    if (count) {
        put32(p + 12, (uint32_t)count);
        put32(p + 16, 1);
    }
    a->element = type;
    a->missing = count;
}

static unsigned char *element(struct db_args *a, size_t len)
{
    assert(a->missing > 0);
    a->missing--;
    unsigned char *p = extend(a, 4 + len);
    put32(p, (uint32_t)len);
    return p + 4;
}

void db_args_add_null(struct db_args *a)
{
    put32(element(a, 0) - 4, UINT32_MAX);
    put32(a->bytes + a->start[a->count - 1] + NULL_FLAG_AT, 1);
}

static void element_bytes(struct db_args *a, enum db_type type, const void *bytes,
                          size_t len)
{
    assert(a->element == type);
    if (!bytes) {
        db_args_add_null(a);
        return;
    }
    unsigned char *p = element(a, len);
    if (len)
        memcpy(p, bytes, len);
}

void db_args_add_uuid(struct db_args *a, const unsigned char id[16])
{
    element_bytes(a, DB_UUID, id, 16);
}

void db_args_add_int(struct db_args *a, int64_t value)
{
    switch (a->element) {
    case DB_BOOL:
        *element(a, 1) = value != 0;
        return;
    case DB_INT2: {
        assert(value == (int16_t)value);
        uint16_t two = htobe16((uint16_t)value);
        memcpy(element(a, 2), &two, sizeof(two));
        return;
    }
    case DB_INT4:
        assert(value == (int32_t)value);
        put32(element(a, 4), (uint32_t)value);
        return;
    default:
        assert(a->element == DB_INT8);
        put64(element(a, 8), (uint64_t)value);
    }
}

void db_args_add_text(struct db_args *a, const char *text)
{
    element_bytes(a, DB_TEXT, text, text ? strlen(text) : 0);
}

void db_args_add_bytes(struct db_args *a, const void *bytes, size_t len)
{
    element_bytes(a, DB_BYTEA, bytes, len);
}

void db_args_add_time(struct db_args *a, int64_t wall_us)
{
    assert(a->element == DB_TIME);
    if (wall_us == INT64_MIN)
        db_args_add_null(a);
    else
        put_time(element(a, 8), wall_us);
}

void db_args_point(const struct db_args *a, const char **values, int *lengths,
                   int *formats)
{
    assert(a->missing == 0);
    for (int i = 0; i < a->count; i++) {
        size_t end = i + 1 < a->count ? a->start[i + 1] : a->len;
        const char *bytes = a->bytes ? (const char *)a->bytes + a->start[i] : "";

        values[i] = a->null[i] ? NULL : bytes;
        lengths[i] = (int)(end - a->start[i]);
        formats[i] = 1;  // binary
    }
}

void db_args_int8s(struct db_args *a, const int64_t *values, size_t count)
{
    db_args_array(a, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_int(a, values[i]);
}
