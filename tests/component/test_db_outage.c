// Every request is answered once, whatever happens to the server and the connection.
#include "buf.h"
#include "db_calls.h"
#include "metrics.h"
#include "reactor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct db_statement put = {
    "put", "INSERT INTO kept SELECT * FROM unnest($1::int[], $2::int[])"
           " ON CONFLICT (k) DO UPDATE SET v = excluded.v"
};

enum { LOAD = 600, LOAD_ROWS = 20 };

struct load {
    struct db_fixture f;
    struct call nap, calls[LOAD];
};

static struct db_args *load_args(int number)
{
    struct db_args *args = db_args_new();

    db_args_array(args, DB_INT4, LOAD_ROWS);
    for (int i = 0; i < LOAD_ROWS; i++)
        db_args_add_int(args, number * LOAD_ROWS + i);
    db_args_array(args, DB_INT4, LOAD_ROWS);
    for (int i = 0; i < LOAD_ROWS; i++)
        db_args_add_int(args, number);
    return args;
}

static bool is_loaded(void *arg)
{
    struct load *load = arg;
    return db_in_flight(load->f.db) == 0;
}

static bool is_nap_first_in_line(void *arg)
{
    struct load *load = arg;
    return load->calls[LOAD / 2 - 1].answers > 0 && db_is_napping(load->f.pg);
}

// The server goes while one statement sleeps and others wait behind it in the pipeline.
static void restart_under_load(struct pg *pg, enum pg_mode mode)
{
    struct load *load = xcalloc(1, sizeof(*load));
    size_t repeated = 0;

    pg_exec(pg,
            "DROP TABLE IF EXISTS kept; CREATE TABLE kept (k int PRIMARY KEY, v int)");
    db_fixture_open(&load->f, pg);
    for (int i = 0; i < LOAD; i++) {
        if (i == LOAD / 2)
            db_submit(load->f.db, &db_nap, db_args_new(), call_done, &load->nap);
        db_submit(load->f.db, &put, load_args(i), call_done, &load->calls[i]);
    }
    loop_until(load->f.reactor, is_nap_first_in_line, load);
    assert_int_equal(load->nap.answers, 0);
    pg_restart(pg, mode);
    loop_until(load->f.reactor, is_loaded, load);

    for (int i = 0; i < LOAD; i++) {
        const struct call *call = &load->calls[i];
        assert_int_equal(call->answers, 1);
        assert_int_equal(call->rc, OUTCOME_OK);
        repeated += call->repeated;
        assert_true(i == 0 || call->order > load->calls[i - 1].order);
    }
    assert_int_equal(load->nap.answers, 1);
    assert_true(load->nap.repeated);
    assert_int_equal(repeated, 15);  // what fits into the pipeline behind the nap
    assert_false(load->calls[0].repeated);
    assert_false(load->calls[LOAD - 1].repeated);
    assert_int_equal(pg_int(pg, "SELECT count(*) FROM kept"), LOAD * LOAD_ROWS);
    assert_int_equal(pg_int(pg, "SELECT count(*) FROM kept WHERE v <> k / 20"), 0);
    db_fixture_close(&load->f);
    free(load);
}

static void a_fast_restart_under_load_is_survived_in_order(void **st)
{
    restart_under_load(*st, PG_FAST);
}

static void a_crash_of_the_server_under_load_is_survived_in_order(void **st)
{
    restart_under_load(*st, PG_IMMEDIATE);
}

static bool is_well(void *arg)
{
    return db_error(arg)[0] == '\0';
}

static void statements_are_prepared_again_on_a_new_connection(void **st)
{
    struct db_fixture f;
    struct call before = { 0 }, after = { 0 };

    db_fixture_open(&f, *st);
    db_run(&f, &db_one, db_args_new(), &before);
    pg_exec(*st, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                 " WHERE " DB_SESSION);
    loop_until(f.reactor, db_is_in_trouble, f.db);
    db_run(&f, &db_one, db_args_new(), &after);
    assert_int_equal(after.rc, OUTCOME_OK);
    assert_int_equal(after.rows, 1);
    assert_false(after.repeated);
    db_fixture_close(&f);
}

static bool has_failed_to_connect(void *arg)
{
    return strstr(db_error(arg), "failed") != NULL;
}

static void an_unreachable_server_is_connected_to_when_it_comes(void **st)
{
    const struct db_settings set = { .url = (char *)pg_url(*st) };
    struct db_fixture f = { .pg = *st };
    struct call call = { 0 };
    struct err err = { 0 };

    pg_down(*st, PG_FAST);
    assert_int_equal(reactor_open(&f.reactor, &err), OUTCOME_OK);
    assert_int_equal(db_open(&f.db, f.reactor, &set, "db test", NULL, &err), OUTCOME_OK);
    db_submit(f.db, &db_one, db_args_new(), call_done, &call);
    loop_until(f.reactor, has_failed_to_connect, f.db);
    assert_false(db_is_up(f.db));
    assert_null(strchr(db_error(f.db), '\n'));

    pg_up(*st);
    call_wait(f.reactor, &call);
    assert_true(db_is_up(f.db));
    assert_string_equal(db_error(f.db), "");
    assert_false(call.repeated);
    db_fixture_close(&f);
}

static void a_frozen_session_is_given_up_and_its_requests_repeated(void **st)
{
    const struct db_settings set = { .url = (char *)pg_url(*st),
                                     .answer_timeout_us = 300000 };
    struct db_fixture f = { .pg = *st };
    struct call before = { 0 }, call = { 0 };
    struct err err = { 0 };

    assert_int_equal(reactor_open(&f.reactor, &err), OUTCOME_OK);
    assert_int_equal(db_open(&f.db, f.reactor, &set, "db test", NULL, &err), OUTCOME_OK);
    db_run(&f, &db_one, db_args_new(), &before);
    pid_t session = (pid_t)pg_int(*st, "SELECT pid FROM pg_stat_activity"
                                       " WHERE " DB_SESSION);
    assert_int_equal(kill(session, SIGSTOP), 0);
    db_submit(f.db, &db_one, db_args_new(), call_done, &call);
    loop_until(f.reactor, db_is_in_trouble, f.db);
    assert_string_equal(db_error(f.db), "the server owes an answer and is silent");
    assert_false(db_is_up(f.db));
    call_wait(f.reactor, &call);
    assert_true(call.repeated);
    assert_int_equal(kill(session, SIGCONT), 0);
    loop_until(f.reactor, is_well, f.db);
    db_fixture_close(&f);
}

static const struct {
    const char *what, *url, *text;
} malformed[] = {
    { "no such parameter", "host=/tmp pasword=hunter2",
      "cannot read the connection string: invalid connection option \"\"" },
    { "not a string of pairs", "postgres//u:hunter2@h/d",
      "cannot read the connection string: missing \"\" after \"\" in connection info "
      "string" },
    { "no such parameter in a URI", "postgresql://h/d?hunter2=1",
      "cannot read the connection string: invalid URI query parameter: \"\"" },
};

static void a_malformed_connection_string_is_refused_without_showing_it(void **st)
{
    struct reactor *r;
    struct err err = { 0 };

    (void)st;
    assert_int_equal(reactor_open(&r, &err), OUTCOME_OK);
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        const struct db_settings set = { .url = (char *)malformed[i].url };
        struct db *db = NULL;

        print_message("%s\n", malformed[i].what);
        assert_int_equal(db_open(&db, r, &set, "db test", NULL, &err), OUTCOME_REJECT);
        assert_null(db);
        assert_string_equal(err.text, malformed[i].text);
    }
    reactor_close(r);
}

static void assert_metric(struct metrics *m, const char *line)
{
    struct buf text = BUF_INIT(1 << 16);

    metrics_render(m, &text);
    if (!strstr(buf_text(&text), line))
        fail_msg("no %s in\n%s", line, buf_text(&text));
    buf_free(&text);
}

#define CONNECTION "connection=\"db test\""

static void metrics_tell_of_statements_repeats_and_reconnects(void **st)
{
    const struct db_statement *const group[] = { &db_one, &db_one };
    struct db_args *args[] = { db_args_new(), db_args_new() };
    struct load *load = xcalloc(1, sizeof(*load));
    struct db_fixture *f = &load->f;
    struct call call = { 0 };

    db_fixture_open(f, *st);
    db_submit_group(f->db, group, args, COUNT_OF(group), call_done, &call);
    call_wait(f->reactor, &call);
    assert_metric(f->metrics, "smsq_db_up{" CONNECTION "} 1\n");
    assert_metric(f->metrics, "smsq_db_statements_total{" CONNECTION "} 2\n");
    assert_metric(f->metrics, "smsq_db_retries_total{" CONNECTION "} 0\n");
    assert_metric(f->metrics, "smsq_db_reconnects_total{" CONNECTION "} 0\n");

    db_submit(f->db, &db_nap, db_args_new(), call_done, &load->nap);
    loop_until(f->reactor, db_is_napping, f->pg);
    pg_down(*st, PG_IMMEDIATE);
    loop_until(f->reactor, db_is_in_trouble, f->db);
    assert_metric(f->metrics, "smsq_db_up{" CONNECTION "} 0\n");
    pg_up(*st);
    call_wait(f->reactor, &load->nap);
    assert_metric(f->metrics, "smsq_db_up{" CONNECTION "} 1\n");
    assert_metric(f->metrics, "smsq_db_statements_total{" CONNECTION "} 3\n");
    assert_metric(f->metrics, "smsq_db_retries_total{" CONNECTION "} 1\n");
    assert_metric(f->metrics, "smsq_db_reconnects_total{" CONNECTION "} 1\n");
    assert_metric(f->metrics, "smsq_db_seconds_bucket{" CONNECTION
                              ",statement=\"one\",le=\"1\"} 1\n");
    assert_metric(f->metrics,
                  "smsq_db_seconds_count{" CONNECTION ",statement=\"nap\"} 1\n");
    db_fixture_close(f);
    free(load);
}

static void check_session(const struct db_answer *answer)
{
    assert_string_equal(db_text(answer->rows, 0, 0),
                        "db test|off|off|off|off|force_generic_plan|7s|1s|10s|on|UTF8");
}

static void a_session_has_our_settings_and_the_urls_options_over_them(void **st)
{
    static const struct db_statement statement = {
        "session",
        "SELECT concat_ws('|', current_setting('application_name'),"
        " current_setting('enable_nestloop'), current_setting('enable_mergejoin'),"
        " current_setting('enable_seqscan'), current_setting('jit'),"
        " current_setting('plan_cache_mode'), current_setting('statement_timeout'),"
        " current_setting('lock_timeout'),"
        " current_setting('idle_in_transaction_session_timeout'),"
        " current_setting('synchronous_commit'),"
        " current_setting('client_encoding'))"
    };
    struct db_fixture f = { .pg = *st };
    struct call call = { .check = check_session };
    struct err err = { 0 };
    struct buf url = BUF_INIT(1000);

    buf_addf(&url, "%s&options=-c%%20statement_timeout%%3D7s", pg_url(*st));
    const struct db_settings set = { .url = url.bytes };
    assert_int_equal(reactor_open(&f.reactor, &err), OUTCOME_OK);
    assert_int_equal(db_open(&f.db, f.reactor, &set, "db test", NULL, &err), OUTCOME_OK);
    buf_free(&url);
    db_run(&f, &statement, db_args_new(), &call);
    assert_string_equal(call.reason, "");
    db_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fast_restart_under_load_is_survived_in_order),
        cmocka_unit_test(a_crash_of_the_server_under_load_is_survived_in_order),
        cmocka_unit_test(statements_are_prepared_again_on_a_new_connection),
        cmocka_unit_test(an_unreachable_server_is_connected_to_when_it_comes),
        cmocka_unit_test(a_frozen_session_is_given_up_and_its_requests_repeated),
        cmocka_unit_test(a_malformed_connection_string_is_refused_without_showing_it),
        cmocka_unit_test(metrics_tell_of_statements_repeats_and_reconnects),
        cmocka_unit_test(a_session_has_our_settings_and_the_urls_options_over_them),
    };
    return cmocka_run_group_tests(tests, db_group_start, db_group_stop);
}
