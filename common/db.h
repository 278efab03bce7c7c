// db.h: one asynchronous, pipelined PostgreSQL connection on the reactor (libpq).
// Every statement must be safe to run twice: after a lost connection, and after errors
// that another run may not meet, a request is sent again until it is answered. Those are
// the classes 08 (but 08P01), 40, 53, 57 and 58, and 25006, 55P03 and 23514 "no
// partition". The session must be ours alone: no transaction pooler in between. Belongs
// to one thread. A host name is looked up with getaddrinfo, which blocks: give hostaddr
// where the resolver may be slow.
#ifndef DB_H
#define DB_H

#include "base.h"
#include "db_args.h"
#include "db_rows.h"

struct db;
struct metrics;
struct reactor;
struct setting;
struct settings_part;

struct db_settings {
    char *url;                  // database.url: libpq connection string
    int64_t answer_timeout_us;  // database.answer_timeout; 0 = waits for ever
};

#define DB_SETTINGS(base)                                                                \
    { "database.url",                                                                    \
      SETTING_SECRET,                                                                    \
      (base) + offsetof(struct db_settings, url),                                        \
      NULL,                                                                              \
      1,                                                                                 \
      4096,                                                                              \
      NULL,                                                                              \
      "PostgreSQL connection string (postgresql://user@host/name)" },                    \
    {                                                                                    \
        "database.answer_timeout", SETTING_US,                                           \
            (base) + offsetof(struct db_settings, answer_timeout_us), "30s", 1000000,    \
            INT64_C(3600000000), NULL,                                                   \
            "a connection that owes answers and is silent for so long is given up"       \
    }

// A statement is a static object; it is prepared once per connection, under its name.
struct db_statement {
    const char *name;  // unique in the program, at most DB_NAME_BYTES long
    const char *sql;   // parameters $1…, text never built from data
};

enum { DB_NAME_BYTES = 48 };

struct db_answer {
    enum outcome rc;       // OK, or REJECT: the server will never take these arguments
    bool repeated;         // it was sent more than once: an earlier run may have counted
    const char *sqlstate;  // of a REJECT, else ""
    const char *reason;    // likewise: the server's message, without rows' data
    const struct db_result *rows;  // of a group: db_submit_group; NULL of a REJECT
};

// The answer is valid during the call. done may submit, but must not close the db.
typedef void db_done(void *arg, const struct db_answer *answer);

// db_settings_part refuses a malformed connection string, and warns of a server on
// another machine whose certificate and name are not checked.
extern const struct settings_part db_settings_part;

// db_open starts to connect and returns; db_is_up tells when it stands. Each session
// gets nested loops, merge joins, sequential scans and jit off, generic plans,
// statement_timeout 5 s, lock_timeout 1 s, idle_in_transaction_session_timeout 10 s
// (options= in the connection string goes over them) and application_name. Copies set.
// metrics may be NULL; it outlives the db; application_name is the label of the
// connection.
//   OUTCOME_REJECT  the connection string is malformed.
MUST_CHECK enum outcome db_open(struct db **out, struct reactor *r,
                                const struct db_settings *set,
                                const char *application_name, struct metrics *metrics,
                                struct err *err);

// db_close drops what was not answered, without calling done.
void db_close(struct db *db);
bool db_is_up(const struct db *db);
size_t db_in_flight(const struct db *db);  // submitted and not answered

// db_error says why it is not up, or which error makes it repeat requests, or "".
const char *db_error(const struct db *db);

// db_submit takes args and queues the statement as a transaction of its own. done runs
// exactly once, from the loop, unless db_close comes first. Requests are sent in order;
// one that has to be repeated may fall behind others.
void db_submit(struct db *db, const struct db_statement *statement, struct db_args *args,
               db_done *done, void *arg);

// db_submit_group runs count statements in one transaction, and takes args[0…count-1];
// done gets the rows of the last that returns rows.
void db_submit_group(struct db *db, const struct db_statement *const *statements,
                     struct db_args **args, size_t count, db_done *done, void *arg);

#endif
