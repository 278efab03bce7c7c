#include "sql.h"

#include <string.h>

static enum outcome failed(const PGconn *conn, const char *state, struct err *err)
{
    bool is_final =
        state && (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 ||
                  strncmp(state, "42", 2) == 0);
    const char *text = PQerrorMessage(conn);

    return err_set(err, is_final ? OUTCOME_REJECT : OUTCOME_RETRY, "PostgreSQL: %.*s",
                   (int)strcspn(text, "\n"), text);
}

enum outcome sql_open(PGconn **out, const char *database_url, struct err *err)
{
    PGconn *conn = PQconnectdb(database_url);

    if (PQstatus(conn) == CONNECTION_OK) {
        *out = conn;
        return OUTCOME_OK;
    }
    enum outcome rc = failed(conn, NULL, err);
    PQfinish(conn);
    return rc;
}

enum outcome sql_take(PGconn *conn, PGresult *answer, ExecStatusType wanted,
                      struct err *err)
{
    enum outcome rc = OUTCOME_OK;

    if (PQresultStatus(answer) != wanted)
        rc = failed(conn, PQresultErrorField(answer, PG_DIAG_SQLSTATE), err);
    PQclear(answer);
    return rc;
}
