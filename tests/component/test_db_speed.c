// What building and sending rows costs. Figures are printed; only the rows are checked.
#include "db_calls.h"
#include "reactor.h"

#include <string.h>
#include <time.h>

enum { ROWS = 500, BATCHES = 200, COLUMNS = 15 };

static const struct db_statement insert = {
    "insert_wide",
    "INSERT INTO wide SELECT * FROM unnest($1::uuid[], $2::int[], $3::int8[], $4::int8[],"
    " $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[],"
    " $11::int2[], $12::int8[], $13::timestamptz[], $14::timestamptz[], $15::bool[])"
    " ON CONFLICT (c1) DO NOTHING RETURNING c1"
};

static int64_t cpu_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void add_ids(struct db_args *a, uint32_t batch)
{
    unsigned char id[16] = { 0x01, 0x93 };

    db_args_array(a, DB_UUID, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t number = batch * ROWS + i;
        for (int byte = 0; byte < 4; byte++)
            id[15 - byte] = (unsigned char)(number >> 8 * byte);
        db_args_add_uuid(a, id);
    }
}

static void add_ints(struct db_args *a, enum db_type type)
{
    db_args_array(a, type, ROWS);
    for (int i = 0; i < ROWS; i++)
        db_args_add_int(a, i & 1);
}

static void add_texts(struct db_args *a, const char *text)
{
    db_args_array(a, DB_TEXT, ROWS);
    for (int i = 0; i < ROWS; i++)
        db_args_add_text(a, text);
}

static void add_bytes(struct db_args *a, size_t len)
{
    static const char bytes[128];

    db_args_array(a, DB_BYTEA, ROWS);
    for (int i = 0; i < ROWS; i++)
        db_args_add_bytes(a, bytes, len);
}

static void add_times(struct db_args *a)
{
    int64_t now_us = clock_wall_us();

    db_args_array(a, DB_TIME, ROWS);
    for (int i = 0; i < ROWS; i++)
        db_args_add_time(a, now_us + i);
}

static struct db_args *build(uint32_t batch)
{
    struct db_args *a = db_args_new();

    add_ids(a, batch);
    add_ints(a, DB_INT4);
    add_ints(a, DB_INT8);
    add_ints(a, DB_INT8);
    add_texts(a, "transactional");
    add_texts(a, "sms");
    add_texts(a, "+41 ... 567");
    add_texts(a, "otp_login@3");
    add_bytes(a, 32);
    add_bytes(a, 128);
    add_ints(a, DB_INT2);
    add_ints(a, DB_INT8);
    add_times(a);
    add_times(a);
    add_ints(a, DB_BOOL);
    return a;
}

static void prints_what_building_fifteen_columns_costs(void **st)
{
    (void)st;
    int64_t start_us = cpu_us();
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        struct db_args *a = build(batch);
        assert_non_null(a);
        db_args_free(a);
    }
    int64_t spent_us = cpu_us() - start_us;
    print_message("build: %.3f us per row of %d columns\n",
                  (double)spent_us / (ROWS * BATCHES), COLUMNS);
}

static bool is_idle(void *arg)
{
    return db_in_flight(arg) == 0;
}

static void prints_the_rate_of_pipelined_inserts(void **st)
{
    static struct call calls[BATCHES];
    struct db_fixture f;

    pg_exec(*st,
            "CREATE TABLE wide (c1 uuid PRIMARY KEY, c2 int, c3 int8, c4 int8, c5 text,"
            " c6 text, c7 text, c8 text, c9 bytea, c10 bytea, c11 int2, c12 int8,"
            " c13 timestamptz, c14 timestamptz, c15 bool)");
    db_fixture_open(&f, *st);
    int64_t start_us = clock_boot_us(), start_cpu_us = cpu_us();
    for (uint32_t batch = 0; batch < BATCHES; batch++)
        db_submit(f.db, &insert, build(batch), call_done, &calls[batch]);
    loop_until(f.reactor, is_idle, f.db);
    double rows = (double)ROWS * BATCHES;
    print_message("insert: %.0f rows/s, client %.3f us of CPU per row\n",
                  rows * 1e6 / (double)(clock_boot_us() - start_us),
                  (double)(cpu_us() - start_cpu_us) / rows);
    for (size_t i = 0; i < BATCHES; i++)
        assert_int_equal(calls[i].rows, ROWS);
    assert_int_equal(pg_int(f.pg, "SELECT count(*) FROM wide"), ROWS * BATCHES);
    db_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_what_building_fifteen_columns_costs),
        cmocka_unit_test(prints_the_rate_of_pipelined_inserts),
    };
    return cmocka_run_group_tests(tests, db_group_start, db_group_stop);
}
