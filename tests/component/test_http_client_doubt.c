// Whether a request left us, when no answer came; and that none is ever sent twice.
#include "http_caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void nothing_left_when_nobody_listens(void **state)
{
    struct caller *c = *state;

    close(c->listen_fd);
    c->listen_fd = -1;
    caller_start(c);
    caller_submit(c);
    caller_wait(c);
    assert_seen(c, false, 0);
    assert_int_equal(c->gate_calls, 0);
}

static void nothing_left_for_an_address_that_is_none(void **state)
{
    static const char *const urls[] = { "file:///etc/hostname", "http://",
                                        "ftp://127.0.0.1/",
                                        "http://no-such-host.invalid/" };
    struct caller *c = *state;

    caller_start(c);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        c->call.url = urls[i];
        caller_submit(c);
        caller_wait(c);
        assert_seen(c, false, 0);
    }
}

static void a_closed_gate_keeps_every_byte_back(void **state)
{
    struct caller *c = *state;

    c->gate_open = false;
    caller_start(c);
    caller_submit(c);
    int fd = caller_take(c);
    caller_wait(c);
    assert_seen(c, false, 0);
    assert_int_equal(c->gate_calls, 1);
    assert_true(raw_is_closed(fd));
    close(fd);
}

static void a_closed_gate_keeps_every_byte_back_on_a_reused_connection(void **state)
{
    struct caller *c = *state;

    caller_start(c);
    int fd = caller_first(c);
    c->gate_open = false;
    caller_submit(c);
    caller_wait(c);
    assert_seen(c, false, 0);
    assert_true(raw_is_closed(fd));
    assert_false(caller_is_dialled(c));
    close(fd);
}

static void it_left_us_when_the_peer_reads_and_closes(void **state)
{
    struct caller *c = *state;

    caller_start(c);
    for (int with_reset = 0; with_reset < 2; with_reset++) {
        caller_submit(c);
        int fd = caller_take(c);
        assert_request(fd, "hello");
        raw_end(fd, with_reset);
        caller_wait(c);
        assert_seen(c, true, 0);
        assert_false(caller_is_dialled(c));
    }
}

static void never_sends_again_what_a_reused_connection_took(void **state)
{
    struct caller *c = *state;

    caller_start(c);
    for (int with_reset = 0; with_reset < 2; with_reset++) {
        int fd = caller_first(c);
        caller_submit(c);
        assert_request(fd, "hello");
        raw_end(fd, with_reset);
        caller_wait(c);
        assert_seen(c, true, 0);
        assert_string_equal(c->seen.error,
                            "the connection closed before an answer; not sent again");
        assert_false(caller_is_dialled(c));
        assert_int_equal(c->gate_calls, 2 * (with_reset + 1));
    }
}

static void takes_a_new_connection_when_the_idle_one_ended(void **state)
{
    static const struct {
        const char *what, *last_words;
        bool with_reset;
    } ends[] = {
        { "closed", "", false },
        { "reset", "", true },
        { "closed after words nobody asked for", ANSWER("408 Late", "0", "\r\n"), false },
        { "closed after a false answer", CREATED, false },
    };
    struct caller *c = *state;

    caller_start(c);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        print_message("%s\n", ends[i].what);
        c->gate_calls = 0;
        int fd = caller_first(c);
        assert_true(raw_say(fd, ends[i].last_words));
        raw_end(fd, ends[i].with_reset);
        // The end is in our kernel already. Two turns later the loop has seen it.
        loop_do(&c->loop, caller_idle, c);
        loop_do(&c->loop, caller_idle, c);
        caller_submit(c);
        fd = caller_take(c);
        assert_request(fd, "hello");
        assert_true(raw_say(fd, ANSWER("202 Accepted", "0", "\r\n")));
        caller_wait(c);
        assert_seen(c, true, 202);
        assert_int_equal(c->gate_calls, 2);
        assert_false(caller_is_dialled(c));
        raw_end(fd, false);
        loop_do(&c->loop, caller_idle, c);
        loop_do(&c->loop, caller_idle, c);
    }
}

static void gives_up_after_the_total_time(void **state)
{
    struct caller *c = *state;

    c->set.total_us = 200000;
    caller_start(c);
    caller_submit(c);
    int fd = caller_take(c);
    assert_request(fd, "hello");
    assert_true(raw_say(fd, "HTTP/1.1 201 Created\r\nContent-Le"));
    caller_wait(c);
    assert_seen(c, true, 0);
    assert_in_range(c->seen.took_us, 190000, 5000000);
    assert_true(raw_is_closed(fd));
    close(fd);
}

static void an_answer_that_breaks_off_is_none(void **state)
{
    struct caller *c = *state;

    caller_start(c);
    caller_submit(c);
    int fd = caller_take(c);
    assert_request(fd, "hello");
    assert_true(raw_say(fd, ANSWER("201 Created", "20", "\r\nonly a part")));
    close(fd);
    caller_wait(c);
    assert_seen(c, true, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, caller_setup, caller_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_left_when_nobody_listens),
        TEST(nothing_left_for_an_address_that_is_none),
        TEST(a_closed_gate_keeps_every_byte_back),
        TEST(a_closed_gate_keeps_every_byte_back_on_a_reused_connection),
        TEST(it_left_us_when_the_peer_reads_and_closes),
        TEST(never_sends_again_what_a_reused_connection_took),
        TEST(takes_a_new_connection_when_the_idle_one_ended),
        TEST(gives_up_after_the_total_time),
        TEST(an_answer_that_breaks_off_is_none),
    };
    return cmocka_run_group_tests_name("http_client_doubt", tests, NULL, NULL);
}
