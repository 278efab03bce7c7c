// What the HTTP client sends and what it reads, against a scripted peer.
#include "http_caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LARGE_BYTES = 1000000 };

static void sends_what_it_was_given_byte_for_byte(void **state)
{
    static const char *const headers[] = { "X-One: 1", "I-Two: 2", NULL };
    struct caller *c = *state;
    char wanted[CALLER_TEXT_BYTES];
    struct raw_message m;

    c->set.user_password = "user:pass";
    c->call.headers = headers;
    caller_start(c);
    caller_submit(c);
    int fd = caller_take(c);
    assert_true(raw_read(fd, &m, true));
    (void)snprintf(wanted, sizeof(wanted),
                   "POST /x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: smsq-test/1\r\n"
                   "Authorization: Basic dXNlcjpwYXNz\r\nContent-Type: text/plain\r\n"
                   "X-One: 1\r\nI-Two: 2\r\nContent-Length: 5\r\n\r\n",
                   c->port);
    assert_string_equal(m.header, wanted);
    assert_string_equal(m.body, "hello");
    raw_free(&m);
    assert_true(raw_say(fd, CREATED));
    caller_wait(c);
    assert_seen(c, true, 201);
    assert_string_equal(c->seen.body, "ok");
    assert_int_equal(c->seen.body_len, 2);
    assert_int_equal(c->seen.retry_after_us, -1);
    close(fd);
}

static void sets_again_what_differs_from_the_last_call(void **state)
{
    static const char *const headers[] = { "X-One: 1", NULL };
    struct caller *c = *state;
    char wanted[CALLER_TEXT_BYTES];
    struct raw_message m;

    c->set.in_flight_max = 1;
    c->call.headers = headers;
    caller_start(c);
    int fd = caller_first(c);
    c->call = (struct http_call){ .method = "GET", .url = c->url };
    (void)snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d/y?z=1", c->port);
    caller_submit(c);
    assert_true(raw_read(fd, &m, true));
    (void)snprintf(wanted, sizeof(wanted),
                   "GET /y?z=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                   "User-Agent: smsq-test/1\r\n\r\n",
                   c->port);
    assert_string_equal(m.header, wanted);
    raw_free(&m);
    assert_true(raw_say(fd, CREATED));
    caller_wait(c);

    c->call = (struct http_call){ .method = "DELETE", .url = c->url };
    caller_submit(c);
    assert_true(raw_read(fd, &m, true));
    assert_memory_equal(m.header, "DELETE /y?z=1 ", 14);
    raw_free(&m);
    assert_true(raw_say(fd, "HTTP/1.1 204 No Content\r\n\r\n"));
    caller_wait(c);
    assert_seen(c, true, 204);
    assert_int_equal(c->seen.body_len, 0);

    c->call = (struct http_call){ .method = "POST", .url = c->url };
    caller_submit(c);
    assert_true(raw_read(fd, &m, true));
    assert_null(raw_field(&m, "Content-Type"));
    assert_string_equal(raw_field(&m, "Content-Length"), "0");
    raw_free(&m);
    assert_true(raw_say(fd, CREATED));
    caller_wait(c);
    close(fd);
}

static void reads_answers_in_whatever_pieces_they_come(void **state)
{
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    struct caller *c = *state;

    caller_start(c);
    caller_submit(c);
    int fd = caller_take(c);
    assert_request(fd, "hello");
    for (size_t i = 0; i < sizeof(chunked) - 1; i++)
        assert_true(raw_send(fd, chunked + i, 1));
    caller_wait(c);
    assert_seen(c, true, 200);
    assert_string_equal(c->seen.body, "abcde");
    close(fd);
}

// More than the kernel takes at once: the rest goes when the peer has made room, or the
// answer comes first and the connection is of no use any more.
static void sends_a_large_body_in_parts(void **state)
{
    struct caller *c = *state;
    char *body = xcalloc(1, LARGE_BYTES);
    struct raw_message m;

    memset(body, 'x', LARGE_BYTES);
    c->call.body = body;
    c->call.body_len = LARGE_BYTES;
    caller_start(c);
    caller_submit(c);
    int fd = caller_take(c);
    assert_true(raw_read(fd, &m, true));
    assert_int_equal(m.body_len, LARGE_BYTES);
    assert_int_equal(strspn(m.body, "x"), LARGE_BYTES);
    raw_free(&m);
    assert_true(raw_say(fd, CREATED));
    caller_wait(c);
    assert_seen(c, true, 201);

    caller_submit(c);
    assert_true(raw_say(fd, ANSWER("413 Too Large", "2", "\r\nno")));
    caller_wait(c);
    assert_seen(c, true, 413);
    close(fd);
    c->call.body_len = 5;
    caller_submit(c);
    fd = caller_take(c);
    assert_request(fd, "xxxxx");
    assert_true(raw_say(fd, CREATED));
    caller_wait(c);
    close(fd);
    free(body);
}

static void reuses_the_connection(void **state)
{
    struct caller *c = *state;

    caller_start(c);
    int fd = caller_first(c);
    for (int i = 0; i < 20; i++) {
        caller_submit(c);
        assert_request(fd, "hello");
        assert_true(raw_say(fd, CREATED));
        caller_wait(c);
        assert_seen(c, true, 201);
    }
    assert_false(caller_is_dialled(c));
    assert_int_equal(c->gate_calls, 21);
    close(fd);
}

static void cuts_off_an_answer_that_is_too_long(void **state)
{
    struct caller *c = *state;
    char answer[CALLER_TEXT_BYTES];

    caller_start(c);
    for (int extra = 0; extra < 2; extra++) {
        caller_submit(c);
        int fd = caller_take(c);
        assert_request(fd, "hello");
        (void)snprintf(answer, sizeof(answer),
                       "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%0*d",
                       CALLER_ANSWER_MAX_BYTES + extra, CALLER_ANSWER_MAX_BYTES + extra,
                       0);
        assert_true(raw_say(fd, answer));
        caller_wait(c);
        assert_seen(c, true, extra ? 0 : 200);
        if (extra)
            assert_string_equal(c->seen.error, "the answer is longer than 1000 bytes");
        else
            assert_int_equal(c->seen.body_len, CALLER_ANSWER_MAX_BYTES);
        raw_end(fd, false);
        loop_do(&c->loop, caller_idle, c);
    }
}

static const struct {
    const char *field;
    int64_t us;
} waits[] = {
    { "Retry-After: 7\r\n", 7000000 },
    { "retry-after:  120 \r\n", 120000000 },
    { "Retry-After: 0\r\n", 0 },
    { "Retry-After: -1\r\n", -1 },
    { "Retry-After: 7s\r\n", -1 },
    { "Retry-After: 99999999999999999999\r\n", -1 },
    { "Retry-After: Fri, 31 Dec 2027 23:59:59 GMT\r\n", -1 },
    { "", -1 },
};

static void reads_retry_after_in_seconds(void **state)
{
    struct caller *c = *state;
    char answer[CALLER_TEXT_BYTES];

    caller_start(c);
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        caller_submit(c);
        int fd = caller_take(c);
        assert_request(fd, "hello");
        (void)snprintf(answer, sizeof(answer),
                       "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n"
                       "Connection: close\r\n%s\r\n",
                       waits[i].field);
        assert_true(raw_say(fd, answer));
        caller_wait(c);
        assert_seen(c, true, 429);
        assert_int_equal(c->seen.retry_after_us, waits[i].us);
        close(fd);
    }
}

static void does_not_follow_redirects(void **state)
{
    struct caller *c = *state;

    caller_start(c);
    caller_submit(c);
    int fd = caller_take(c);
    assert_request(fd, "hello");
    assert_true(
        raw_say(fd, ANSWER("307 Temporary Redirect", "0", "Location: /y\r\n\r\n")));
    caller_wait(c);
    assert_seen(c, true, 307);
    assert_false(caller_is_dialled(c));
    close(fd);
}

static void done_may_submit_again_even_with_one_slot(void **state)
{
    struct caller *c = *state;

    c->set.in_flight_max = 1;
    c->again = 3;
    caller_start(c);
    caller_submit(c);
    int fd = caller_take(c);
    for (int i = 0; i < 4; i++) {
        assert_request(fd, "hello");
        assert_true(raw_say(fd, CREATED));
        caller_wait(c);
        assert_seen(c, true, 201);
        assert_string_equal(c->seen.body, "ok");
    }
    close(fd);
}

static void assert_all_slots_taken(void *arg)
{
    const struct caller *c = arg;
    assert_int_equal(http_client_free_slots(c->client), 0);
    assert_int_equal(http_client_in_flight(c->client), c->set.in_flight_max);
}

static void refuses_more_than_its_slots_and_closes_with_calls_in_flight(void **state)
{
    struct caller *c = *state;

    caller_start(c);
    for (size_t i = 0; i < c->set.in_flight_max; i++)
        caller_submit(c);
    loop_do(&c->loop, caller_try, c);
    assert_false(c->taken);
    loop_do(&c->loop, assert_all_slots_taken, c);
    int fd = caller_take(c);
    assert_request(fd, "hello");
    loop_do(&c->loop, caller_close, c);
    assert_int_equal(c->done_calls, 0);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, caller_setup, caller_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sends_what_it_was_given_byte_for_byte),
        TEST(sets_again_what_differs_from_the_last_call),
        TEST(reads_answers_in_whatever_pieces_they_come),
        TEST(sends_a_large_body_in_parts),
        TEST(reuses_the_connection),
        TEST(cuts_off_an_answer_that_is_too_long),
        TEST(reads_retry_after_in_seconds),
        TEST(does_not_follow_redirects),
        TEST(done_may_submit_again_even_with_one_slot),
        TEST(refuses_more_than_its_slots_and_closes_with_calls_in_flight),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
