#include "db_calls.h"

#include "metrics.h"
#include "reactor.h"

#include <stdio.h>
#include <string.h>

void call_done(void *arg, const struct db_answer *answer)
{
    static int64_t order;
    struct call *call = arg;

    call->answers++;
    call->rc = answer->rc;
    call->repeated = answer->repeated;
    call->rows = db_rows(answer->rows);
    call->affected = db_affected(answer->rows);
    call->order = order++;
    (void)snprintf(call->sqlstate, sizeof(call->sqlstate), "%s", answer->sqlstate);
    (void)snprintf(call->reason, sizeof(call->reason), "%s", answer->reason);
    if (call->check)
        call->check(answer);
}

static bool is_answered(void *arg)
{
    return ((struct call *)arg)->answers > 0;
}

void call_wait(struct reactor *r, struct call *call)
{
    loop_until(r, is_answered, call);
}

int db_group_start(void **state)
{
    *state = pg_start(PG_EMPTY);
    return 0;
}

int db_group_stop(void **state)
{
    pg_stop(*state);
    return 0;
}

static bool is_up(void *arg)
{
    return db_is_up(arg);
}

void db_fixture_open(struct db_fixture *f, struct pg *pg)
{
    const struct db_settings set = { .url = (char *)pg_url(pg) };
    struct err err = { 0 };

    f->pg = pg;
    assert_int_equal(reactor_open(&f->reactor, &err), OUTCOME_OK);
    f->metrics = metrics_new();
    assert_int_equal(db_open(&f->db, f->reactor, &set, "db test", f->metrics, &err),
                     OUTCOME_OK);
    loop_until(f->reactor, is_up, f->db);
}

void db_fixture_close(struct db_fixture *f)
{
    db_close(f->db);
    metrics_free(f->metrics);
    reactor_close(f->reactor);
}

const struct db_statement db_one = { "one", "SELECT 1" };
const struct db_statement db_nap = { "nap", "SELECT pg_sleep(1)" };

bool db_is_napping(void *pg)
{
    return pg_int(pg, "SELECT count(*) FROM pg_stat_activity"
                      " WHERE wait_event = 'PgSleep' AND " DB_SESSION) > 0;
}

bool db_is_in_trouble(void *db)
{
    return db_error(db)[0] != '\0';
}

void db_run(struct db_fixture *f, const struct db_statement *statement,
            struct db_args *args, struct call *call)
{
    db_submit(f->db, statement, args, call_done, call);
    call_wait(f->reactor, call);
}
