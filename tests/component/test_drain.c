// A worker that is stopped finishes or records what it has in hand, and says what it
// left.
#include "workplace.h"

#include <string.h>
#include <unistd.h>

#define CLAIMED "select count(*) from messages where status = 'claimed'"
#define GIVEN_BACK                                                                       \
    "select count(*) from messages m join delayed d using (message_id, turn)"            \
    " where m.status = 'waiting' and m.turn = 2 and m.tries = 0"                         \
    "   and m.reason = 'never_began' and d.due <= now()"
#define QUEUED "select count(*) from messages where status = 'queued'"

static void hold(struct workplace *w, uint32_t count)
{
    struct sms_job job;

    w->set.in_flight = 1;
    peer_hold(w->peer, true);
    for (uint32_t i = 0; i < count; i++) {
        workplace_job(w, &job, i);
        workplace_put(w, TOPIC_JOBS_URGENT, &job);
    }
    workplace_start(w);
    workplace_wait_posts(w, 1);
    workplace_wait_sql(w, CLAIMED, count);
}

static void what_has_not_begun_is_given_back_at_once(void **state)
{
    struct workplace *w = *state;

    hold(w, 4);
    workplace_stop(w);
    workplace_wait_sql(w, GIVEN_BACK, 3);  // while Twilio still owes its answer
    assert_int_equal(pg_int(w->pg, CLAIMED), 1);
    peer_hold(w->peer, false);
    workplace_join(w);
    assert_string_equal(w->err.text, "");
    assert_int_equal(w->rc, OUTCOME_OK);
    assert_int_equal(pg_int(w->pg, QUEUED), 1);
    assert_int_equal(peer_count(w->peer), 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from workers where dead_at is null"),
                     0);
}

static void what_twilio_does_not_answer_in_time_is_recorded_as_in_doubt(void **state)
{
    struct workplace *w = *state;

    w->set.service.stop_deadline_us = 3000000;
    hold(w, 2);
    int64_t began_us = clock_boot_us();
    workplace_ends(w);
    assert_in_range(clock_boot_us() - began_us, 2000000, 3000000);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages m join attempts a using"
                                   " (message_id, turn) where m.status = 'in_doubt' and"
                                   " a.outcome = 'in_doubt' and a.http_status is null"),
                     1);
    assert_int_equal(pg_int(w->pg, GIVEN_BACK), 1);
}

static void assert_left(const struct workplace *w, const char *why, const char *left)
{
    assert_int_equal(w->rc, OUTCOME_FATAL);
    if (!strstr(w->err.text, why) || !strstr(w->err.text, left))
        fail_msg("\"%s\" says nothing of \"%s\" or \"%s\"", w->err.text, why, left);
}

static void without_postgresql_a_stop_ends_at_its_deadline_and_says_what_is_left(
    void **state)
{
    struct workplace *w = *state;

    w->set.service.stop_deadline_us = 1500000;
    hold(w, 2);
    pg_down(w->pg, PG_IMMEDIATE);
    workplace_stop(w);
    peer_hold(w->peer, false);
    workplace_join(w);
    pg_up(w->pg);
    assert_left(w, "stop.deadline",
                "releases without one 1, POSTs in flight 0,"
                " results not written 1");
    assert_int_equal(pg_int(w->pg, CLAIMED), 2);  // for the journal, or the rescuer
}

static void postgresql_that_comes_back_in_time_gets_everything(void **state)
{
    struct workplace *w = *state;

    hold(w, 2);
    pg_down(w->pg, PG_IMMEDIATE);
    workplace_stop(w);
    peer_hold(w->peer, false);
    (void)usleep(500000);
    pg_up(w->pg);
    workplace_join(w);
    assert_string_equal(w->err.text, "");
    assert_int_equal(w->rc, OUTCOME_OK);
    assert_int_equal(pg_int(w->pg, QUEUED), 1);
    assert_int_equal(pg_int(w->pg, GIVEN_BACK), 1);
}

static void a_second_signal_ends_it_at_once(void **state)
{
    struct workplace *w = *state;

    hold(w, 1);
    workplace_stop(w);
    (void)usleep(200000);
    int64_t began_us = clock_boot_us();
    workplace_stop(w);
    workplace_join(w);
    assert_true(clock_boot_us() - began_us < 2000000);
    assert_left(w, "a second signal", "POSTs in flight 1");
    assert_int_equal(pg_int(w->pg, CLAIMED), 1);
}

static void records_whose_claim_is_not_answered_are_settled_first(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    workplace_start(w);
    workplace_wait_sql(w, "select count(*) from workers", 1);
    workplace_job(w, &job, 0);
    pg_exec(w->pg, "create function nap() returns trigger language plpgsql as"
                   " $$ begin perform pg_sleep(1); return new; end $$;"
                   "create trigger nap before insert on messages"
                   " for each row execute function nap()");
    workplace_put(w, TOPIC_JOBS_URGENT, &job);
    workplace_wait_sql(w,
                       "select count(*) from pg_stat_activity where"
                       " wait_event = 'PgSleep'",
                       1);
    workplace_ends(w);
    pg_exec(w->pg, "drop trigger nap on messages; drop function nap()");
    assert_int_equal(pg_int(w->pg, GIVEN_BACK), 1);
    assert_int_equal(peer_count(w->peer), 0);
}

int main(void)
{
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, workplace_setup, workplace_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_has_not_begun_is_given_back_at_once),
        TEST(what_twilio_does_not_answer_in_time_is_recorded_as_in_doubt),
        TEST(without_postgresql_a_stop_ends_at_its_deadline_and_says_what_is_left),
        TEST(postgresql_that_comes_back_in_time_gets_everything),
        TEST(a_second_signal_ends_it_at_once),
        TEST(records_whose_claim_is_not_answered_are_settled_first),
    };
    return cmocka_run_group_tests(tests, workplace_group_start, workplace_group_stop);
}
