// Errors that say something about the server's state rather than about the request make
// it go again, and nothing else does.
#include "db_calls.h"
#include "reactor.h"

#include <libpq-fe.h>
#include <string.h>

// The first run raises the error, the next does not.
static void make_raise_once(struct pg *pg)
{
    pg_exec(pg, "CREATE SEQUENCE IF NOT EXISTS runs;"
                "SELECT setval('runs', 1, false);"
                "CREATE OR REPLACE FUNCTION raise_once(code text) RETURNS bigint"
                " LANGUAGE plpgsql AS $$ DECLARE run bigint = nextval('runs'); BEGIN"
                " IF run = 1 THEN RAISE 'as ordered' USING ERRCODE = code; END IF;"
                " RETURN run; END $$");
}

static const struct {
    const char *what, *sqlstate;
    bool repeated;
} errors[] = {
    { "connection failure", "08006", true },
    { "protocol violation", "08P01", false },
    { "division by zero", "22012", false },
    { "unique violation", "23505", false },
    { "check violation", "23514", false },
    { "read-only server", "25006", true },
    { "serialization failure", "40001", true },
    { "deadlock", "40P01", true },
    { "no privilege", "42501", false },
    { "disk full", "53100", true },
    { "too many connections", "53300", true },
    { "program limit", "54000", false },
    { "object in use", "55006", false },
    { "lock timeout", "55P03", true },
    { "cancelled", "57014", true },
    { "cannot connect now", "57P03", true },
    { "I/O error", "58030", true },
    { "raised by a function", "P0001", false },
    { "internal error", "XX000", false },
};

static void errors_of_the_servers_state_are_repeated_and_others_refused(void **st)
{
    static const struct db_statement statement = { "raise_once",
                                                   "SELECT raise_once($1)" };
    struct db_fixture f;

    db_fixture_open(&f, *st);
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        struct call call = { 0 };
        struct db_args *args = db_args_new();

        print_message("%s\n", errors[i].what);
        make_raise_once(*st);
        db_args_text(args, errors[i].sqlstate);
        db_run(&f, &statement, args, &call);
        assert_int_equal(call.rc, errors[i].repeated ? OUTCOME_OK : OUTCOME_REJECT);
        assert_int_equal(call.repeated, errors[i].repeated);
        if (!errors[i].repeated) {
            assert_string_equal(call.sqlstate, errors[i].sqlstate);
            assert_string_equal(call.reason, "raise_once: as ordered");
        }
    }
    db_fixture_close(&f);
}

static const struct db_statement touch = { "touch",
                                           "UPDATE locked SET v = v + 1 WHERE k = $1" };

static struct db_args *key(int32_t k)
{
    struct db_args *args = db_args_new();
    db_args_int4(args, k);
    return args;
}

static bool is_deadlock(void *arg)
{
    return strstr(db_error(arg), "(40P01)") != NULL;
}

// Who waits last finds the deadlock and is the victim: the other session waits first.
static void the_victim_of_a_deadlock_is_repeated(void **st)
{
    const struct db_statement *const group[] = { &touch, &db_nap, &touch };
    struct db_args *args[] = { key(1), db_args_new(), key(2) };
    struct db_fixture f;
    struct call call = { 0 };
    PGconn *other;

    pg_exec(*st, "CREATE TABLE locked AS SELECT k, 0 AS v FROM generate_series(1, 2) k");
    pg_exec(*st, "ALTER SYSTEM SET deadlock_timeout = '20ms'");
    pg_exec(*st, "SELECT pg_reload_conf()");
    db_fixture_open(&f, *st);
    other = PQconnectdb(pg_url(*st));
    PQclear(PQexec(other, "BEGIN; UPDATE locked SET v = v + 10 WHERE k = 2"));

    db_submit_group(f.db, group, args, COUNT_OF(group), call_done, &call);
    loop_until(f.reactor, db_is_napping, f.pg);
    assert_int_equal(PQsendQuery(other, "UPDATE locked SET v = v + 10 WHERE k = 1"), 1);
    loop_until(f.reactor, is_deadlock, f.db);
    assert_int_equal(call.answers, 0);
    PQclear(PQexec(other, "COMMIT"));  // reads the update's answer, too
    PQfinish(other);

    call_wait(f.reactor, &call);
    assert_int_equal(call.rc, OUTCOME_OK);
    assert_true(call.repeated);
    assert_string_equal(db_error(f.db), "");
    assert_int_equal(pg_int(*st, "SELECT count(*) FROM locked WHERE v = 11"), 2);
    db_fixture_close(&f);
}

static void a_row_without_partition_waits_until_there_is_one(void **st)
{
    static const struct db_statement statement = { "monthly",
                                                   "INSERT INTO months VALUES ($1)" };
    struct db_fixture f;
    struct call late = { 0 }, neighbour = { 0 };

    pg_exec(*st, "CREATE TABLE months (k int) PARTITION BY RANGE (k);"
                 "CREATE TABLE months_1 PARTITION OF months FOR VALUES FROM (0) TO (10)");
    db_fixture_open(&f, *st);
    db_submit(f.db, &statement, key(15), call_done, &late);
    db_submit(f.db, &statement, key(5), call_done, &neighbour);
    loop_until(f.reactor, db_is_in_trouble, f.db);
    assert_true(db_is_up(f.db));
    assert_string_equal(
        db_error(f.db),
        "monthly: no partition of relation \"months\" found for row (23514)");
    call_wait(f.reactor, &neighbour);
    assert_int_equal(neighbour.rc, OUTCOME_OK);
    assert_false(neighbour.repeated);
    assert_int_equal(late.answers, 0);

    pg_exec(*st,
            "CREATE TABLE months_2 PARTITION OF months FOR VALUES FROM (10) TO (20)");
    call_wait(f.reactor, &late);
    assert_int_equal(late.rc, OUTCOME_OK);
    assert_true(late.repeated);
    assert_string_equal(db_error(f.db), "");
    assert_int_equal(pg_int(*st, "SELECT sum(k) FROM months"), 20);
    db_fixture_close(&f);
}

static void a_statement_that_the_server_forgot_is_prepared_again(void **st)
{
    static const struct db_statement forget = { "forget", "DEALLOCATE ALL" };
    struct db_fixture f;
    struct call before = { 0 }, forgotten = { 0 }, after[3] = { 0 };

    db_fixture_open(&f, *st);
    db_run(&f, &db_one, db_args_new(), &before);
    db_run(&f, &forget, db_args_new(), &forgotten);
    for (size_t i = 0; i < COUNT_OF(after); i++)
        db_submit(f.db, &db_one, db_args_new(), call_done, &after[i]);
    for (size_t i = 0; i < COUNT_OF(after); i++) {
        call_wait(f.reactor, &after[i]);
        assert_int_equal(after[i].rc, OUTCOME_OK);
        assert_true(after[i].repeated);
    }
    assert_int_equal(forgotten.rc, OUTCOME_OK);
    db_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_the_servers_state_are_repeated_and_others_refused),
        cmocka_unit_test(the_victim_of_a_deadlock_is_repeated),
        cmocka_unit_test(a_row_without_partition_waits_until_there_is_one),
        cmocka_unit_test(a_statement_that_the_server_forgot_is_prepared_again),
    };
    return cmocka_run_group_tests(tests, db_group_start, db_group_stop);
}
