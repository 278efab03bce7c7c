// The helper is what other tests stand on, so its promises are tested.
#include "pg.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_committed_row_outlives_both_kinds_of_restart(void **state)
{
    struct pg *pg = *state;

    pg_exec(pg, "CREATE TABLE kept (n int)");
    pg_exec(pg, "INSERT INTO kept VALUES (1)");
    pg_restart(pg, PG_FAST);
    pg_exec(pg, "INSERT INTO kept VALUES (2)");
    pg_restart(pg, PG_IMMEDIATE);
    assert_int_equal(pg_int(pg, "SELECT sum(n) FROM kept"), 3);
}

static void a_server_that_is_down_takes_no_connections(void **state)
{
    struct pg *pg = *state;

    pg_down(pg, PG_FAST);
    assert_int_equal(PQping(pg_url(pg)), PQPING_NO_RESPONSE);
    pg_up(pg);
    char *text = pg_text(pg, "SELECT 'up again'");
    assert_string_equal(text, "up again");
    free(text);
}

static void stopping_leaves_nothing_behind(void **state)
{
    struct pg *pg = pg_start(PG_EMPTY);
    char *folder = pg_text(pg, "SHOW unix_socket_directories");

    (void)state;
    assert_int_equal(access(folder, F_OK), 0);
    pg_stop(pg);
    assert_int_equal(access(folder, F_OK), -1);
    free(folder);
}

static void a_migrated_server_has_what_the_plan_made(void **state)
{
    struct pg *pg = pg_start(PG_MIGRATED);

    (void)state;
    assert_int_equal(pg_int(pg, "SELECT count(*) FROM messages"), 0);
    assert_int_equal(pg_int(pg, "SELECT count(*) FROM workers"), 0);
    pg_stop(pg);
}

static int start(void **state)
{
    *state = pg_start(PG_EMPTY);
    return 0;
}

static int stop(void **state)
{
    pg_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_committed_row_outlives_both_kinds_of_restart),
        cmocka_unit_test(a_server_that_is_down_takes_no_connections),
        cmocka_unit_test(stopping_leaves_nothing_behind),
        cmocka_unit_test(a_migrated_server_has_what_the_plan_made),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
