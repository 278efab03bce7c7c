// What never leaves us, and what may have: gates, time-outs, cut lines.
#include "metrics.h"
#include "number_list.h"
#include "poster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CREATED                                                                          \
    "HTTP/1.1 201 Created\r\nContent-Length: 44\r\n\r\n{\"sid\":\"" POSTER_SID "\"}"

static void assert_result(const struct poster *p, enum send_result result)
{
    print_message("%s: %s\n", send_result_name(p->seen.result), p->reason);
    assert_string_equal(send_result_name(p->seen.result), send_result_name(result));
}

static void assert_refused(const struct poster *p, const char *labels, uint64_t count)
{
    struct metric *refusals =
        metrics_counter(p->metrics, "smsq_gate_refusals_total", labels, "");
    assert_int_equal(metric_count(refusals), count);
}

// The line may be opened, but it ends without one byte.
static void assert_nothing_left(struct poster *p)
{
    poster_start(p);
    poster_submit(p);
    int fd = poster_take(p);
    assert_true(raw_is_closed(fd));
    close(fd);
    poster_wait(p);
    assert_result(p, SEND_NOT_SENT);
    assert_int_equal(p->seen.http_status, 0);
    assert_false(poster_is_dialled(p));
}

static void an_old_claim_is_not_posted(void **state)
{
    struct poster *p = *state;

    p->job.claim_sent_us = clock_boot_us() - 4000000;
    assert_nothing_left(p);
    assert_refused(p, "reason=\"old_claim\"", 1);
    assert_refused(p, "reason=\"expired\"", 0);
}

static void a_claim_is_not_posted_on_a_reused_line_either(void **state)
{
    struct poster *p = *state;
    struct raw_message m;

    poster_start(p);
    poster_submit(p);
    int fd = poster_take(p);
    assert_true(raw_read(fd, &m, true));
    raw_free(&m);
    assert_true(raw_say(fd, CREATED));
    poster_wait(p);
    assert_result(p, SEND_ACCEPTED);
    p->job.claim_sent_us = clock_boot_us() - 4000000;
    poster_submit(p);
    poster_wait(p);
    assert_result(p, SEND_NOT_SENT);
    assert_true(raw_is_closed(fd));
    close(fd);
    assert_false(poster_is_dialled(p));
}

static void what_is_of_no_use_any_more_is_not_posted(void **state)
{
    struct poster *p = *state;

    p->job.sms.expires_at = clock_wall_us() + 4900000;
    assert_nothing_left(p);
    assert_refused(p, "reason=\"expired\"", 1);
}

static void what_expired_long_ago_is_not_posted(void **state)
{
    struct poster *p = *state;

    p->job.sms.expires_at = 1;
    assert_nothing_left(p);
}

// Both accounts are at the port of the test; what is in accounts decides.
static void make_live(struct poster *p)
{
    p->accounts.mode = ACCOUNT_LIVE;
    p->accounts.twilio = (struct account){ .base_url = p->base_url,
                                           .account_sid = "AClive",
                                           .user = "real",
                                           .password = "secret" };
    assert_int_equal(number_list_open(&p->accounts.listed, "+14155552671", NULL),
                     OUTCOME_OK);
}

static void end_live(struct poster *p)
{
    number_list_close(p->accounts.listed);
    p->accounts.listed = NULL;
}

// Not even a connection.
static void assert_kept_back(struct poster *p, enum send_result result,
                             const char *reason)
{
    p->done_calls = 0;
    poster_submit(p);
    assert_true(p->taken);
    poster_wait(p);
    assert_result(p, result);
    assert_int_equal(p->done_calls, 1);
    assert_int_equal(p->seen.http_status, 0);
    assert_string_equal(p->seen.reason, reason);
    assert_false(poster_is_dialled(p));
}

#define NO_MODE "its mode is not one that this worker can serve"

static void a_job_of_a_mode_without_an_account_is_not_posted(void **state)
{
    struct poster *p = *state;

    poster_start(p);
    p->job.sms.mode = "live";
    assert_kept_back(p, SEND_NOT_SENT, NO_MODE);
    p->job.sms.mode = "listed";
    assert_kept_back(p, SEND_NOT_SENT, NO_MODE);
}

// Credentials are there, but the installation allows less.
static void a_job_that_wants_more_than_the_installation_is_not_posted(void **state)
{
    struct poster *p = *state;

    make_live(p);
    p->accounts.mode = ACCOUNT_LISTED;
    poster_start(p);
    p->job.sms.mode = "live";
    assert_kept_back(p, SEND_NOT_SENT, NO_MODE);
    end_live(p);
}

static void a_simulated_job_without_a_simulator_is_not_posted(void **state)
{
    struct poster *p = *state;

    make_live(p);
    p->accounts.simulator = (struct account){ 0 };
    poster_start(p);
    assert_kept_back(p, SEND_NOT_SENT, NO_MODE);
    end_live(p);
}

static void a_number_that_is_not_listed_is_never_reached_in_mode_listed(void **state)
{
    struct poster *p = *state;

    make_live(p);
    poster_start(p);
    p->job.sms.mode = "listed";
    p->job.content.to = "+14155552672";
    assert_kept_back(p, SEND_NOT_LISTED, "its number is not in twilio.test_numbers");
    end_live(p);
}

// The same code, another address and other credentials.
static void each_mode_is_posted_to_its_own_account(void **state)
{
    static const struct {
        const char *mode, *account, *basic;
    } cases[] = {
        { "simulate", "/Accounts/" POSTER_ACCOUNT "/", "Basic dXNlcjpwYXNzOndvcmQ=" },
        { "listed", "/Accounts/AClive/", "Basic cmVhbDpzZWNyZXQ=" },
        { "live", "/Accounts/AClive/", "Basic cmVhbDpzZWNyZXQ=" },
    };
    struct poster *p = *state;
    struct raw_message m;

    make_live(p);
    poster_start(p);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        p->job.sms.mode = cases[i].mode;
        poster_submit(p);
        int fd = poster_take(p);
        assert_true(raw_read(fd, &m, true));
        assert_non_null(strstr(m.header, cases[i].account));
        assert_string_equal(raw_field(&m, "Authorization"), cases[i].basic);
        raw_free(&m);
        assert_true(raw_say(fd,
                            "HTTP/1.1 201 Created\r\nConnection: close\r\n"
                            "Content-Length: 44\r\n\r\n{\"sid\":\"" POSTER_SID "\"}"));
        close(fd);
        poster_wait(p);
        assert_result(p, SEND_ACCEPTED);
    }
    end_live(p);
}

static void a_refused_connection_sent_nothing(void **state)
{
    struct poster *p = *state;

    close(p->listen_fd);
    p->listen_fd = -1;
    poster_start(p);
    poster_submit(p);
    poster_wait(p);
    assert_result(p, SEND_NOT_SENT);
}

// A queue of one that is full: the kernel drops what knocks.
static void a_connection_that_takes_too_long_sent_nothing(void **state)
{
    struct poster *p = *state;
    int others[4];

    assert_int_equal(listen(p->listen_fd, 0), 0);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        others[i] = raw_knock(p->port);
    p->set.connect_us = 200000;
    poster_start(p);
    poster_submit(p);
    poster_wait(p);
    assert_result(p, SEND_NOT_SENT);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        close(others[i]);
}

static void a_silent_peer_leaves_doubt_when_time_is_up(void **state)
{
    struct poster *p = *state;
    struct raw_message m;

    p->set.total_us = 500000;
    poster_start(p);
    poster_submit(p);
    int fd = poster_take(p);
    assert_true(raw_read(fd, &m, true));
    raw_free(&m);
    poster_wait(p);
    assert_result(p, SEND_IN_DOUBT);
    assert_int_equal(p->seen.http_status, 0);
    assert_in_range(p->seen.took_us, 500000, 5000000);
    assert_true(raw_is_closed(fd));
    close(fd);
}

static void cut_after(struct poster *p, bool with_reset)
{
    struct raw_message m;

    poster_start(p);
    poster_submit(p);
    int fd = poster_take(p);
    assert_true(raw_read(fd, &m, true));
    raw_free(&m);
    raw_end(fd, with_reset);
    poster_wait(p);
    assert_result(p, SEND_IN_DOUBT);
    assert_int_equal(p->seen.http_status, 0);
    assert_false(poster_is_dialled(p));
}

static void a_line_that_ends_after_the_request_leaves_doubt(void **state)
{
    cut_after(*state, false);
}

static void a_line_that_is_reset_after_the_request_leaves_doubt(void **state)
{
    cut_after(*state, true);
}

// The peer read it all: a second copy would be a second message to somebody's telephone.
static void what_a_reused_line_may_have_taken_is_not_posted_again(void **state)
{
    struct poster *p = *state;
    struct raw_message m;

    poster_start(p);
    poster_submit(p);
    int fd = poster_take(p);
    assert_true(raw_read(fd, &m, true));
    raw_free(&m);
    assert_true(raw_say(fd, CREATED));
    poster_wait(p);
    poster_submit(p);
    assert_true(raw_read(fd, &m, true));
    raw_free(&m);
    close(fd);
    poster_wait(p);
    assert_result(p, SEND_IN_DOUBT);
    assert_int_equal(p->done_calls, 2);
    assert_false(poster_is_dialled(p));
    assert_refused(p, "reason=\"second_try\"", 1);
}

static size_t free_slots;

static void submit_another(void *arg)
{
    struct poster *p = arg;
    struct job other = p->job;

    assert_false(twilio_submit(p->twilio, &other));
}

static void count_slots(void *arg)
{
    struct poster *p = arg;
    free_slots = twilio_free_slots(p->twilio);
}

static void when_all_slots_are_busy_a_job_is_not_taken(void **state)
{
    struct poster *p = *state;
    struct raw_message m;

    poster_start(p);
    loop_do(&p->loop, count_slots, p);
    assert_int_equal(free_slots, 1);
    poster_submit(p);
    assert_true(p->taken);
    int fd = poster_take(p);
    assert_true(raw_read(fd, &m, true));
    raw_free(&m);
    loop_do(&p->loop, count_slots, p);
    assert_int_equal(free_slots, 0);
    loop_do(&p->loop, submit_another, p);
    assert_true(raw_say(fd, CREATED));
    poster_wait(p);
    assert_result(p, SEND_ACCEPTED);
    loop_do(&p->loop, count_slots, p);
    assert_int_equal(free_slots, 1);
    assert_int_equal(p->done_calls, 1);
    close(fd);
}

// The end of the worker: nobody is told, and nothing is left behind.
static void closing_forgets_what_is_in_flight(void **state)
{
    struct poster *p = *state;
    struct raw_message m;

    poster_start(p);
    poster_submit(p);
    int fd = poster_take(p);
    assert_true(raw_read(fd, &m, true));
    raw_free(&m);
    poster_close(p);
    assert_true(raw_is_closed(fd));
    close(fd);
    assert_int_equal(p->done_calls, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, poster_setup, poster_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_old_claim_is_not_posted),
        TEST(a_claim_is_not_posted_on_a_reused_line_either),
        TEST(what_is_of_no_use_any_more_is_not_posted),
        TEST(what_expired_long_ago_is_not_posted),
        TEST(a_job_of_a_mode_without_an_account_is_not_posted),
        TEST(a_job_that_wants_more_than_the_installation_is_not_posted),
        TEST(a_simulated_job_without_a_simulator_is_not_posted),
        TEST(a_number_that_is_not_listed_is_never_reached_in_mode_listed),
        TEST(each_mode_is_posted_to_its_own_account),
        TEST(a_refused_connection_sent_nothing),
        TEST(a_connection_that_takes_too_long_sent_nothing),
        TEST(a_silent_peer_leaves_doubt_when_time_is_up),
        TEST(a_line_that_ends_after_the_request_leaves_doubt),
        TEST(a_line_that_is_reset_after_the_request_leaves_doubt),
        TEST(what_a_reused_line_may_have_taken_is_not_posted_again),
        TEST(when_all_slots_are_busy_a_job_is_not_taken),
        TEST(closing_forgets_what_is_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
