// Requests that wait for news of their message: who is told what, and how PostgreSQL is
// asked.
#include "waits.h"

#include "metrics.h"
#include "reactor.h"
#include "store_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 60, LONG_US = 20000000, SHORT_US = 300000, POLL_US = 50000 };

struct waiter {
    struct wait wait;
    int ends;
    bool known;
    char sid[40], status[20], reason[20];
    int32_t error_code;
};

struct fixture {
    struct db_fixture db;
    struct waits *waits;
    struct waiter waiters[MAX + 1];
};

static int start(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    db_fixture_open(&f->db, *state);
    pg_exec(f->db.pg, "truncate messages");
    f->waits = waits_new(f->db.reactor, f->db.db, MAX, f->db.metrics);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;

    waits_free(f->waits);
    db_fixture_close(&f->db);
    free(f);
    return 0;
}

static void on_news(void *arg, const struct wait_news *news)
{
    struct waiter *w = arg;

    w->ends++;
    w->known = news != NULL;
    if (!news)
        return;
    (void)snprintf(w->sid, sizeof(w->sid), "%s", news->sid ? news->sid : "-");
    (void)snprintf(w->status, sizeof(w->status), "%s", news->status);
    (void)snprintf(w->reason, sizeof(w->reason), "%s", news->reason ? news->reason : "-");
    w->error_code = news->error_code;
}

// The number of a waiter ends the id of its message.
static bool begin(struct fixture *f, int number, int64_t wait_us)
{
    struct waiter *w = &f->waiters[number];
    const int64_t ms = clock_wall_us() / 1000;

    *w = (struct waiter){
        .wait = { .until_us = clock_boot_us() + wait_us, .done = on_news, .arg = w }
    };
    for (int i = 0; i < 6; i++)
        w->wait.message_id[i] = (unsigned char)(ms >> (40 - 8 * i));
    w->wait.message_id[6] = 0x70;
    w->wait.message_id[8] = 0x80;
    w->wait.message_id[14] = (unsigned char)(number >> 8);
    w->wait.message_id[15] = (unsigned char)number;
    return waits_begin(f->waits, &w->wait);
}

static bool has_ended(void *arg)
{
    return ((struct waiter *)arg)->ends > 0;
}

static void wait_for(struct fixture *f, int number)
{
    loop_until(f->db.reactor, has_ended, &f->waiters[number]);
    assert_int_equal(f->waiters[number].ends, 1);
}

static void enter(struct fixture *f, int number, const char *columns, const char *values)
{
    char sql[512], id[33];

    hex_encode(id, f->waiters[number].wait.message_id, 16);
    (void)snprintf(sql, sizeof(sql),
                   "insert into messages (message_id, client, turn, %s)"
                   " values ('%s', 7, 1, %s)",
                   columns, id, values);
    pg_exec(f->db.pg, sql);
}

#define SID "SM00112233445566778899aabbccddeeff"

static void who_waits_is_told_a_sid_or_an_end(void **state)
{
    static const struct {
        const char *columns, *values, *sid, *status, *reason;
        int error_code;
    } cases[] = {
        { "status, rank, twilio_sid", "'queued', 30, '" SID "'", SID, "queued", "-", 0 },
        { "status, rank, twilio_sid", "'delivered', 75, '" SID "'", SID, "delivered", "-",
          0 },
        { "status, rank, reason, error_code", "'failed', 70, 'rejected', 21211", "-",
          "failed", "rejected", 21211 },
        { "status, rank, reason", "'expired', 25, 'too_late'", "-", "expired", "too_late",
          0 },
    };
    struct fixture *f = *state;

    for (int i = 0; i < (int)COUNT_OF(cases); i++) {
        assert_true(begin(f, i, LONG_US));
        enter(f, i, cases[i].columns, cases[i].values);
        wait_for(f, i);
        const struct waiter *w = &f->waiters[i];
        assert_true(w->known);
        assert_string_equal(w->sid, cases[i].sid);
        assert_string_equal(w->status, cases[i].status);
        assert_string_equal(w->reason, cases[i].reason);
        assert_int_equal(w->error_code, cases[i].error_code);
    }
}

static void what_is_on_its_way_is_waited_for_until_it_is_time(void **state)
{
    struct fixture *f = *state;

    assert_true(begin(f, 0, SHORT_US));
    assert_true(begin(f, 1, SHORT_US));
    assert_true(begin(f, 2, SHORT_US));
    enter(f, 0, "status, rank, claimed_epoch", "'claimed', 10, 1");
    enter(f, 1, "status, rank, reason", "'waiting', 0, 'not_sent'");
    for (int i = 0; i < 3; i++) {
        wait_for(f, i);
        assert_false(f->waiters[i].known);
        assert_true(clock_boot_us() >= f->waiters[i].wait.until_us);
    }
}

static void one_statement_asks_for_all_one_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct metric *statements = metrics_counter(f->db.metrics, "smsq_db_statements_total",
                                                "connection=\"db test\"", "");
    uint64_t before = metric_count(statements);
    int64_t began_us = clock_boot_us();

    for (int i = 0; i < MAX; i++)
        assert_true(begin(f, i, LONG_US));
    assert_false(begin(f, MAX, LONG_US));  // no room
    for (int i = 0; i < MAX; i++)
        enter(f, i, "status, rank, twilio_sid", "'queued', 30, '" SID "'");
    for (int i = 0; i < MAX; i++)
        wait_for(f, i);
    uint64_t asked = metric_count(statements) - before;
    assert_true(asked >= 1);
    assert_true((int64_t)asked <= (clock_boot_us() - began_us) / POLL_US);
    assert_true(begin(f, MAX, SHORT_US));
    wait_for(f, MAX);
}

static void requests_for_one_message_are_told_together(void **state)
{
    struct fixture *f = *state;

    assert_true(begin(f, 0, LONG_US));
    assert_true(begin(f, 1, LONG_US));
    memcpy(f->waiters[1].wait.message_id, f->waiters[0].wait.message_id, 16);
    enter(f, 0, "status, rank, twilio_sid", "'queued', 30, '" SID "'");
    wait_for(f, 0);
    wait_for(f, 1);
    assert_true(f->waiters[0].known && f->waiters[1].known);
}

static void without_postgresql_it_ends_when_it_is_time(void **state)
{
    struct fixture *f = *state;

    assert_true(begin(f, 0, SHORT_US));
    pg_down(f->db.pg, PG_IMMEDIATE);
    wait_for(f, 0);
    assert_false(f->waiters[0].known);
    assert_true(begin(f, 1, LONG_US));
    pg_up(f->db.pg);
    enter(f, 1, "status, rank, twilio_sid", "'queued', 30, '" SID "'");
    wait_for(f, 1);
    assert_true(f->waiters[1].known);
}

static void a_stop_ends_all_and_nobody_waits_any_more(void **state)
{
    struct fixture *f = *state;

    assert_true(begin(f, 0, LONG_US));
    assert_true(begin(f, 1, LONG_US));
    waits_stop(f->waits);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(f->waiters[i].ends, 1);
        assert_false(f->waiters[i].known);
    }
    assert_false(begin(f, 2, LONG_US));
    assert_int_equal(f->waiters[2].ends, 0);
}

static bool has_gone(const void *arg)
{
    return ((const struct waiter *)arg)->wait.message_id[15] == 1;
}

static void who_goes_away_makes_room(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < MAX; i++) {
        assert_true(begin(f, i, LONG_US));
        f->waiters[i].wait.is_abandoned = has_gone;
    }
    assert_false(begin(f, MAX, LONG_US));
    wait_for(f, 1);
    assert_false(f->waiters[1].known);
    assert_int_equal(f->waiters[0].ends + f->waiters[2].ends, 0);
    assert_true(begin(f, MAX, LONG_US));
}

static void it_is_no_use_to_wait_when_the_time_is_over(void **state)
{
    struct fixture *f = *state;

    assert_false(begin(f, 0, 0));
    assert_int_equal(f->waiters[0].ends, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(who_waits_is_told_a_sid_or_an_end),
        TEST(what_is_on_its_way_is_waited_for_until_it_is_time),
        TEST(one_statement_asks_for_all_one_at_a_time),
        TEST(requests_for_one_message_are_told_together),
        TEST(without_postgresql_it_ends_when_it_is_time),
        TEST(a_stop_ends_all_and_nobody_waits_any_more),
        TEST(who_goes_away_makes_room),
        TEST(it_is_no_use_to_wait_when_the_time_is_over),
    };

    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
