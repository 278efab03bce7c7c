// Rates that several producers share through PostgreSQL, and tokens as a producer holds
// them.
#include "limits.h"
#include "scope.h"
#include "store_access.h"
#include "store_ask.h"
#include "token_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define S_NS INT64_C(1000000000)

static int64_t ahead_us;  // of the latest answer

static void see_ahead(const struct db_result *rows, void *arg)
{
    (void)arg;
    assert_int_equal(db_rows(rows), 1);
    assert_int_equal(db_int(rows, 0, 0), 1);
    ahead_us = db_int(rows, 0, 1);
}

static void pay(struct db_fixture *f, int64_t epoch, int64_t seq, int64_t taken)
{
    const struct rate_taken row = { 1, taken, 10 * S_NS };
    const struct rate_batch batch = { epoch, seq, 0, &row, 1 };
    struct ask ask = { .check = see_ahead };

    store_rates(f->db, &batch, ask_done, &ask);
    ask_wait(f, &ask);
}

// Each costs ten seconds; the test takes far less than five.
static void assert_owed(int64_t count)
{
    assert_in_range(ahead_us, (10 * count - 5) * 1000000, 10 * count * 1000000);
}

static void clean(struct db_fixture *f)
{
    pg_exec(f->pg, "truncate rate_limits, rate_limit_sources");
}

static void producers_pay_into_one_account_and_a_batch_counts_once(void **state)
{
    struct db_fixture *f = *state;

    clean(f);
    pay(f, 11, 1, 3);
    assert_owed(3);
    pay(f, 22, 1, 4);
    assert_owed(7);
    pay(f, 11, 1, 3);  // sent again: its answer was lost
    assert_owed(7);
    pay(f, 11, 2, 1);
    assert_owed(8);
    pay(f, 11, 1, 3);  // and late
    assert_owed(8);
}

static void a_life_that_ended_yesterday_is_forgotten(void **state)
{
    struct db_fixture *f = *state;

    clean(f);
    pay(f, 11, 1, 1);
    pg_exec(f->pg,
            "update rate_limit_sources set written_at = now() - interval '2 days'");
    pay(f, 22, 1, 1);
    assert_int_equal(pg_int(f->pg, "select count(*) from rate_limit_sources"), 1);
    assert_owed(2);
}

// Waits until PostgreSQL has this many requests of the token, and what it said came back.
static bool is_told(void *arg)
{
    struct limit *const *both = arg;

    return both[0]->taken == 0 && both[1]->taken == 0 && !both[0]->is_queued;
}

// Six a minute: before they hear of each other each admits a whole allowance, and no
// more. What was too much is owed to both.
static void two_producers_overshoot_by_one_allowance_and_owe_it(void **state)
{
    struct db_fixture *f = *state;
    struct limit here = { .token_id = 1 }, there = { .token_id = 1 };
    struct limit *both[] = { &here, &there };
    struct limits *a = limits_new(f->reactor, f->db), *b = limits_new(f->reactor, f->db);

    clean(f);
    for (int i = 0; i < 6; i++) {
        assert_true(limits_take(a, &here, 6).granted);
        assert_true(limits_take(b, &there, 6).granted);
    }
    assert_false(limits_take(a, &here, 6).granted);
    assert_false(limits_take(b, &there, 6).granted);
    loop_until(f->reactor, is_told, both);
    struct ask ask = { 0 };  // behind the answers of both
    db_submit(f->db, &db_one, db_args_new(), ask_done, &ask);
    ask_wait(f, &ask);
    // The second to tell has heard of all: twelve were taken, six may come at once.
    int64_t wait_a = limits_take(a, &here, 6).wait_s,
            wait_b = limits_take(b, &there, 6).wait_s;
    assert_in_range(wait_a > wait_b ? wait_a : wait_b, 65, 70);
    limits_free(a);
    limits_free(b);
}

static void without_postgresql_a_limit_still_holds(void **state)
{
    struct db_fixture *f = *state;
    struct limit limit = { .token_id = 1 };
    struct limits *l = limits_new(f->reactor, f->db);
    int granted = 0;

    pg_down(f->pg, PG_IMMEDIATE);
    for (int i = 0; i < 100; i++)
        granted += limits_take(l, &limit, 6).granted;
    assert_int_equal(granted, 6);
    pg_up(f->pg);
    limits_free(l);
}

static bool is_time(void *until_us)
{
    return clock_boot_us() >= *(const int64_t *)until_us;
}

// Sixty at once, and PostgreSQL is slow to hear of them. Who comes again when he was told
// to is let in: what PostgreSQL knows counts from when it was asked.
static void what_a_refusal_says_holds_whenever_postgresql_answers(void **state)
{
    static const struct db_statement slow = { "slow", "select pg_sleep(0.3)" };
    struct db_fixture *f = *state;
    struct limit limit = { .token_id = 1 };
    struct limit *both[] = { &limit, &limit };
    struct limits *l = limits_new(f->reactor, f->db);
    struct limit_answer answer;
    struct ask first = { 0 }, behind = { 0 };

    clean(f);
    db_submit(f->db, &slow, db_args_new(), ask_done, &first);
    do
        answer = limits_take(l, &limit, 60);
    while (answer.granted);
    int64_t again_us = clock_boot_us() + answer.wait_s * 1000000;
    loop_until(f->reactor, is_told, both);
    db_submit(f->db, &db_one, db_args_new(), ask_done, &behind);
    ask_wait(f, &behind);
    loop_until(f->reactor, is_time, &again_us);
    assert_true(limits_take(l, &limit, 60).granted);
    limits_free(l);
}

static void on_wait(struct token_wait *wait, const struct db_answer *answer)
{
    assert_int_equal(answer->rc, OUTCOME_OK);
    wait->done = NULL;
}

static bool is_over(void *wait)
{
    return !((struct token_wait *)wait)->done;
}

static void wait_once(struct db_fixture *f, struct token_cache *c)
{
    struct token_wait wait = { .done = on_wait };

    token_cache_wait(c, &wait);
    loop_until(f->reactor, is_over, &wait);
}

static const char insert_sql[] =
    "insert into clients (name) values ('shop');"
    "insert into api_tokens (client_id, token_hash, key_id, shown_prefix, scopes, mode,"
    "                        rate_per_minute, expires_at)"
    " select 1, sha256(n::text::bytea), lpad(n::text, 12, 'K'), 'x', '{send_sms,admin}',"
    "        'listed', nullif(n, 1), to_timestamp(1900000000 + n)"
    "   from generate_series(1, 12000) n";

// More than one page of them.
static void all_tokens_and_their_changes_are_known(void **state)
{
    struct db_fixture *f = *state;
    struct token_cache *c = token_cache_new(f->reactor, f->db);

    assert_false(token_cache_is_fresh(c));
    wait_once(f, c);
    assert_true(token_cache_is_fresh(c));
    assert_null(token_cache_find(c, "KKKKKKKKKKK1"));
    pg_exec(f->pg, insert_sql);
    wait_once(f, c);
    const struct token *first = token_cache_find(c, "KKKKKKKKKKK1"),
                       *last = token_cache_find(c, "KKKKKKK12000");
    assert_non_null(first);
    assert_non_null(last);
    assert_int_equal(first->rate_per_minute, -1);
    assert_int_equal(last->rate_per_minute, 12000);
    assert_int_equal(last->mode, ACCOUNT_LISTED);
    assert_int_equal(last->scopes, SCOPE_SEND_SMS | SCOPE_ADMIN);
    assert_int_equal(last->expires_at, INT64_C(1900012000) * 1000000);
    assert_int_equal(last->revoked_at, 0);
    pg_exec(f->pg, "update api_tokens set revoked_at = now() where token_id = 12000");
    wait_once(f, c);
    assert_ptr_equal(token_cache_find(c, "KKKKKKK12000"), last);
    assert_int_not_equal(last->revoked_at, 0);
    assert_int_equal(first->revoked_at, 0);
    token_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(producers_pay_into_one_account_and_a_batch_counts_once),
        STORE_TEST(a_life_that_ended_yesterday_is_forgotten),
        STORE_TEST(two_producers_overshoot_by_one_allowance_and_owe_it),
        STORE_TEST(all_tokens_and_their_changes_are_known),
        STORE_TEST(what_a_refusal_says_holds_whenever_postgresql_answers),
        STORE_TEST(without_postgresql_a_limit_still_holds),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
