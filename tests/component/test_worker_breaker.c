// What a worker does once its account or a sender is refused: it stops, keeps every
// message, and finds out with one POST when it may go on. There is no scheduler here:
// what waits stays where it is until the test puts its record in.
#include "workplace.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NO_TOKEN                                                                         \
    "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"                    \
    "Content-Length: 14\r\n\r\n{\"code\":20003}"
#define PAGE                                                                             \
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n"           \
    "<html></html>"
#define NO_PATH                                                                          \
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n"    \
    "<html></html>"
#define REFUSED                                                                          \
    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"                     \
    "Content-Length: 14\r\n\r\n{\"code\":21211}"
#define QUEUED  "select count(*) from messages where status = 'queued'"
#define WAITING "select count(*) from messages where status = 'waiting'"
#define OPEN                                                                             \
    "select count(*) from switches where name = 'account/simulator' and state = 'open'"
#define CLOSED                                                                           \
    "select count(*) from switches where name = 'account/simulator' and state = "        \
    "'closed'"

enum { JOBS = 40 };

static void put_jobs(struct workplace *w, uint32_t from, uint32_t count)
{
    struct sms_job job;

    for (uint32_t i = from; i < from + count; i++) {
        workplace_job(w, &job, i);
        workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    }
}

// One slot, so that one POST meets the refusal: all others stay what they were.
static void stops_at(struct workplace *w, const char *answer, const char *first)
{
    w->set.in_flight = 1;
    peer_answer(w->peer, answer);
    put_jobs(w, 0, JOBS);
    workplace_start(w);
    workplace_wait_sql(w, OPEN, 1);
    workplace_wait_sql(w, "select count(*) from messages where status = 'claimed'", 0);
    assert_int_equal(pg_int(w->pg, "select coalesce(sum(tries), 0) from messages"), 0);
    assert_int_equal(pg_int(w->pg, first), 1);
}

#define HELD                                                                             \
    "select count(*) from messages m join delayed d using (message_id, turn)"            \
    " join decisions e using (message_id) where m.status = 'waiting' and m.turn = 2"     \
    " and m.reason = 'account_stopped' and d.kind = 'hold' and e.kind = 'hold'"          \
    " and e.reason = 'account_stopped' and e.turn = 1 and e.due = d.due"

static void a_refused_token_stops_the_account_and_burns_nothing(void **state)
{
    struct workplace *w = *state;

    stops_at(w, NO_TOKEN, WAITING " and turn = 2 and reason = 'misconfigured'");
    assert_int_equal(pg_int(w->pg, HELD), pg_int(w->pg, WAITING) - 1);
    size_t posted = peer_count(w->peer);
    put_jobs(w, JOBS, 10);
    (void)sleep(5);  // two probes at most: after 2 s, and 4 s later
    assert_in_range(peer_count(w->peer), posted, posted + 2);
    peer_answer(w->peer, NULL);
    workplace_wait_sql(w, CLOSED, 1);
    workplace_wait_sql(w, QUEUED " or reason in ('misconfigured', 'account_stopped')",
                       JOBS + 10);
    workplace_ends(w);
    assert_int_equal(pg_int(w->pg, "select sum(tries) from messages"), 0);
    assert_int_equal(pg_int(w->pg,
                            "select count(*) from attempts where outcome <> 'accepted'"),
                     pg_int(w->pg, WAITING " and reason = 'misconfigured'"));
}

static void a_page_of_somebody_s_stops_it_and_its_message_is_in_doubt(void **state)
{
    stops_at(*state, PAGE, "select count(*) from messages where status = 'in_doubt'");
    workplace_ends(*state);
}

static void a_page_instead_of_the_account_stops_it(void **state)
{
    stops_at(*state, NO_PATH, WAITING " and reason = 'misconfigured'");
    workplace_ends(*state);
}

static void what_twilio_says_of_a_message_stops_nothing(void **state)
{
    struct workplace *w = *state;

    peer_answer(w->peer, REFUSED);
    put_jobs(w, 0, JOBS);
    workplace_start(w);
    workplace_wait_sql(w, "select count(*) from messages where status = 'failed'", JOBS);
    workplace_ends(w);
    assert_int_equal(pg_int(w->pg, "select count(*) from switches"), 0);
}

static void a_closed_port_stops_it_and_nothing_is_in_doubt(void **state)
{
    struct workplace *w = *state;

    w->set.account.simulator_url = (char *)(uintptr_t) "http://127.0.0.1:1";
    put_jobs(w, 0, JOBS);
    workplace_start(w);
    workplace_wait_sql(w, OPEN " and reason like 'no connection%'", 1);
    workplace_wait_sql(w, "select count(*) from messages where status = 'claimed'", 0);
    workplace_ends(w);
    assert_int_equal(pg_int(w->pg, "select count(*) from attempts"), 0);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages where tries > 0"), 0);
}

// Another worker, or a person, has stopped the account before this one starts.
static void a_worker_that_starts_asks_before_it_posts(void **state)
{
    struct workplace *w = *state;

    pg_exec(w->pg, "insert into switches (name, scope, state, changed_by)"
                   " values ('account/simulator', 'account', 'off', 'somebody')");
    put_jobs(w, 0, JOBS);
    workplace_start(w);
    (void)sleep(2);
    assert_int_equal(peer_count(w->peer), 0);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages"), 0);
    pg_exec(w->pg, "update switches set state = 'closed'");
    workplace_wait_sql(w, QUEUED, JOBS);
    workplace_ends(w);
}

// Half-open: another worker has the probe; then it is ours, and one POST goes out.
static void a_probe_is_one_post_of_one_worker(void **state)
{
    struct workplace *w = *state;

    pg_exec(w->pg,
            "insert into switches (name, scope, state, probe_at, prober, changed_by)"
            " values ('account/simulator', 'account', 'open', now() + '3 s', 7,"
            " 'another')");
    peer_hold(w->peer, true);
    put_jobs(w, 0, JOBS);
    workplace_start(w);
    (void)sleep(2);
    assert_int_equal(peer_count(w->peer), 0);
    workplace_wait_posts(w, 1);
    (void)sleep(8);  // longer than a permit that nobody renews
    assert_int_equal(pg_int(w->pg, OPEN " and prober <> 7 and probe_at > now() + '3 s'"),
                     1);
    assert_int_equal(peer_count(w->peer), 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages"), 1);
    peer_hold(w->peer, false);
    workplace_wait_sql(w, QUEUED, JOBS);
    workplace_wait_sql(w, CLOSED " and prober is null and probe_at is null", 1);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), JOBS);
}

// Whoever had the permit died with it: it is not waited for longer than some seconds.
static void a_permit_that_nobody_renews_goes_to_another(void **state)
{
    struct workplace *w = *state;

    pg_exec(w->pg,
            "insert into switches (name, scope, state, probe_at, prober, changed_by)"
            " values ('account/simulator', 'account', 'open', now(), null, 'another')");
    peer_hold(w->peer, true);
    put_jobs(w, 0, 1);
    workplace_start(w);
    workplace_wait_posts(w, 1);
    assert_int_equal(pg_int(w->pg, OPEN " and prober is not null"
                                        " and probe_at <= now() + '6 s'"),
                     1);
    peer_hold(w->peer, false);
    workplace_wait_sql(w, CLOSED, 1);
    workplace_ends(w);
}

static void a_sender_that_is_off_holds_its_own_messages_only(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    pg_exec(w->pg, "insert into switches (name, scope, state, changed_by)"
                   " values ('sender/+15005550099', 'sender', 'off', 'somebody')");
    for (uint32_t i = 0; i < 20; i++) {
        workplace_job(w, &job, i);
        job.from = i % 2 ? "+15005550099" : job.from;
        workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    }
    workplace_start(w);
    workplace_wait_sql(w, QUEUED " and sender <> '+15005550099'", 10);
    workplace_wait_sql(w,
                       WAITING " and sender = '+15005550099' and turn = 2"
                               " and reason = 'sender_stopped' and tries = 0",
                       10);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 10);
    assert_int_equal(pg_int(w->pg, "select count(*) from delayed where kind = 'hold' and"
                                   " due > now() and due < now() + '8 s'"),
                     10);
}

static void emergency_only_lets_emergencies_through(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    pg_exec(w->pg, "insert into switches (name, scope, state, changed_by)"
                   " values ('emergency_only', 'class', 'on', 'somebody')");
    for (uint32_t i = 0; i < 20; i++) {
        workplace_job(w, &job, i);
        job.message_class = i % 2 ? "otp" : "emergency";
        workplace_put(w, TOPIC_JOBS_URGENT, &job);
    }
    put_jobs(w, 20, 20);
    workplace_start(w);
    workplace_wait_sql(w, QUEUED " and class = 'emergency'", 10);
    workplace_wait_sql(w, WAITING " and class = 'otp' and reason = 'emergency_only'", 10);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages where lane = 'normal'"),
                     0);
    assert_int_equal(peer_count(w->peer), 10);
    pg_exec(w->pg, "update switches set state = 'closed'");
    workplace_wait_sql(w, QUEUED " and lane = 'normal'", 20);
    workplace_ends(w);
}

int main(void)
{
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, workplace_setup, workplace_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_refused_token_stops_the_account_and_burns_nothing),
        TEST(a_page_of_somebody_s_stops_it_and_its_message_is_in_doubt),
        TEST(a_page_instead_of_the_account_stops_it),
        TEST(what_twilio_says_of_a_message_stops_nothing),
        TEST(a_closed_port_stops_it_and_nothing_is_in_doubt),
        TEST(a_worker_that_starts_asks_before_it_posts),
        TEST(a_probe_is_one_post_of_one_worker),
        TEST(a_permit_that_nobody_renews_goes_to_another),
        TEST(a_sender_that_is_off_holds_its_own_messages_only),
        TEST(emergency_only_lets_emergencies_through),
    };
    return cmocka_run_group_tests(tests, workplace_group_start, workplace_group_stop);
}
