#include "sql.h"

#include "buf.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

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

enum outcome sql_more(struct sql_answer *answer, const char *sql,
                      const char *const *values, int count, struct err *err)
{
    PQclear(answer->rows);
    answer->rows = PQexecParams(answer->conn, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(answer->rows);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return OUTCOME_OK;
    enum outcome rc =
        failed(answer->conn, PQresultErrorField(answer->rows, PG_DIAG_SQLSTATE), err);
    PQclear(answer->rows);
    answer->rows = NULL;
    return rc;
}

enum outcome sql_ask(struct sql_answer *out, const char *database_url, const char *sql,
                     const char *const *values, int count, struct err *err)
{
    struct sql_answer answer = { 0 };
    enum outcome rc = sql_open(&answer.conn, database_url, err);

    if (rc)
        return rc;
    rc = sql_more(&answer, sql, values, count, err);
    if (rc)
        sql_answer_free(&answer);
    else
        *out = answer;
    return rc;
}

size_t sql_rows(const struct sql_answer *answer)
{
    return (size_t)PQntuples(answer->rows);
}

const char *sql_text(const struct sql_answer *answer, size_t row, int column)
{
    return PQgetvalue(answer->rows, (int)row, column);
}

void sql_answer_free(struct sql_answer *answer)
{
    PQclear(answer->rows);
    PQfinish(answer->conn);
    *answer = (struct sql_answer){ 0 };
}

void sql_who(struct buf *out)
{
    char host[256] = "";
    const struct passwd *user = getpwuid(geteuid());

    (void)gethostname(host, sizeof(host) - 1);
    if (user)
        buf_add_text(out, user->pw_name);
    else
        buf_add_int(out, (int64_t)geteuid());
    buf_addf(out, "@%s", host);
}
