// sql.h: one session with PostgreSQL for the commands of operators. Blocks.
#ifndef SQL_H
#define SQL_H

#include "base.h"

#include <libpq-fe.h>

//   OUTCOME_RETRY  PostgreSQL could not be reached.
MUST_CHECK enum outcome sql_open(PGconn **out, const char *database_url, struct err *err);

// sql_take frees the answer, which should have this status. Closing the session rolls
// back what was not committed.
//   OUTCOME_REJECT  the data (22, 23), a right or a table (42) is wrong: it stays so.
//   OUTCOME_RETRY   any other failure.
MUST_CHECK enum outcome sql_take(PGconn *conn, PGresult *answer, ExecStatusType wanted,
                                 struct err *err);

#endif
