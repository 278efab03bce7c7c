// sql.h: one session with PostgreSQL for the commands of operators. Blocks.
#ifndef SQL_H
#define SQL_H

#include "base.h"

#include <libpq-fe.h>

struct buf;

// A time of PostgreSQL's as RFC 3339 in UTC.
#define SQL_TIME(value)                                                                  \
    "to_char(" value " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

//   OUTCOME_RETRY  PostgreSQL could not be reached.
MUST_CHECK enum outcome sql_open(PGconn **out, const char *database_url, struct err *err);

// One statement over a session of its own, and its rows as texts.
struct sql_answer {
    PGconn *conn;
    PGresult *rows;
};

// sql_ask runs a statement with text parameters (NULL = null) over a new session; free
// the answer, also its session, with sql_answer_free. Outcomes as sql_open and sql_take.
MUST_CHECK enum outcome sql_ask(struct sql_answer *out, const char *database_url,
                                const char *sql, const char *const *values, int count,
                                struct err *err);

// sql_more runs another statement over the same session, whose rows take the place of
// those before. It leaves the answer free of rows when it fails.
MUST_CHECK enum outcome sql_more(struct sql_answer *answer, const char *sql,
                                 const char *const *values, int count, struct err *err);

// sql_rows counts; sql_text is "" for a null. Borrowed until sql_more or the free.
size_t sql_rows(const struct sql_answer *answer);
const char *sql_text(const struct sql_answer *answer, size_t row, int column);
void sql_answer_free(struct sql_answer *answer);

// sql_take frees the answer, which should have this status. Closing the session rolls
// back what was not committed.
//   OUTCOME_REJECT  the data (22, 23), a right or a table (42) is wrong: it stays so.
//   OUTCOME_RETRY   any other failure.
MUST_CHECK enum outcome sql_take(PGconn *conn, PGresult *answer, ExecStatusType wanted,
                                 struct err *err);

// sql_who writes "user@host": who changed a row, for those who look at it later.
enum { SQL_WHO_MAX_BYTES = 512 };
void sql_who(struct buf *out);

#endif
