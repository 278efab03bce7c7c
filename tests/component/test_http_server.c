// The HTTP server serves: at once, later, many, and to its end. Spoken byte by byte.
#include "http_server.h"
#include "http_site.h"
#include "metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

static void answers_at_once_and_keeps_the_connection(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    for (int i = 0; i < 3; i++) {
        struct raw_message m = talk(fd, GET_HELLO);
        assert_int_equal(m.status, 200);
        assert_string_equal(m.body, "hello");
        assert_string_equal(raw_field(&m, "Content-Type"), "text/plain");
        assert_non_null(raw_field(&m, "Date"));
        raw_free(&m);
    }
    close(fd);
}

static void gives_the_handler_all_parts_of_the_request(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_talk(fd,
                "GET /items/a%20b/c?q=x%2By+z&e HTTP/1.1\r\n" HOST "x-thing: 7\r\n\r\n",
                200,
                "GET|/items/a%20b/c?q=x%2By+z&e|/items/a b/c|a b/c|q=x+y z|x=7|"
                "127.0.0.1|");
    assert_talk(fd, "GET /items/?q HTTP/1.1\r\n" HOST "\r\n", 200,
                "GET|/items/?q|/items/||q=|x=none|127.0.0.1|");
    assert_talk(fd, "POST /echo HTTP/1.1\r\n" HOST LENGTH("3") "\r\nabc", 200,
                "POST|/echo|/echo||q=none|x=none|127.0.0.1|abc");
    assert_talk(fd, "GET /items/special HTTP/1.1\r\n" HOST "\r\n", 200, "hello");
    close(fd);
}

static void answers_later(void **state)
{
    struct site *site = *state;
    site->answer_at = 1;
    site_start(site);
    int fd = raw_dial(site->port);

    for (int i = 0; i < 3; i++)
        assert_talk(fd, POST_LATER, 200, "at last");
    close(fd);
    site_wait_for(site, site_read_in_hand, 0);
}

static void answers_hundreds_that_waited_in_one_turn(void **state)
{
    struct site *site = *state;
    int fds[SITE_LATER_MAX];
    site->answer_at = SITE_LATER_MAX;
    site_start(site);

    for (size_t i = 0; i < SITE_LATER_MAX; i++) {
        fds[i] = raw_dial(site->port);
        assert_true(raw_say(fds[i], POST_LATER));
    }
    for (size_t i = 0; i < SITE_LATER_MAX; i++) {
        assert_answer(fds[i], 200, "at last");
        close(fds[i]);
    }
    site_wait_for(site, site_read_in_hand, 0);
}

static void answers_pipelined_requests_in_order(void **state)
{
    struct site *site = *state;
    site->answer_at = 1;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_true(raw_say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n"
                            "POST /later HTTP/1.1\r\n" HOST LENGTH(
                                "0") "\r\n"
                                     "GET /hello HTTP/1.1\r\n" HOST "\r\n"));
    assert_answer(fd, 200, "hello");
    assert_answer(fd, 200, "at last");
    assert_answer(fd, 200, "hello");
    close(fd);
}

static void answers_a_client_that_closed_its_sending_half(void **state)
{
    struct site *site = *state;
    site->answer_at = 1;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_true(raw_say(fd, POST_LATER));
    shutdown(fd, SHUT_WR);
    assert_answer(fd, 200, "at last");
    close(fd);
}

static void delivers_large_answers_whole(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);
    struct raw_message m = talk(fd, "GET /big HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(m.body_len, SITE_BIG_BYTES);
    assert_int_equal(strspn(m.body, "b"), SITE_BIG_BYTES);
    raw_free(&m);
    close(fd);
}

static void leaves_out_header_values_that_would_split_the_answer(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);
    struct raw_message m = talk(fd, "GET /split HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(m.status, 201);
    assert_string_equal(raw_field(&m, "X-Good"), "yes");
    assert_null(raw_field(&m, "X-Evil"));
    assert_null(raw_field(&m, "X-Bad"));
    raw_free(&m);
    close(fd);
}

static void survives_clients_that_leave_while_they_wait(void **state)
{
    struct site *site = *state;
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    int fds[20];

    site_start(site);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = raw_dial(site->port);
        assert_true(raw_say(fds[i], POST_LATER));
    }
    site_wait_for(site, site_read_waiting, COUNT_OF(fds));
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (i % 2)
            setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fds[i]);
    }
    int fd = raw_dial(site->port);
    assert_talk(fd, GET_HELLO, 200, "hello");
    assert_int_equal(site_ask(site, site_read_waiting), COUNT_OF(fds));
    loop_do(&site->loop, site_answer_all, site);
    site_wait_for(site, site_read_in_hand, 0);
    assert_talk(fd, GET_HELLO, 200, "hello");
    close(fd);
}

static void closing_answers_those_that_wait_with_503(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_true(raw_say(fd, POST_LATER));
    site_wait_for(site, site_read_waiting, 1);
    loop_do(&site->loop, site_close, site);
    struct raw_message m = talk(fd, "");
    assert_int_equal(m.status, 503);
    assert_non_null(raw_field(&m, "Retry-After"));
    assert_true(raw_is_closed(fd));
    raw_free(&m);
    close(fd);
}

static void stop_listening(void *arg)
{
    struct site *site = arg;
    http_server_stop_listening(site->server);
}

static void stops_listening_but_finishes_what_it_has(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_true(raw_say(fd, POST_LATER));
    site_wait_for(site, site_read_waiting, 1);
    loop_do(&site->loop, stop_listening, site);
    assert_int_equal(raw_dial(site->port), -1);
    assert_int_equal(site_ask(site, site_read_in_hand), 1);
    loop_do(&site->loop, site_answer_all, site);
    struct raw_message m = talk(fd, "");
    assert_int_equal(m.status, 200);
    assert_string_equal(raw_field(&m, "Connection"), "close");
    raw_free(&m);
    assert_true(raw_is_closed(fd));
    site_wait_for(site, site_read_in_hand, 0);
    close(fd);
}

static void says_which_port_is_in_use(void **state)
{
    struct site *site = *state;
    struct http_server *second = NULL;
    struct err err = { 0 };
    char wanted[128];

    site_start(site);
    site->set.port = site->port;
    assert_int_equal(http_server_open(&second, site->loop.reactor, &site->set,
                                      site_routes, site, NULL, &err),
                     OUTCOME_FATAL);
    assert_null(second);
    (void)snprintf(wanted, sizeof(wanted),
                   "cannot listen on 127.0.0.1:%d: Address already in use", site->port);
    assert_string_equal(err.text, wanted);
}

static void ends_idle_and_slow_connections(void **state)
{
    struct site *site = *state;
    site->limits.idle_timeout_us = 1000000;
    site->limits.body_timeout_us = 500000;
    site_start(site);
    int idle = raw_dial(site->port);
    int slow = raw_dial(site->port);

    assert_talk(idle, GET_HELLO, 200, "hello");
    assert_true(raw_say(slow, "POST /echo HTTP/1.1\r\n" HOST LENGTH("5") "\r\nab"));
    struct raw_message m = talk(slow, "");
    assert_int_equal(m.status, 408);
    assert_string_equal(raw_field(&m, "Connection"), "close");
    assert_true(raw_is_closed(slow));
    assert_true(raw_is_closed(idle));
    raw_free(&m);
    site_wait_for(site, site_read_in_hand, 0);
    close(idle);
    close(slow);
}

static void refuses_connections_beyond_the_limit(void **state)
{
    struct site *site = *state;

    site->set.connections_max = 2;
    site_start(site);
    int first = raw_dial(site->port), second = raw_dial(site->port);
    assert_true(raw_say(first, POST_LATER));
    assert_true(raw_say(second, POST_LATER));
    site_wait_for(site, site_read_waiting, 2);
    int third = raw_dial(site->port);
    struct raw_message m = talk(third, "");
    assert_int_equal(m.status, 503);
    assert_non_null(strstr(m.body, "\"code\":\"too_many_connections\""));
    assert_non_null(raw_field(&m, "Retry-After"));
    assert_true(raw_is_closed(third));
    raw_free(&m);
    loop_do(&site->loop, site_answer_all, site);
    assert_answer(first, 200, "at last");
    assert_answer(second, 200, "at last");
    close(first);
    close(second);
    close(third);
}

static void ends_the_longest_idle_connection_when_a_new_one_needs_its_place(void **state)
{
    struct site *site = *state;

    site->set.connections_max = 2;
    site_start(site);
    int first = raw_dial(site->port), second = raw_dial(site->port);
    assert_talk(first, GET_HELLO, 200, "hello");
    assert_talk(second, GET_HELLO, 200, "hello");
    int third = raw_dial(site->port);
    assert_talk(third, GET_HELLO, 200, "hello");
    assert_true(raw_is_closed(first));
    assert_talk(second, GET_HELLO, 200, "hello");
    close(first);
    close(second);
    close(third);
}

static void render(void *arg)
{
    struct site *site = arg;
    metrics_render(site->metrics, &site->exposition);
}

static void counts_answers_by_route_and_code(void **state)
{
    static const char *const lines[] = {
        "smsq_http_requests_total{server=\"test\",route=\"/hello\",code=\"200\"} 2\n",
        "smsq_http_requests_total{server=\"test\",route=\"other\",code=\"404\"} 1\n",
        "smsq_http_requests_in_hand{server=\"test\"} 0\n",
        "smsq_http_request_seconds_count{server=\"test\"} 3\n",
    };
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_talk(fd, GET_HELLO, 200, "hello");
    assert_talk(fd, GET_HELLO, 200, "hello");
    struct raw_message m = talk(fd, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
    raw_free(&m);
    site_wait_for(site, site_read_in_hand, 0);
    loop_do(&site->loop, render, site);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_non_null(strstr(buf_text(&site->exposition), lines[i]));
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_at_once_and_keeps_the_connection),
        TEST(gives_the_handler_all_parts_of_the_request),
        TEST(answers_later),
        TEST(answers_hundreds_that_waited_in_one_turn),
        TEST(answers_pipelined_requests_in_order),
        TEST(answers_a_client_that_closed_its_sending_half),
        TEST(delivers_large_answers_whole),
        TEST(leaves_out_header_values_that_would_split_the_answer),
        TEST(survives_clients_that_leave_while_they_wait),
        TEST(closing_answers_those_that_wait_with_503),
        TEST(stops_listening_but_finishes_what_it_has),
        TEST(says_which_port_is_in_use),
        TEST(ends_idle_and_slow_connections),
        TEST(refuses_connections_beyond_the_limit),
        TEST(ends_the_longest_idle_connection_when_a_new_one_needs_its_place),
        TEST(counts_answers_by_route_and_code),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
