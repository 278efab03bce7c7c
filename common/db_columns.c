#include "db_columns.h"

#include "wire.h"

#include <string.h>

static const unsigned char no_id[16];

static void add_int(struct db_args *args, const struct db_column *c, int64_t value)
{
    if (c->null != NEVER_NULL && value == c->null)
        db_args_add_null(args);
    else if (c->type == DB_TIME)
        db_args_add_time(args, value);
    else
        db_args_add_int(args, value);
}

static void add_field(struct db_args *args, const struct db_column *c, const char *field)
{
    const struct wire_bytes *bytes = (const void *)field;

    switch (c->type) {
    case DB_UUID:
        db_args_add_uuid(args, memcmp(field, no_id, sizeof(no_id)) == 0
                                   ? NULL
                                   : (const unsigned char *)field);
        break;
    case DB_INT2:
    case DB_INT4:
        add_int(args, c, *(const int32_t *)(const void *)field);
        break;
    case DB_INT8:
    case DB_TIME:
        add_int(args, c, *(const int64_t *)(const void *)field);
        break;
    case DB_TEXT:
        db_args_add_text(args, *(const char *const *)(const void *)field);
        break;
    case DB_BYTEA:
        db_args_add_bytes(args, bytes->bytes, bytes->len);
        break;
    case DB_BOOL:
        db_args_add_int(args, *(const bool *)field);
        break;
    }
}

void db_columns_add(struct db_args *args, const struct db_column *columns,
                    size_t column_count, const void *const *rows, size_t count)
{
    for (const struct db_column *c = columns; c < columns + column_count; c++) {
        db_args_array(args, c->type, count);
        for (size_t i = 0; i < count; i++)
            add_field(args, c, (const char *)rows[i] + c->offset);
    }
}

static int64_t null_value(const struct db_column *c)
{
    return c->null == NEVER_NULL ? 0 : c->null;
}

static void read_null(char *field, const struct db_column *c)
{
    switch (c->type) {
    case DB_UUID:
        memset(field, 0, sizeof(no_id));
        break;
    case DB_INT2:
    case DB_INT4:
        *(int32_t *)(void *)field = (int32_t)null_value(c);
        break;
    case DB_INT8:
    case DB_TIME:
        *(int64_t *)(void *)field = null_value(c);
        break;
    case DB_TEXT:
        *(const char **)(void *)field = NULL;
        break;
    case DB_BYTEA:
        *(struct wire_bytes *)(void *)field = (struct wire_bytes){ 0 };
        break;
    case DB_BOOL:
        *(bool *)(void *)field = false;
        break;
    }
}

static void read_field(char *field, enum db_type type, const struct db_result *rows,
                       size_t row, int column)
{
    struct wire_bytes *bytes = (void *)field;

    switch (type) {
    case DB_UUID:
        memcpy(field, db_uuid(rows, row, column), sizeof(no_id));
        break;
    case DB_INT2:
    case DB_INT4:
        *(int32_t *)(void *)field = (int32_t)db_int(rows, row, column);
        break;
    case DB_INT8:
        *(int64_t *)(void *)field = db_int(rows, row, column);
        break;
    case DB_TIME:
        *(int64_t *)(void *)field = db_time_us(rows, row, column);
        break;
    case DB_TEXT:
        *(const char **)(void *)field = db_text(rows, row, column);
        break;
    case DB_BYTEA:
        bytes->bytes = db_bytes(rows, row, column, &bytes->len);
        break;
    case DB_BOOL:
        *(bool *)(void *)field = db_bool(rows, row, column);
        break;
    }
}

void db_columns_read(void *out, const struct db_column *columns, size_t column_count,
                     const struct db_result *rows, size_t row, int first)
{
    for (size_t i = 0; i < column_count; i++) {
        char *field = (char *)out + columns[i].offset;
        int column = first + (int)i;

        if (db_is_null(rows, row, column))
            read_null(field, &columns[i]);
        else
            read_field(field, columns[i].type, rows, row, column);
    }
}
