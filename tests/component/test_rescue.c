// What is done about workers that beat no more, and about their claims.
#include "store_ask.h"

#include "metrics.h"
#include "reactor.h"
#include "rescuer.h"
#include "store_claims.h"
#include "store_rescue.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { UNKNOWN_US = 45000000 };

static void worker(struct db_fixture *f, int epoch, const char *beat_ago,
                   const char *dead_ago)
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql),
                   "insert into workers (epoch, host, pid, version, started_at,"
                   " heartbeat_at, dead_after, rescue_after, dead_at) values (%d, 'h', 1,"
                   " 'v', now(), now() - interval '%s', '150 ms', '10 s', %s)",
                   epoch, beat_ago, dead_ago);
    pg_exec(f->pg, sql);
}

static void message(struct db_fixture *f, int number, int epoch, const char *age,
                    const char *status)
{
    char sql[512];

    (void)snprintf(
        sql, sizeof(sql),
        "with m as (insert into messages (message_id, client, turn, status, rank, lane,"
        " claimed_epoch, claimed_at) select overlay(first_id_of_month(now()::date)::text"
        " placing '%04d' from 33 for 4)::uuid, 1, 1, '%s', 10, 'normal', %d,"
        " now() - interval '%s' returning *)"
        " insert into claim_batches (epoch, number, claimed_at, message_ids)"
        " select claimed_epoch, %d, claimed_at, array[message_id] from m",
        number, status, epoch, age, number);
    pg_exec(f->pg, sql);
}

static void count_rows(const struct db_result *rows, void *arg)
{
    *(size_t *)arg = db_rows(rows);
}

static size_t rescue(struct db_fixture *f, int64_t limit)
{
    size_t count = 0;
    struct ask ask = { count_rows, &count, false };

    store_rescue_claims(f->db, UNKNOWN_US, limit, ask_done, &ask);
    ask_wait(f, &ask);
    return count;
}

static size_t bury(struct db_fixture *f)
{
    size_t count = 0;
    struct ask ask = { count_rows, &count, false };

    store_rescue_bury(f->db, ask_done, &ask);
    ask_wait(f, &ask);
    return count;
}

#define DOUBTED                                                                          \
    "select count(*) from messages m join decisions d using (message_id, turn)"          \
    " where m.status = 'in_doubt' and m.rank = 20 and m.reason = 'worker_died'"          \
    "   and m.claimed_epoch is not null and d.kind = 'in_doubt'"                         \
    "   and d.reason = 'worker_died' and right(m.message_id::text, 4) = '%04d'"

static int64_t doubted(struct db_fixture *f, int number)
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql), DOUBTED, number);
    return pg_int(f->pg, sql);
}

static void claims_of_the_dead_and_the_unknown_are_in_doubt_when_no_post_can_run(
    void **state)
{
    static const struct {
        const char *what;
        int epoch;  // 1 lives, 2 is dead, 3 is unknown
        const char *age, *status;
        int64_t is_doubted;
    } cases[] = {
        { "of a living one, old", 1, "1 h", "claimed", 0 },
        { "of a dead one, old", 2, "11 s", "claimed", 1 },
        { "of a dead one, its POST may run", 2, "9 s", "claimed", 0 },
        { "of a dead one, in doubt already", 2, "1 h", "in_doubt", 0 },
        { "of an unknown one, old", 3, "46 s", "claimed", 1 },
        { "of an unknown one, young", 3, "44 s", "claimed", 0 },
    };
    struct db_fixture *f = *state;

    worker(f, 1, "1 h", "null");  // nobody has buried it yet
    worker(f, 2, "1 h", "now() - interval '1 h'");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        message(f, (int)i, cases[i].epoch, cases[i].age, cases[i].status);
    assert_int_equal(rescue(f, 500), 2);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].what);
        assert_int_equal(doubted(f, (int)i), cases[i].is_doubted);
    }
    assert_int_equal(rescue(f, 500), 0);
    assert_int_equal(pg_int(f->pg, "select count(*) from decisions"), 2);
}

static void rescue_takes_a_batch_and_leaves_rows_that_others_hold(void **state)
{
    struct db_fixture *f = *state;
    PGconn *other = PQconnectdb(pg_url(f->pg));

    worker(f, 2, "1 h", "now() - interval '1 h'");
    for (int i = 0; i < 5; i++)
        message(f, i, 2, "1 min", "claimed");
    PQclear(PQexec(other, "begin; select from messages where"
                          " right(message_id::text, 4) = '0003' for update"));
    assert_int_equal(rescue(f, 3), 3);
    assert_int_equal(rescue(f, 3), 1);
    assert_int_equal(doubted(f, 3), 0);
    PQclear(PQexec(other, "rollback"));
    PQfinish(other);
    assert_int_equal(rescue(f, 3), 1);
    assert_int_equal(doubted(f, 3), 1);
}

// The fixture's session is younger than two hours, and then older than 300 ms.
static void who_has_just_connected_buries_nobody(void **state)
{
    struct db_fixture *f = *state;

    worker(f, 1, "3 h", "null");
    pg_exec(f->pg, "update workers set dead_after = '1 h'");
    assert_int_equal(bury(f), 0);
    pg_exec(f->pg, "update workers set dead_after = '150 ms'");
    (void)usleep(400000);
    assert_int_equal(bury(f), 1);
    assert_int_equal(bury(f), 0);
    assert_int_equal(pg_int(f->pg, "select count(*) from workers where dead_at > now() -"
                                   " interval '1 min'"),
                     1);
}

static void whoever_beats_is_not_buried(void **state)
{
    struct db_fixture *f = *state;

    (void)usleep(4200000);  // the session must be older than two deaths
    worker(f, 1, "0 s", "null");
    worker(f, 2, "3 s", "null");
    pg_exec(f->pg, "update workers set dead_after = '2 s'");
    assert_int_equal(bury(f), 1);
    assert_int_equal(pg_int(f->pg, "select epoch from workers where dead_at is not null"),
                     2);
}

static void tidy(struct db_fixture *f)
{
    struct ask ask = { 0 };

    store_rescue_tidy(f->db, ask_done, &ask);
    ask_wait(f, &ask);
}

static void a_batch_goes_when_nothing_of_it_is_held_any_more(void **state)
{
    static const struct {
        const char *what, *change;  // of the first of its two messages
        const char *age;
        int64_t stays;
    } cases[] = {
        { "both have a result", "status = 'queued', claimed_epoch = null", "2 min", 0 },
        { "one is claimed by somebody else", "claimed_epoch = 9", "2 min", 0 },
        { "one is claimed", "rank = 10", "2 min", 1 },
        { "one is in doubt", "status = 'in_doubt'", "2 min", 1 },
        { "it is young", "status = 'queued', claimed_epoch = null", "50 s", 1 },
    };
    struct db_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char sql[512];
        print_message("%s\n", cases[i].what);
        pg_exec(f->pg, "delete from claim_batches; delete from messages");
        message(f, 0, 1, cases[i].age, "claimed");
        message(f, 1, 1, cases[i].age, "claimed");
        pg_exec(f->pg,
                "update messages set status = 'queued', claimed_epoch = null"
                " where right(message_id::text, 4) = '0001';"
                "update claim_batches set message_ids ="
                " array(select message_id from messages order by 1) where number = 0;"
                "delete from claim_batches where number = 1");
        (void)snprintf(sql, sizeof(sql),
                       "update messages set %s where"
                       " right(message_id::text, 4) = '0000'",
                       cases[i].change);
        pg_exec(f->pg, sql);
        tidy(f);
        assert_int_equal(pg_int(f->pg, "select count(*) from claim_batches"),
                         cases[i].stays);
    }
}

static void give_back(struct db_fixture *f, int64_t epoch)
{
    struct ask ask = { 0 };

    store_release(f->db, epoch, NULL, 0, 0, ask_done, &ask);
    ask_wait(f, &ask);
}

#define WAITS                                                                            \
    "select count(*) from messages m join delayed d using (message_id, turn)"            \
    " where m.status = 'waiting' and m.turn = 2"

// The worker that comes back knows by its journal what never began.
static void a_worker_that_comes_back_gives_back_before_or_after_the_rescue(void **state)
{
    struct db_fixture *f = *state;

    worker(f, 2, "1 h", "now() - interval '1 h'");
    message(f, 0, 2, "1 min", "claimed");
    assert_int_equal(rescue(f, 500), 1);
    give_back(f, 2);
    assert_int_equal(pg_int(f->pg, WAITS), 1);
    assert_int_equal(rescue(f, 500), 0);

    message(f, 1, 2, "1 min", "claimed");
    give_back(f, 2);
    assert_int_equal(rescue(f, 500), 0);
    assert_int_equal(pg_int(f->pg, WAITS), 2);
}

static void forget(struct db_fixture *f)
{
    struct ask ask = { 0 };

    store_rescue_forget(f->db, INT64_C(7) * 86400 * 1000000, ask_done, &ask);
    ask_wait(f, &ask);
}

static void the_long_dead_are_forgotten_unless_they_hold_a_message(void **state)
{
    struct db_fixture *f = *state;

    worker(f, 1, "8 days", "null");
    worker(f, 2, "8 days", "now() - interval '6 days'");
    worker(f, 3, "8 days", "now() - interval '8 days'");
    worker(f, 4, "8 days", "now() - interval '8 days'");
    message(f, 0, 4, "8 days", "in_doubt");
    forget(f);
    assert_int_equal(pg_int(f->pg, "select count(*) filter (where epoch <> 3) * 10"
                                   " + count(*) from workers"),
                     33);
}

struct pair {
    struct rescuer *rescuer;
    struct metrics *metrics;
};

static void start(struct db_fixture *f, struct pair *p)
{
    const struct db_settings db = { .url = (char *)pg_url(f->pg) };
    struct err err = { 0 };

    p->metrics = metrics_new();
    assert_int_equal(
        rescuer_open(&p->rescuer, f->reactor, &db, 10000000, p->metrics, &err), 0);
}

static void end(struct pair *p)
{
    rescuer_close(p->rescuer);
    metrics_free(p->metrics);
}

static bool is_rescued(void *arg)
{
    struct db_fixture *f = arg;
    return pg_int(f->pg, "select count(*) from messages where status = 'in_doubt'") == 1;
}

static bool has_stopped(void *arg)
{
    const struct pair *p = arg;
    return rescuer_is_idle(p->rescuer);
}

static uint64_t buried(const struct pair *p)
{
    return metric_count(
        metrics_counter(p->metrics, "smsq_workers_buried_total", NULL, ""));
}

static void one_of_two_rescuers_works_and_hands_over_when_it_stops(void **state)
{
    struct db_fixture *f = *state;
    struct pair a, b;

    worker(f, 2, "1 h", "null");
    message(f, 0, 2, "1 min", "claimed");
    start(f, &a);
    loop_until(f->reactor, is_rescued, f);
    assert_int_equal(buried(&a), 1);
    start(f, &b);
    rescuer_stop(a.rescuer);
    loop_until(f->reactor, has_stopped, &a);
    pg_exec(f->pg, "truncate messages");
    worker(f, 3, "1 h", "null");
    message(f, 0, 3, "1 min", "claimed");
    loop_until(f->reactor, is_rescued, f);
    assert_int_equal(buried(&a), 1);
    assert_int_equal(buried(&b), 1);
    end(&a);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(claims_of_the_dead_and_the_unknown_are_in_doubt_when_no_post_can_run),
        STORE_TEST(rescue_takes_a_batch_and_leaves_rows_that_others_hold),
        STORE_TEST(who_has_just_connected_buries_nobody),
        STORE_TEST(whoever_beats_is_not_buried),
        STORE_TEST(a_worker_that_comes_back_gives_back_before_or_after_the_rescue),
        STORE_TEST(a_batch_goes_when_nothing_of_it_is_held_any_more),
        STORE_TEST(the_long_dead_are_forgotten_unless_they_hold_a_message),
        STORE_TEST(one_of_two_rescuers_works_and_hands_over_when_it_stops),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
