// db.h: one asynchronous, pipelined PostgreSQL connection on the reactor (libpq).
// Every statement must be safe to run twice: after a lost connection, and after errors
// of classes 08, 40, 53 and 57 and 23514 "no partition", a request is sent again until
// it is answered. Belongs to one thread.
#ifndef DB_H
#define DB_H

#include "base.h"

struct db;
struct db_args;
struct metrics;
struct reactor;
struct setting;

struct db_settings {
    char *url;  // database.url: libpq connection string
};

#define DB_SETTINGS(base)                                                                \
    {                                                                                    \
        "database.url", SETTING_SECRET, (base) + offsetof(struct db_settings, url),      \
            NULL, 1, 4096, NULL,                                                         \
            "PostgreSQL connection string (postgresql://user@host/name)"                 \
    }

// A statement is a static object; it is prepared once per connection, under its name.
struct db_statement {
    const char *name;  // unique in the program
    const char *sql;   // parameters $1…, text never built from data
};

// Rows of one answer, all in binary format; borrowed during done.
struct db_result;

struct db_answer {
    enum outcome rc;       // OK, or REJECT: the server will never take these arguments
    bool repeated;         // it was sent more than once: an earlier run may have counted
    const char *sqlstate;  // of a REJECT
    const char *reason;    // likewise
    const struct db_result *rows;  // of the last statement of a group
};

typedef void db_done(void *arg, const struct db_answer *answer);

// db_open starts to connect and returns; db_is_up tells when it stands. Each session
// gets hashjoin and mergejoin off, generic plans, statement_timeout, lock_timeout and
// idle_in_transaction_session_timeout, and application_name.
//   OUTCOME_REJECT  the connection string is malformed.
MUST_CHECK enum outcome db_open(struct db **out, struct reactor *r,
                                const struct db_settings *set,
                                const char *application_name, struct metrics *metrics,
                                struct err *err);

// db_close drops what was not answered, without calling done.
void db_close(struct db *db);
bool db_is_up(const struct db *db);
size_t db_in_flight(const struct db *db);   // submitted and not answered
const char *db_error(const struct db *db);  // why it is not up, or ""

// Arguments are copied when they are added. NULL array elements: see each. A db_args
// holds those of one statement; db_submit takes it. count = 0 arrays are fine.
struct db_args *db_args_new(void);
void db_args_free(struct db_args *a);
void db_args_int8(struct db_args *a, int64_t value);
void db_args_int4(struct db_args *a, int32_t value);
void db_args_text(struct db_args *a, const char *text);                // NULL = null
void db_args_bytes(struct db_args *a, const void *bytes, size_t len);  // bytea
void db_args_uuid(struct db_args *a, const unsigned char id[16]);
void db_args_time(struct db_args *a, int64_t wall_us);  // timestamptz; INT64_MIN = null
void db_args_null(struct db_args *a);

// Arrays: begin with the type and the count, then add exactly count elements.
enum db_type { DB_UUID, DB_INT2, DB_INT4, DB_INT8, DB_TEXT, DB_BYTEA, DB_TIME, DB_BOOL };
void db_args_array(struct db_args *a, enum db_type type, size_t count);
void db_args_add_uuid(struct db_args *a, const unsigned char id[16]);  // NULL = null
void db_args_add_int(struct db_args *a, int64_t value);  // INT2, INT4, INT8; BOOL: 0, 1
void db_args_add_text(struct db_args *a, const char *text);                // NULL = null
void db_args_add_bytes(struct db_args *a, const void *bytes, size_t len);  // NULL = null
void db_args_add_time(struct db_args *a, int64_t wall_us);  // INT64_MIN = null
void db_args_add_null(struct db_args *a);

// db_submit takes args and queues the statement as a transaction of its own. done runs
// exactly once, from the loop, unless db_close comes first. Requests are sent in order;
// one that has to be repeated may fall behind others.
void db_submit(struct db *db, const struct db_statement *statement, struct db_args *args,
               db_done *done, void *arg);

// db_submit_group runs count statements in one transaction; done gets the last's rows.
void db_submit_group(struct db *db, const struct db_statement *const *statements,
                     struct db_args **args, size_t count, db_done *done, void *arg);

// Readers of rows; row and column must exist and have the type.
size_t db_rows(const struct db_result *r);
bool db_is_null(const struct db_result *r, size_t row, int column);
int64_t db_int(const struct db_result *r, size_t row, int column);  // int2, int4, int8
bool db_bool(const struct db_result *r, size_t row, int column);
const char *db_text(const struct db_result *r, size_t row, int column);  // NUL-ended
const void *db_bytes(const struct db_result *r, size_t row, int column, size_t *len);
const unsigned char *db_uuid(const struct db_result *r, size_t row, int column);
int64_t db_time_us(const struct db_result *r, size_t row, int column);  // wall clock

#endif
