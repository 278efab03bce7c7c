// What goes into a statement and what comes out, and how errors stay where they belong.
#include "db_calls.h"
#include "reactor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char id[16] = { 0x01, 0x93, 0x4f, 1, 2,  3,  4,  5,
                                      6,    7,    8,    9, 10, 11, 12, 0xff };
static const int64_t ten_o_clock_us = INT64_C(1795255200123456);  // see the SQL

static void check_scalars(const struct db_answer *answer)
{
    const struct db_result *r = answer->rows;
    size_t len;

    assert_true(db_bool(r, 0, 0));
    assert_int_equal(db_int(r, 0, 1), INT64_MIN);
    assert_int_equal(db_int(r, 0, 2), INT32_MIN);
    assert_string_equal(db_text(r, 0, 3), "né\n'");
    assert_memory_equal(db_bytes(r, 0, 4, &len), "\0\xff", 2);
    assert_int_equal(len, 2);
    assert_memory_equal(db_uuid(r, 0, 5), id, sizeof(id));
    assert_int_equal(db_time_us(r, 0, 6), ten_o_clock_us);
    assert_int_equal(db_time_us(r, 0, 7), INT64_MAX);
    assert_string_equal(db_text(r, 0, 8), "");
    for (int column = 9; column < 14; column++)
        assert_true(db_is_null(r, 0, column));
    assert_false(db_is_null(r, 0, 8));
    assert_true(db_bool(r, 0, 14));
}

static void every_scalar_and_its_null_come_back_and_mean_the_same_to_the_server(void **st)
{
    static const struct db_statement statement = {
        "scalars",
        "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::text,"
        " $1 AND $2 = -9223372036854775808 AND $3 = -2147483648 AND $4 = E'n\\u00e9\\n'''"
        " AND $5 = '\\x00ff' AND $6 = '01934f01-0203-0405-0607-08090a0b0cff'"
        " AND $7 = '2026-11-21 10:00:00.123456+00' AND $8 = 'infinity' AND $9 = ''",
    };
    struct db_fixture f;
    struct call call = { .check = check_scalars };
    struct db_args *args = db_args_new();

    db_fixture_open(&f, *st);
    db_args_bool(args, true);
    db_args_int8(args, INT64_MIN);
    db_args_int4(args, INT32_MIN);
    db_args_text(args, "né\n'");
    db_args_bytes(args, "\0\xff", 2);
    db_args_uuid(args, id);
    db_args_time(args, ten_o_clock_us);
    db_args_time(args, INT64_MAX);
    db_args_text(args, "");
    db_args_text(args, NULL);
    db_args_bytes(args, NULL, 0);
    db_args_uuid(args, NULL);
    db_args_time(args, INT64_MIN);
    db_args_null(args);
    db_run(&f, &statement, args, &call);
    assert_string_equal(call.reason, "");
    assert_int_equal(call.rows, 1);
    db_fixture_close(&f);
}

static void add_arrays(struct db_args *a)
{
    static const int64_t most[] = { INT16_MAX, INT32_MAX, INT64_MAX, 1 };
    static const int64_t least[] = { INT16_MIN, INT32_MIN, INT64_MIN, 0 };
    static const enum db_type ints[] = { DB_INT2, DB_INT4, DB_INT8, DB_BOOL };

    for (size_t i = 0; i < COUNT_OF(ints); i++) {
        db_args_array(a, ints[i], 3);
        db_args_add_int(a, most[i]);
        db_args_add_null(a);
        db_args_add_int(a, least[i]);
    }
    db_args_array(a, DB_UUID, 3);
    db_args_add_uuid(a, id);
    db_args_add_uuid(a, NULL);
    db_args_add_uuid(a, id);
    db_args_array(a, DB_TEXT, 3);
    db_args_add_text(a, "ünï");
    db_args_add_text(a, NULL);
    db_args_add_text(a, "");
    db_args_array(a, DB_BYTEA, 3);
    db_args_add_bytes(a, "\0\xff", 2);
    db_args_add_bytes(a, NULL, 0);
    db_args_add_bytes(a, "", 0);
    db_args_array(a, DB_TIME, 3);
    db_args_add_time(a, ten_o_clock_us);
    db_args_add_time(a, INT64_MIN);
    db_args_add_time(a, 0);
}

static void check_arrays(const struct db_answer *answer)
{
    const struct db_result *r = answer->rows;
    size_t len;

    assert_int_equal(db_rows(r), 3);
    for (int column = 0; column < 8; column++)
        assert_true(db_is_null(r, 1, column));
    assert_int_equal(db_int(r, 0, 0), INT16_MAX);
    assert_int_equal(db_int(r, 2, 0), INT16_MIN);
    assert_int_equal(db_int(r, 0, 1), INT32_MAX);
    assert_int_equal(db_int(r, 2, 1), INT32_MIN);
    assert_int_equal(db_int(r, 0, 2), INT64_MAX);
    assert_int_equal(db_int(r, 2, 2), INT64_MIN);
    assert_true(db_bool(r, 0, 3));
    assert_false(db_bool(r, 2, 3));
    assert_memory_equal(db_uuid(r, 2, 4), id, sizeof(id));
    assert_string_equal(db_text(r, 0, 5), "ünï");
    assert_string_equal(db_text(r, 2, 5), "");
    assert_memory_equal(db_bytes(r, 0, 6, &len), "\0\xff", 2);
    assert_int_equal(len, 2);
    (void)db_bytes(r, 2, 6, &len);
    assert_int_equal(len, 0);
    assert_int_equal(db_time_us(r, 0, 7), ten_o_clock_us);
    assert_int_equal(db_time_us(r, 2, 7), 0);
}

static void arrays_of_every_type_come_back_with_their_nulls(void **st)
{
    static const struct db_statement statement = {
        "arrays", "SELECT * FROM unnest($1::int2[], $2::int4[], $3::int8[], $4::bool[],"
                  " $5::uuid[], $6::text[], $7::bytea[], $8::timestamptz[])"
    };
    struct db_fixture f;
    struct call call = { .check = check_arrays };
    struct db_args *args = db_args_new();

    db_fixture_open(&f, *st);
    add_arrays(args);
    db_run(&f, &statement, args, &call);
    assert_string_equal(call.reason, "");
    db_fixture_close(&f);
}

static void check_true(const struct db_answer *answer)
{
    assert_true(db_bool(answer->rows, 0, 0));
}

static void arrays_mean_the_same_to_the_server(void **st)
{
    static const struct db_statement statement = {
        "literals",
        "SELECT $1 = '{32767,NULL,-32768}'::int2[]"
        " AND $2 = '{2147483647,NULL,-2147483648}'::int4[]"
        " AND $3 = '{9223372036854775807,NULL,-9223372036854775808}'::int8[]"
        " AND $4 = '{t,NULL,f}'::bool[] AND $5[1] = $5[3] AND $5[2] IS NULL"
        " AND $5[1] = '01934f01-0203-0405-0607-08090a0b0cff'"
        " AND $6 = ARRAY[U&'\\00fcn\\00ef', NULL, ''] AND $7 = ARRAY['\\x00ff'::bytea,"
        " NULL, ''] AND $8 = ARRAY['2026-11-21 10:00:00.123456+00'::timestamptz, NULL,"
        " '1970-01-01 00:00:00+00']",
    };
    struct db_fixture f;
    struct call call = { .check = check_true };
    struct db_args *args = db_args_new();

    db_fixture_open(&f, *st);
    add_arrays(args);
    db_run(&f, &statement, args, &call);
    assert_string_equal(call.reason, "");
    db_fixture_close(&f);
}

static void empty_arrays_are_arrays_without_rows(void **st)
{
    static const struct db_statement statement = {
        "empty", "SELECT count(*) = 0 AND cardinality($1) = 0 AND cardinality($2) = 0"
                 " AND cardinality($3) = 0"
                 " FROM unnest($1::uuid[], $2::text[], $3::timestamptz[])"
    };
    struct db_fixture f;
    struct call call = { .check = check_true };
    struct db_args *args = db_args_new();

    db_fixture_open(&f, *st);
    db_args_array(args, DB_UUID, 0);
    db_args_array(args, DB_TEXT, 0);
    db_args_array(args, DB_TIME, 0);
    db_run(&f, &statement, args, &call);
    assert_string_equal(call.reason, "");
    assert_int_equal(call.rows, 1);
    db_fixture_close(&f);
}

static void a_null_without_type_does_not_fix_the_type(void **st)
{
    static const struct db_statement statement = { "typed_later",
                                                   "SELECT coalesce($1::int, 7) = 7" };
    struct db_fixture f;
    struct call first = { .check = check_true }, second = { .check = check_true };
    struct db_args *null = db_args_new(), *seven = db_args_new();

    db_fixture_open(&f, *st);
    db_args_null(null);
    db_args_int8(seven, 7);
    db_run(&f, &statement, null, &first);
    db_run(&f, &statement, seven, &second);
    assert_string_equal(first.reason, "");
    assert_string_equal(second.reason, "");
    db_fixture_close(&f);
}

static const struct db_statement insert_pair = { "insert_pair",
                                                 "INSERT INTO pairs VALUES ($1, $2)" };
static const struct db_statement count_pairs = { "count_pairs",
                                                 "SELECT count(*) = 2 FROM pairs" };

static struct db_args *pair(int32_t key, int32_t value)
{
    struct db_args *args = db_args_new();
    db_args_int4(args, key);
    db_args_int4(args, value);
    return args;
}

static void make_pairs(struct pg *pg)
{
    pg_exec(pg, "DROP TABLE IF EXISTS pairs");
    pg_exec(pg, "CREATE TABLE pairs (k int PRIMARY KEY, v int CHECK (v > 0))");
}

static void a_group_is_one_transaction_and_answers_with_its_last_rows(void **st)
{
    const struct db_statement *const group[] = { &insert_pair, &insert_pair,
                                                 &count_pairs };
    struct db_args *args[] = { pair(1, 1), pair(2, 1), db_args_new() };
    struct db_fixture f;
    struct call call = { .check = check_true };

    make_pairs(*st);
    db_fixture_open(&f, *st);
    db_submit_group(f.db, group, args, COUNT_OF(group), call_done, &call);
    call_wait(f.reactor, &call);
    assert_string_equal(call.reason, "");
    assert_int_equal(call.rows, 1);
    assert_int_equal(pg_int(f.pg, "SELECT count(DISTINCT xmin::text) FROM pairs"), 1);
    db_fixture_close(&f);
}

static void a_group_whose_second_statement_fails_leaves_nothing(void **st)
{
    const struct db_statement *const group[] = { &insert_pair, &insert_pair };
    struct db_args *args[] = { pair(1, 1), pair(1, 1) };
    struct db_fixture f;
    struct call call = { 0 };

    make_pairs(*st);
    db_fixture_open(&f, *st);
    db_submit_group(f.db, group, args, COUNT_OF(group), call_done, &call);
    call_wait(f.reactor, &call);
    assert_int_equal(call.rc, OUTCOME_REJECT);
    assert_string_equal(call.sqlstate, "23505");
    assert_string_equal(call.reason, "insert_pair: duplicate key value violates unique "
                                     "constraint \"pairs_pkey\"");
    assert_int_equal(pg_int(f.pg, "SELECT count(*) FROM pairs"), 0);
    db_fixture_close(&f);
}

static void a_failure_at_commit_is_a_failure_of_the_request(void **st)
{
    struct db_fixture f;
    struct call bad = { 0 }, good = { 0 };

    make_pairs(*st);
    pg_exec(*st, "ALTER TABLE pairs ADD FOREIGN KEY (v) REFERENCES pairs (k)"
                 " DEFERRABLE INITIALLY DEFERRED");
    db_fixture_open(&f, *st);
    db_submit(f.db, &insert_pair, pair(1, 5), call_done, &bad);
    db_submit(f.db, &insert_pair, pair(2, 2), call_done, &good);
    call_wait(f.reactor, &good);
    assert_int_equal(bad.rc, OUTCOME_REJECT);
    assert_string_equal(bad.sqlstate, "23503");
    assert_int_equal(good.rc, OUTCOME_OK);
    assert_int_equal(good.affected, 1);
    assert_int_equal(pg_int(f.pg, "SELECT sum(k) FROM pairs"), 2);
    db_fixture_close(&f);
}

static void a_refused_request_leaves_its_neighbours_alone_and_in_order(void **st)
{
    enum { COUNT = 60 };
    struct db_fixture f;
    struct call calls[COUNT] = { 0 };

    make_pairs(*st);
    db_fixture_open(&f, *st);
    for (int i = 0; i < COUNT; i++)  // each seventh is refused by the CHECK
        db_submit(f.db, &insert_pair, pair(i, i % 7), call_done, &calls[i]);
    assert_int_equal(db_in_flight(f.db), COUNT);
    call_wait(f.reactor, &calls[COUNT - 1]);
    assert_int_equal(db_in_flight(f.db), 0);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(calls[i].answers, 1);
        assert_int_equal(calls[i].rc, i % 7 ? OUTCOME_OK : OUTCOME_REJECT);
        assert_string_equal(calls[i].sqlstate, i % 7 ? "" : "23514");
        assert_false(calls[i].repeated);
        assert_true(i == 0 || calls[i].order > calls[i - 1].order);
    }
    assert_int_equal(pg_int(f.pg, "SELECT count(*) FROM pairs"), COUNT - (COUNT + 6) / 7);
    db_fixture_close(&f);
}

static void a_statement_that_cannot_be_prepared_is_tried_anew_each_time(void **st)
{
    static const struct db_statement statement = {
        "early", "INSERT INTO latecomers DEFAULT VALUES"
    };
    struct db_fixture f;
    struct call before[3] = { 0 }, after = { 0 };

    db_fixture_open(&f, *st);
    for (size_t i = 0; i < COUNT_OF(before); i++)
        db_submit(f.db, &statement, db_args_new(), call_done, &before[i]);
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        call_wait(f.reactor, &before[i]);
        assert_int_equal(before[i].rc, OUTCOME_REJECT);
        assert_string_equal(before[i].sqlstate, "42P01");
    }
    pg_exec(f.pg, "CREATE TABLE latecomers (k int)");
    db_run(&f, &statement, db_args_new(), &after);
    assert_string_equal(after.reason, "");
    assert_int_equal(pg_int(f.pg, "SELECT count(*) FROM latecomers"), 1);
    db_fixture_close(&f);
}

enum { BIG_BYTES = 1 << 21 };

static void check_big(const struct db_answer *answer)
{
    size_t len;
    (void)db_bytes(answer->rows, 0, 0, &len);
    assert_int_equal(len, 2 * BIG_BYTES);
}

// Both sides have more to say than the socket holds: who only writes would wait for ever.
static void megabytes_in_both_directions_do_not_block_the_pipeline(void **st)
{
    static const struct db_statement statement = { "big", "SELECT $1::text || $1" };
    struct db_fixture f;
    struct call calls[20] = { 0 };
    char *text = xcalloc(1, BIG_BYTES + 1);

    memset(text, 'x', BIG_BYTES);
    db_fixture_open(&f, *st);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        struct db_args *args = db_args_new();
        db_args_text(args, text);
        calls[i].check = check_big;
        db_submit(f.db, &statement, args, call_done, &calls[i]);
    }
    call_wait(f.reactor, &calls[COUNT_OF(calls) - 1]);
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        assert_int_equal(calls[i].rc, OUTCOME_OK);
    free(text);
    db_fixture_close(&f);
}

static void closing_with_requests_in_hand_calls_nobody(void **st)
{
    struct db_fixture f;
    struct call calls[40] = { 0 };

    make_pairs(*st);
    db_fixture_open(&f, *st);
    for (int i = 0; i < (int)COUNT_OF(calls); i++)
        db_submit(f.db, &insert_pair, pair(i, 1), call_done, &calls[i]);
    loop_once(f.reactor);
    db_fixture_close(&f);
    assert_int_equal(calls[COUNT_OF(calls) - 1].answers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            every_scalar_and_its_null_come_back_and_mean_the_same_to_the_server),
        cmocka_unit_test(arrays_of_every_type_come_back_with_their_nulls),
        cmocka_unit_test(arrays_mean_the_same_to_the_server),
        cmocka_unit_test(empty_arrays_are_arrays_without_rows),
        cmocka_unit_test(a_null_without_type_does_not_fix_the_type),
        cmocka_unit_test(a_group_is_one_transaction_and_answers_with_its_last_rows),
        cmocka_unit_test(a_group_whose_second_statement_fails_leaves_nothing),
        cmocka_unit_test(a_failure_at_commit_is_a_failure_of_the_request),
        cmocka_unit_test(a_refused_request_leaves_its_neighbours_alone_and_in_order),
        cmocka_unit_test(a_statement_that_cannot_be_prepared_is_tried_anew_each_time),
        cmocka_unit_test(megabytes_in_both_directions_do_not_block_the_pipeline),
        cmocka_unit_test(closing_with_requests_in_hand_calls_nobody),
    };
    return cmocka_run_group_tests(tests, db_group_start, db_group_stop);
}
