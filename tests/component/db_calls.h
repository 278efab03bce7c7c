// db_calls.h: for tests of what talks to PostgreSQL: a record of what each request was
// answered.
#ifndef DB_CALLS_H
#define DB_CALLS_H

#include "db.h"
#include "loop.h"
#include "pg.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct metrics;
struct reactor;

// What one request was answered; zero-initialise it. check may be NULL.
struct call {
    void (*check)(const struct db_answer *answer);
    size_t answers;
    enum outcome rc;
    bool repeated;
    char sqlstate[6];
    char reason[ERR_TEXT_BYTES];
    size_t rows, affected;
    int64_t order;  // how many other calls were answered before, in this program
};

// call_done is the db_done whose arg is a struct call.
void call_done(void *arg, const struct db_answer *answer);

// call_wait turns the loop until the call was answered.
void call_wait(struct reactor *r, struct call *call);

// The usual fixture: an empty server, a loop and a db that is up.
struct db_fixture {
    struct pg *pg;
    struct reactor *reactor;
    struct metrics *metrics;
    struct db *db;
};

// The state of the group is a struct pg; each test of it gets a struct db_fixture.
int db_group_start(void **state);
int db_group_stop(void **state);
void db_fixture_open(struct db_fixture *f, struct pg *pg);
void db_fixture_close(struct db_fixture *f);

// What tells the fixture's session from the test's, in pg_stat_activity.
#define DB_SESSION "application_name = 'db test'"

// Statements without arguments: one row, and one row after a second.
extern const struct db_statement db_one, db_nap;

// Conditions for loop_until: the session of the fixture on this struct pg is in db_nap;
// this struct db has something in db_error.
bool db_is_napping(void *pg);
bool db_is_in_trouble(void *db);

// db_run submits a statement with its arguments and waits; the answer is in call.
void db_run(struct db_fixture *f, const struct db_statement *statement,
            struct db_args *args, struct call *call);

#endif
