// Jobs through a whole worker: claimed once, posted once, recorded, acknowledged.
#include "pg_relay.h"
#include "workplace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUED  "select count(*) from messages where status = 'queued'"
#define WAITING "select count(*) from messages where status = 'waiting'"

static void a_job_is_posted_once_however_often_its_record_comes(void **state)
{
    struct workplace *w = *state;
    struct sms_job job[3];

    for (uint32_t i = 0; i < 3; i++)
        workplace_job(w, &job[i], i);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job[0]);  // these are one batch
    workplace_put(w, TOPIC_JOBS_NORMAL, &job[1]);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job[0]);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job[0]);
    workplace_put(w, TOPIC_JOBS_URGENT, &job[2]);
    workplace_start(w);
    workplace_wait_sql(w, QUEUED, 3);
    workplace_wait_sql(w, "select count(*) from claim_batches", 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job[1]);  // and this comes late
    workplace_put(w, TOPIC_JOBS_BULK, &job[2]);
    workplace_wait_sql(w, QUEUED, 3);
    while (kafka_mock_count(&w->mock, TOPIC_JOBS_BULK, 0) < 1)
        (void)usleep(1000);
    (void)sleep(1);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 3);
    assert_int_equal(workplace_committed(w), 5);
    assert_int_equal(pg_int(w->pg, "select count(*) from attempts where turn = 1 and"
                                   " outcome = 'accepted' and http_status = 201 and"
                                   " segments = 1 and twilio_sid ~ '^SM'"),
                     3);
    assert_int_equal(pg_int(w->pg, "select sum(amount_micros) from cost_entries"),
                     3 * 12800);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages where claimed_epoch is"
                                   " null and tries = 0 and turn = 1"),
                     3);
}

// Twilio is slow and there is one slot: the second job waits in memory. A claim is good
// for 3 s, and the second is older when its turn comes.
static void a_claim_that_waited_is_renewed_before_its_post(void **state)
{
    struct workplace *w = *state;
    struct sms_job job[2];

    w->set.in_flight = 1;
    peer_hold(w->peer, true);
    for (uint32_t i = 0; i < 2; i++) {
        workplace_job(w, &job[i], i);
        workplace_put(w, TOPIC_JOBS_URGENT, &job[i]);
    }
    workplace_start(w);
    workplace_wait_posts(w, 1);
    workplace_wait_sql(w, "select count(*) from messages where status = 'claimed'", 2);
    (void)usleep(3200000);
    assert_int_equal(peer_count(w->peer), 1);
    peer_hold(w->peer, false);
    workplace_wait_sql(w, QUEUED, 2);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 2);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages where turn = 1"), 2);
    assert_int_equal(pg_int(w->pg, "select (max(claimed_at) - min(claimed_at) >"
                                   " interval '3 s')::int from messages"),
                     1);
}

// The claim of another lane takes three seconds.
static void an_urgent_job_is_not_claimed_behind_others(void **state)
{
    struct workplace *w = *state;
    struct sms_job slow, urgent;

    pg_exec(w->pg, "create function doze() returns trigger language plpgsql as $$"
                   " begin if new.class <> 'otp' then perform pg_sleep(3); end if;"
                   " return new; end $$;"
                   " create trigger doze before insert on messages"
                   " for each row execute function doze()");
    workplace_job(w, &slow, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &slow);
    workplace_start(w);
    workplace_wait_sql(
        w, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'", 1);
    workplace_job(w, &urgent, 1);
    urgent.message_class = "otp";
    workplace_put(w, TOPIC_JOBS_URGENT, &urgent);
    workplace_wait_sql(w, QUEUED " and class = 'otp'", 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages"), 1);
    workplace_wait_sql(w, QUEUED, 2);
    workplace_ends(w);
    pg_exec(w->pg, "drop function doze cascade");
}

static void a_claim_that_was_taken_away_is_never_posted(void **state)
{
    struct workplace *w = *state;
    struct sms_job job[3];

    w->set.in_flight = 1;
    peer_hold(w->peer, true);
    for (uint32_t i = 0; i < 3; i++) {
        workplace_job(w, &job[i], i);
        workplace_put(w, TOPIC_JOBS_URGENT, &job[i]);
    }
    workplace_start(w);
    workplace_wait_posts(w, 1);
    workplace_wait_sql(w, "select count(*) from messages where status = 'claimed'", 3);
    pg_exec(w->pg, "update messages set claimed_epoch = 1 where message_id ="
                   " (select message_id from messages order by 1 offset 1 limit 1)");
    pg_exec(w->pg, "update messages set status = 'canceled', rank = 25,"
                   " claimed_epoch = null where message_id ="
                   " (select message_id from messages order by 1 offset 2 limit 1)");
    (void)usleep(2200000);
    peer_hold(w->peer, false);
    workplace_wait_sql(w, QUEUED, 1);
    workplace_ends(w);  // it holds nothing any more
    assert_int_equal(peer_count(w->peer), 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from attempts"), 1);
}

// PostgreSQL has committed the claim, and its answer is lost: the worker cannot know
// whether it has won. The message waits again, once, at the next turn.
static void a_lost_answer_to_a_claim_gives_the_message_back(void **state)
{
    struct workplace *w = *state;
    struct pg_relay *relay = pg_relay_open(w->pg);
    struct sms_job job;

    w->set.db.url = (char *)(uintptr_t)pg_relay_url(relay);
    w->set.beat_us = 10000000;  // no beat is lost instead
    workplace_start(w);
    workplace_wait_sql(w, "select count(*) from workers", 1);
    pg_relay_lose(relay, "claim");
    workplace_job(w, &job, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_sql(w, WAITING " and turn = 2 and reason = 'never_began'", 1);
    assert_int_equal(pg_relay_lost(relay), 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from delayed where turn = 2 and"
                                   " kind = 'released' and due <= now()"),
                     1);
    job.turn = 2;  // what the scheduler does when it is due
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_sql(w, QUEUED " and turn = 2", 1);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 1);
    assert_int_equal(workplace_committed(w), 2);
    pg_relay_close(relay);
}

static void results_survive_an_outage_of_postgresql(void **state)
{
    struct workplace *w = *state;
    struct sms_job job[2];

    peer_hold(w->peer, true);
    for (uint32_t i = 0; i < 2; i++) {
        workplace_job(w, &job[i], i);
        workplace_put(w, TOPIC_JOBS_NORMAL, &job[i]);
    }
    workplace_start(w);
    workplace_wait_posts(w, 2);
    pg_down(w->pg, PG_IMMEDIATE);
    peer_hold(w->peer, false);
    (void)usleep(300000);
    pg_up(w->pg);
    workplace_wait_sql(w, QUEUED, 2);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 2);
    assert_int_equal(pg_int(w->pg, "select count(*) from cost_entries"), 2);
}

// 429 twice, then 201: the same message at its third turn.
static void what_twilio_did_not_process_waits_for_its_time(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    peer_answer(w->peer, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2000000000\r\n"
                         "Content-Length: 0\r\n\r\n");
    workplace_job(w, &job, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_start(w);
    workplace_wait_sql(w, WAITING " and turn = 2", 1);
    assert_int_equal(pg_int(w->pg,
                            "select count(*) from delayed where turn = 2 and kind ="
                            " 'retry' and due between now() + interval '10 min'"
                            " and now() + interval '17 min'"),
                     1);
    peer_answer(w->peer, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n"
                         "Content-Length: 0\r\n\r\n");
    job.turn = 2;
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_sql(w, WAITING " and turn = 3", 1);
    peer_answer(w->peer, NULL);
    job.turn = 3;
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_sql(w, QUEUED " and turn = 3", 1);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 3);
    assert_non_null(strstr(peer_body(w->peer, 2), "%26t%3D3%26"));
}

int main(void)
{
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, workplace_setup, workplace_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_job_is_posted_once_however_often_its_record_comes),
        TEST(a_claim_that_waited_is_renewed_before_its_post),
        TEST(an_urgent_job_is_not_claimed_behind_others),
        TEST(a_claim_that_was_taken_away_is_never_posted),
        TEST(a_lost_answer_to_a_claim_gives_the_message_back),
        TEST(results_survive_an_outage_of_postgresql),
        TEST(what_twilio_did_not_process_waits_for_its_time),
    };
    return cmocka_run_group_tests(tests, workplace_group_start, workplace_group_stop);
}
