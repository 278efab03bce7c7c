// What a whole worker does with records and rows that cannot be taken, and when it must
// give up.
#include "kafka_peek.h"
#include "workplace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Rows of this reference take a while to be claimed.
#define SLOW_ROWS                                                                        \
    "create or replace function be_slow() returns trigger language plpgsql as"           \
    " $$ begin perform pg_sleep(1); return new; end $$;"                                 \
    " create trigger slow before insert on messages for each row"                        \
    " when (new.reference = 'slow') execute function be_slow()"
#define QUEUED  "select count(*) from messages where status = 'queued'"
#define T(text) ((char *)(uintptr_t)(text))

enum { PRODUCE_API = 0 };

static void assert_letter(struct workplace *w, int64_t offset, const char *const *parts)
{
    size_t len;
    char *letter = kafka_peek(w->mock.settings.brokers, TOPIC_DEAD, offset, &len);

    print_message("%.100s\n", letter);
    for (; *parts; parts++)
        assert_non_null(strstr(letter, *parts));
    assert_null(strstr(letter, "1415555"));
    free(letter);
}

static void records_that_are_no_jobs_go_to_sms_dead(void **state)
{
    static const char *const no_json[] = { "\"reason\":\"bad_record\"",
                                           "\"topic\":\"sms.jobs.normal\"",
                                           "\"partition\":0",
                                           "\"offset\":0",
                                           "\"value\":\"bm8ganNvbg==\"",
                                           NULL };
    static const char *const no_value[] = { "\"reason\":\"bad_record\"",
                                            "the record has no value", NULL };
    static const char *const foreign[] = { "\"reason\":\"cannot_open\"",
                                           "belongs to another message", NULL };
    static const char *const early[] = { "\"reason\":\"bad_id\"", "too early", NULL };
    static const char *const late[] = { "\"reason\":\"bad_id\"", "too late", NULL };
    struct workplace *w = *state;
    struct sms_job good, job;

    kafka_mock_put(&w->mock, TOPIC_JOBS_NORMAL, 0, "key", "no json");
    kafka_mock_put(&w->mock, TOPIC_JOBS_NORMAL, 0, NULL, NULL);
    workplace_job(w, &job, 1);
    job.client++;
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_job(w, &job, 2);
    job.message_id[0]--;
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    job.message_id[0] += 2;
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_job(w, &good, 3);
    workplace_put(w, TOPIC_JOBS_NORMAL, &good);
    workplace_start(w);
    workplace_wait_sql(w, QUEUED, 1);
    workplace_wait_dead(w, 5);
    workplace_ends(w);
    assert_letter(w, 0, no_json);
    assert_letter(w, 1, no_value);
    assert_letter(w, 2, foreign);
    assert_letter(w, 3, early);
    assert_letter(w, 4, late);
    assert_int_equal(workplace_committed(w), 6);
    assert_int_equal(peer_count(w->peer), 1);
}

static void a_row_that_postgresql_refuses_is_taken_out_of_its_batch(void **state)
{
    static const char *const poison[] = { "\"reason\":\"refused_by_database\"",
                                          "no_poison", "\"offset\":5", NULL };
    struct workplace *w = *state;
    struct sms_job job;

    pg_exec(w->pg, "alter table messages add constraint no_poison"
                   " check (reference <> 'poison')");
    for (uint32_t i = 0; i < 9; i++) {
        workplace_job(w, &job, i);
        if (i == 5)
            job.reference = "poison";
        workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    }
    workplace_start(w);
    workplace_wait_sql(w, QUEUED, 8);
    workplace_wait_dead(w, 1);
    workplace_ends(w);
    pg_exec(w->pg, "alter table messages drop constraint no_poison");
    assert_letter(w, 0, poison);
    assert_int_equal(peer_count(w->peer), 8);
    assert_int_equal(workplace_committed(w), 9);
}

// A schema that does not fit is no record's fault: nothing is buried, nothing is
// acknowledged, and somebody has to look.
static void a_claim_refused_for_the_schema_stops_the_worker(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    pg_exec(w->pg, "alter table messages rename column reference to other");
    for (uint32_t i = 0; i < 3; i++) {
        workplace_job(w, &job, i);
        workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    }
    workplace_start(w);
    workplace_join(w);
    pg_exec(w->pg, "alter table messages rename column other to reference");
    assert_int_equal(w->rc, OUTCOME_FATAL);
    assert_non_null(strstr(w->err.text, "reference"));
    assert_int_equal(kafka_mock_count(&w->mock, TOPIC_DEAD, 0), 0);
    assert_int_equal(workplace_committed(w), RD_KAFKA_OFFSET_INVALID);
    assert_int_equal(peer_count(w->peer), 0);
}

static void a_result_refused_for_the_schema_stops_the_worker(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    pg_exec(w->pg, "alter table attempts rename column segments to other");
    workplace_job(w, &job, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_start(w);
    workplace_join(w);
    pg_exec(w->pg, "alter table attempts rename column other to segments");
    assert_int_equal(w->rc, OUTCOME_FATAL);
    assert_non_null(strstr(w->err.text, "segments"));
    assert_int_equal(peer_count(w->peer), 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages where status ="
                                   " 'claimed'"),
                     1);
}

static void a_renewal_refused_for_the_schema_stops_the_worker(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    w->set.in_flight = 1;
    peer_hold(w->peer, true);
    for (uint32_t i = 0; i < 2; i++) {
        workplace_job(w, &job, i);
        workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    }
    workplace_start(w);
    workplace_wait_posts(w, 1);
    workplace_wait_sql(w, "select count(*) from messages where status = 'claimed'", 2);
    pg_exec(w->pg, "alter table messages rename column claimed_at to other");
    (void)usleep(2200000);
    peer_hold(w->peer, false);
    workplace_join(w);
    pg_exec(w->pg, "alter table messages rename column other to claimed_at");
    assert_int_equal(w->rc, OUTCOME_FATAL);
    assert_non_null(strstr(w->err.text, "claimed_at"));
    assert_int_equal(peer_count(w->peer), 1);
}

// As claimed it would be released one day, and sent a second time.
static void a_message_whose_result_is_refused_is_in_doubt(void **state)
{
    struct workplace *w = *state;
    struct sms_job job[3];

    peer_answer(w->peer, "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 15\r\n\r\n"
                         "{\"code\": 20418}");
    pg_exec(w->pg, "alter table attempts add constraint no_teapot"
                   " check (http_status <> 418)");
    for (uint32_t i = 0; i < 3; i++) {
        workplace_job(w, &job[i], i);
        workplace_put(w, TOPIC_JOBS_NORMAL, &job[i]);
    }
    workplace_start(w);
    workplace_wait_sql(w, "select count(*) from messages_held where status = 'in_doubt'",
                       3);
    workplace_ends(w);
    pg_exec(w->pg, "alter table attempts drop constraint no_teapot");
    assert_int_equal(peer_count(w->peer), 3);
    assert_int_equal(pg_int(w->pg, "select count(*) from attempts where outcome ="
                                   " 'in_doubt' and http_status is null"),
                     3);
}

// Forgotten, it would be taken for a claim that never began. The rescuer finds it.
static void a_message_whose_doubt_is_refused_too_stays_claimed(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    w->set.beat_us = 100000;  // memory is compared with the table each second
    pg_exec(w->pg, "alter table attempts add constraint none check (false)");
    for (uint32_t i = 0; i < 2; i++) {
        workplace_job(w, &job, i);
        workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    }
    workplace_start(w);
    workplace_join(w);
    pg_exec(w->pg, "alter table attempts drop constraint none");
    assert_int_equal(w->rc, OUTCOME_FATAL);
    assert_non_null(strstr(w->err.text, "none"));
    assert_int_equal(peer_count(w->peer), 2);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages where turn = 1"
                                   " and status = 'claimed'"),
                     2);
    assert_int_equal(pg_int(w->pg, "select count(*) from delayed"), 0);
}

// An HTTP library would send it once more, because the line had served before.
static void what_a_reused_line_took_is_in_doubt_and_was_posted_once(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    w->set.in_flight = 1;
    workplace_start(w);
    workplace_job(w, &job, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_sql(w, QUEUED, 1);
    peer_answer(w->peer, "");
    workplace_job(w, &job, 1);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_sql(w,
                       "select count(*) from messages m join attempts a using"
                       " (message_id, turn) where m.status = 'in_doubt' and turn = 1"
                       " and a.outcome = 'in_doubt' and a.http_status is null",
                       1);
    assert_int_equal(peer_lines(w->peer), 1);
    (void)usleep(1500000);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 2);
    assert_int_equal(peer_lines(w->peer), 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from delayed"), 0);
}

// After a fail-over to an older PostgreSQL and a rewind of the group, the first turn and
// a later one come together.
static void a_later_turn_without_a_row_does_not_take_the_first_along(void **state)
{
    static const char *const no_row[] = { "\"reason\":\"no_row\"", NULL };
    struct workplace *w = *state;
    struct sms_job slow, job;

    pg_exec(w->pg, SLOW_ROWS);
    workplace_job(w, &slow, 0);
    slow.reference = "slow";
    workplace_job(w, &job, 1);
    workplace_start(w);
    workplace_put(w, TOPIC_JOBS_NORMAL, &slow);
    workplace_wait_sql(w,
                       "select count(*) from pg_stat_activity where wait_event ="
                       " 'PgSleep'",
                       1);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);  // read together, when the slow one ends
    job.turn = 2;
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_sql(w, QUEUED " and turn = 1", 2);
    workplace_wait_dead(w, 1);
    workplace_ends(w);
    pg_exec(w->pg, "drop trigger slow on messages");
    assert_letter(w, 0, no_row);
    assert_int_equal(peer_count(w->peer), 2);
    assert_int_equal(workplace_committed(w), 3);
}

static void more_letters_than_may_wait_hold_the_reading_up(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    for (size_t i = 0; i < 1200; i++)
        assert_int_equal(
            rd_kafka_producev(w->mock.rk, RD_KAFKA_V_TOPIC(TOPIC_JOBS_NORMAL),
                              RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE("bad", 3),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
            0);
    workplace_job(w, &job, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);  // waits for the others
    workplace_start(w);
    workplace_wait_sql(w, QUEUED, 1);
    workplace_wait_dead(w, 1200);
    workplace_ends(w);
    assert_int_equal(workplace_committed(w), 1201);
}

// The letter is confirmed while the worker closes: its record is acknowledged all the
// same, and what acknowledges is still there.
static void a_letter_that_is_confirmed_late_is_still_acknowledged(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    w->set.service.stop_deadline_us = 300000;
    kafka_mock_put(&w->mock, TOPIC_JOBS_NORMAL, 0, NULL, "bad");
    workplace_job(w, &job, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    rd_kafka_mock_broker_push_request_error_rtts(w->mock.cluster, MOCK_BROKER,
                                                 PRODUCE_API, 1,
                                                 RD_KAFKA_RESP_ERR_NO_ERROR, 2500);
    workplace_start(w);
    workplace_wait_sql(w, QUEUED, 1);
    workplace_stop(w);
    workplace_join(w);
    assert_int_equal(w->rc, OUTCOME_FATAL);
    assert_non_null(strstr(w->err.text, "stop.deadline"));
    assert_int_equal(kafka_mock_count(&w->mock, TOPIC_DEAD, 0), 1);
    assert_int_equal(workplace_committed(w), 2);
}

// A job that came by Kafka past the API: its number may not be reached, and never is.
static void a_listed_job_to_another_number_is_suppressed(void **state)
{
    struct workplace *w = *state;
    struct sms_job job[3];
    static const char *const modes[] = { "listed", "listed", "live" };

    w->set.account.test_mode = false;
    w->set.account.account_sid = T("AC00000000000000000000000000000003");
    w->set.account.auth_token = T("real");
    w->set.account.base_url = w->set.account.simulator_url;
    w->set.account.simulator_url = NULL;
    w->set.account.test_numbers = T("+14155550001,+14155559999");
    for (uint32_t i = 0; i < 3; i++) {
        workplace_job(w, &job[i], i);
        job[i].mode = modes[i];
        workplace_put(w, TOPIC_JOBS_NORMAL, &job[i]);
    }
    workplace_start(w);
    workplace_wait_sql(w, "select count(*) from messages where status = 'queued'", 2);
    workplace_wait_sql(w,
                       "select count(*) from messages where status = 'suppressed'"
                       " and reason = 'not_listed' and claimed_epoch is null",
                       1);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 2);
    assert_int_equal(pg_int(w->pg, "select count(*) from attempts"), 2);
    assert_int_equal(pg_int(w->pg, "select count(*) from cost_entries"), 2);
    assert_int_equal(pg_int(w->pg, "select count(*) from delayed"), 0);
}

int main(void)
{
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, workplace_setup, workplace_teardown)
    const struct CMUnitTest tests[] = {
        TEST(records_that_are_no_jobs_go_to_sms_dead),
        TEST(a_row_that_postgresql_refuses_is_taken_out_of_its_batch),
        TEST(a_claim_refused_for_the_schema_stops_the_worker),
        TEST(a_result_refused_for_the_schema_stops_the_worker),
        TEST(a_renewal_refused_for_the_schema_stops_the_worker),
        TEST(a_message_whose_result_is_refused_is_in_doubt),
        TEST(a_message_whose_doubt_is_refused_too_stays_claimed),
        TEST(what_a_reused_line_took_is_in_doubt_and_was_posted_once),
        TEST(a_later_turn_without_a_row_does_not_take_the_first_along),
        TEST(more_letters_than_may_wait_hold_the_reading_up),
        TEST(a_letter_that_is_confirmed_late_is_still_acknowledged),
        TEST(a_listed_job_to_another_number_is_suppressed),
    };
    return cmocka_run_group_tests(tests, workplace_group_start, workplace_group_stop);
}
