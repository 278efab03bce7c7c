#include "db_internal.h"
#include "reactor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the server knows of a statement. The name carries a serial number, so that a
// statement can always be prepared afresh.
struct db_prepared {
    const struct db_statement *statement;
    char name[DB_NAME_BYTES + 24];
    unsigned type[DB_ARGS_MAX];  // OIDs; 0 = inferred
    uint64_t serial;
    bool ready;  // prepared, or on its way to be
    SLIST_ENTRY(db_prepared) next;
};

static struct db_prepared *find_prepared(struct db *db,
                                         const struct db_statement *statement)
{
    struct db_prepared *p;

    SLIST_FOREACH(p, &db->prepared, next)
    if (p->statement == statement)
        return p;
    assert(strlen(statement->name) <= DB_NAME_BYTES);
    p = xcalloc(1, sizeof(*p));
    p->statement = statement;
    SLIST_INSERT_HEAD(&db->prepared, p, next);
    return p;
}

// A null of no type may have come first; what it left to the server is told now.
static void learn_types(struct db_prepared *p, const struct db_args *args)
{
    for (int i = 0; i < args->count; i++) {
        if (args->type[i] == 0 || args->type[i] == p->type[i])
            continue;
        assert(p->type[i] == 0);
        p->type[i] = args->type[i];
        p->ready = false;
    }
}

static bool send_prepare(struct db *db, struct db_step *step)
{
    struct db_prepared *p = step->prepared;

    p->serial = ++db->prepared_serial;
    p->ready = true;
    step->parsing = true;
    (void)snprintf(p->name, sizeof(p->name), "%s.%llu", p->statement->name,
                   (unsigned long long)p->serial);
    return PQsendPrepare(db->conn, p->name, p->statement->sql, step->args->count,
                         p->type) == 1;
}

static bool send_step(struct db *db, struct db_step *step)
{
    const char *values[DB_ARGS_MAX];
    int lengths[DB_ARGS_MAX], formats[DB_ARGS_MAX];

    step->parsing = false;
    step->prepared = find_prepared(db, step->statement);
    learn_types(step->prepared, step->args);
    if (!step->prepared->ready && !send_prepare(db, step))
        return false;
    step->serial = step->prepared->serial;
    db_args_point(step->args, values, lengths, formats);
    return PQsendQueryPrepared(db->conn, step->prepared->name, step->args->count, values,
                               lengths, formats, 1) == 1;
}

// Sends the request with a sync of its own: one transaction, and no error leaves it.
static bool send_request(struct db *db, struct db_request *request)
{
    request->sends++;
    db_count_sent(request);
    request->at = 0;
    request->sqlstate[0] = '\0';
    PQclear(request->rows);
    request->rows = NULL;
    for (size_t i = 0; i < request->count; i++)
        if (!send_step(db, &request->steps[i]))
            return false;
    return PQpipelineSync(db->conn) == 1;
}

static void on_io(void *arg, uint32_t events);

// Reading goes on while the server is slow to take what we write: it may be waiting for
// us to read.
static void flush(struct db *db)
{
    struct err err = { 0 };
    int rc = PQflush(db->conn);
    uint32_t events = rc > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN;

    if (rc < 0) {
        db_lost(db, PQerrorMessage(db->conn));
        return;
    }
    if (events == db->events)
        return;
    if (reactor_watch(db->reactor, db->fd, events, on_io, db, &err))
        db_lost(db, err.text);
    else
        db->events = events;
}

void db_pipeline_pump(struct db *db)
{
    reactor_timer_stop(db->pump_timer);
    if (db->state != DB_UP)
        return;
    if (TAILQ_EMPTY(&db->sent))
        db->heard_us = clock_boot_us();
    for (struct db_request *request;
         db->sent_count < DB_PIPELINE_MAX && (request = TAILQ_FIRST(&db->waiting));) {
        TAILQ_REMOVE(&db->waiting, request, next);
        TAILQ_INSERT_TAIL(&db->sent, request, next);
        db->sent_count++;
        if (!send_request(db, request)) {
            db_lost(db, PQerrorMessage(db->conn));
            return;
        }
    }
    flush(db);
}

static const char *field(const PGresult *pg, int code)
{
    const char *text = PQresultErrorField(pg, code);
    return text ? text : "";
}

// Errors that say something about the server's state rather than about our arguments. A
// missing partition is the only check violation that names a table and no constraint.
static bool is_worth_repeating(const PGresult *pg)
{
    static const char *const prefixes[] = { "08", "40",    "53",    "57",
                                            "58", "25006", "26000", "55P03" };
    const char *state = field(pg, PG_DIAG_SQLSTATE);

    if (strcmp(state, "08P01") == 0)  // we sent nonsense, and would again
        return false;
    if (strcmp(state, "23514") == 0)
        return field(pg, PG_DIAG_TABLE_NAME)[0] && !field(pg, PG_DIAG_CONSTRAINT_NAME)[0];
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (strncmp(state, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

// The first error of a request tells what becomes of it; the rest of it is skipped.
static void note_failure(struct db_request *request, const struct db_step *step,
                         const PGresult *pg)
{
    const char *state = field(pg, PG_DIAG_SQLSTATE);
    struct err reason;

    if (request->sqlstate[0] || PQresultStatus(pg) == PGRES_PIPELINE_ABORTED)
        return;
    (void)snprintf(request->sqlstate, sizeof(request->sqlstate), "%s", state);
    request->again = is_worth_repeating(pg);
    err_set(&reason, OUTCOME_REJECT, "%s: %s", step->statement->name,
            field(pg, PG_DIAG_MESSAGE_PRIMARY));
    free(request->reason);
    request->reason = xstrdup(reason.text);
}

// A statement whose preparation failed is not there, nor is one the server denies.
static void forget_if_missing(const struct db_step *step, bool parsing,
                              const PGresult *pg)
{
    if (!parsing && strcmp(field(pg, PG_DIAG_SQLSTATE), "26000") != 0)
        return;
    if (step->prepared->serial == step->serial)
        step->prepared->ready = false;
}

// Steps to the part of the request that pg answers. The commit answers only when it
// fails; it belongs to the last step.
static struct db_step *next_step(struct db_request *request, bool *parsing)
{
    bool committing = request->at == request->count;
    struct db_step *step = &request->steps[request->at - (committing ? 1 : 0)];

    *parsing = step->parsing;
    step->parsing = false;
    if (!*parsing && !committing)
        request->at++;
    return step;
}

static bool is_end_of_session(const PGresult *pg)
{
    const char *severity = field(pg, PG_DIAG_SEVERITY_NONLOCALIZED);
    return !field(pg, PG_DIAG_SQLSTATE)[0] || strcmp(severity, "FATAL") == 0 ||
           strcmp(severity, "PANIC") == 0;
}

// Takes pg. Returns false when the connection is lost.
static bool take_result(struct db *db, struct db_request *request, PGresult *pg)
{
    ExecStatusType status = PQresultStatus(pg);
    bool ok = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, parsing;

    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(pg);
        TAILQ_REMOVE(&db->sent, request, next);
        db->sent_count--;
        db->connect_tries = 0;
        db_finish(db, request);
        return true;
    }
    if (status == PGRES_FATAL_ERROR && is_end_of_session(pg)) {
        db_lost(db, PQresultErrorMessage(pg));
        PQclear(pg);
        return false;
    }

    struct db_step *step = next_step(request, &parsing);
    if (ok) {
        bool keeps = status == PGRES_TUPLES_OK || !request->rows;
        PQclear(keeps ? request->rows : pg);
        if (keeps)
            request->rows = pg;
        return true;
    }
    note_failure(request, step, pg);
    forget_if_missing(step, parsing, pg);
    PQclear(pg);
    return true;
}

// Each step's results end with NULL; two in a row mean that libpq expects nothing more.
static bool read_answers(struct db *db)
{
    struct db_request *request;
    int blanks = 0;

    while (!PQisBusy(db->conn) && (request = TAILQ_FIRST(&db->sent)) && blanks < 2) {
        PGresult *pg = PQgetResult(db->conn);
        blanks = pg ? 0 : blanks + 1;
        if (pg && !take_result(db, request, pg))
            return false;
    }
    if (blanks < 2 || PQstatus(db->conn) == CONNECTION_BAD)
        return true;
    db_lost(db, "the server's answers are out of step with the requests");
    return false;
}

static void on_io(void *arg, uint32_t events)
{
    struct db *db = arg;

    (void)events;
    bool alive = PQconsumeInput(db->conn);
    db->heard_us = clock_boot_us();
    if (!read_answers(db))
        return;
    if (!alive || PQstatus(db->conn) == CONNECTION_BAD)
        db_lost(db, PQerrorMessage(db->conn));
    else
        db_pipeline_pump(db);
}

void db_pipeline_start(struct db *db)
{
    struct db_prepared *p;

    SLIST_FOREACH(p, &db->prepared, next)
    p->ready = false;
    db->fd = PQsocket(db->conn);
    reactor_timer_stop(db->connect_timer);
    if (db->answer_timeout_us)
        reactor_timer_set(db->connect_timer, db->answer_timeout_us);
    db_pipeline_pump(db);
}

void db_pipeline_free(struct db *db)
{
    while (!SLIST_EMPTY(&db->prepared)) {
        struct db_prepared *p = SLIST_FIRST(&db->prepared);
        SLIST_REMOVE_HEAD(&db->prepared, next);
        free(p);
    }
}
