// A request that waits for PostgreSQL: ended in time, or answered 503.
#include "http_server.h"
#include "loop_thread.h"
#include "patience.h"
#include "raw_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_US = 200000, LONG_US = 60000000, WAITERS_MAX = 4 };
#define GET "GET /wait HTTP/1.1\r\nHost: test\r\n\r\n"

struct waiter {
    struct patient waiting;
};

struct fixture {
    struct loop_thread loop;
    struct http_server *server;
    struct patience *patience;
    int64_t wait_us;
    struct waiter *waiters[WAITERS_MAX];
    int count;
    bool ended[WAITERS_MAX];  // what patience_end returned
};

static void on_request(void *arg, struct http_request *req)
{
    struct fixture *f = arg;
    struct waiter *w = xcalloc(1, sizeof(*w));

    f->waiters[f->count++] = w;
    patience_begin(f->patience, &w->waiting, req);
}

static void end(struct fixture *f, int number)
{
    struct waiter *w = f->waiters[number];

    f->ended[number] = patience_end(f->patience, &w->waiting);
    if (f->ended[number])
        http_answer(w->waiting.req, 200, "text/plain", "in time", 7, NULL);
    free(w);
}

static void end_first(void *arg)
{
    end(arg, 0);
}

static void end_second(void *arg)
{
    end(arg, 1);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    loop_open(&f->loop);
    f->wait_us = WAIT_US;
    *state = f;
    return 0;
}

static int start(struct fixture *f)
{
    static const struct http_route routes[] = { { "GET", "/wait", on_request, 0, NULL },
                                                { 0 } };
    const struct http_server_settings set = {
        .address = "127.0.0.1",
        .connections_max = 10,
        .header_max_bytes = HTTP_HEADER_MAX_BYTES,
        .name = "test",
    };

    f->patience = patience_new(f->loop.reactor, f->wait_us);
    assert_int_equal(http_server_open(&f->server, f->loop.reactor, &set, routes, f, NULL,
                                      NULL),
                     OUTCOME_OK);
    loop_start(&f->loop);
    int fd = raw_dial(http_server_port(f->server));
    assert_true(raw_say(fd, GET));
    return fd;
}

static void close_all(void *arg)
{
    struct fixture *f = arg;

    http_server_close(f->server);
    patience_free(f->patience);  // with what nobody has ended
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    loop_do(&f->loop, close_all, f);
    loop_close(&f->loop);
    free(f);
    return 0;
}

static void assert_refused(int fd)
{
    struct raw_message m;

    assert_true(raw_read(fd, &m, true));
    assert_int_equal(m.status, 503);
    assert_string_equal(raw_field(&m, "Retry-After"), "2");
    assert_non_null(strstr(m.body, "\"code\":\"database_away\""));
    raw_free(&m);
}

static void wait_for_count(struct fixture *f, int count)
{
    while (__atomic_load_n(&f->count, __ATOMIC_RELAXED) < count)
        (void)usleep(1000);
}

static void an_answer_in_time_goes_out(void **state)
{
    struct fixture *f = *state;
    struct raw_message m;

    f->wait_us = LONG_US;
    int fd = start(f);
    wait_for_count(f, 1);
    loop_do(&f->loop, end_first, f);
    assert_true(raw_read(fd, &m, true));
    assert_int_equal(m.status, 200);
    assert_string_equal(m.body, "in time");
    raw_free(&m);
    close(fd);
    assert_true(f->ended[0]);
}

static void who_waits_too_long_is_refused_and_what_comes_later_is_dropped(void **state)
{
    struct fixture *f = *state;
    int first = start(f), second = raw_dial(http_server_port(f->server));

    wait_for_count(f, 1);
    (void)usleep(WAIT_US / 2);
    assert_true(raw_say(second, GET));
    assert_refused(first);
    assert_refused(second);
    loop_do(&f->loop, end_first, f);
    assert_false(f->ended[0]);
    assert_true(raw_say(first, GET));  // and the list is in order
    assert_refused(first);
    loop_do(&f->loop, end_second, f);
    assert_false(f->ended[1]);
    close(first);
    close(second);
}

static void who_waits_at_the_end_is_answered_and_forgotten(void **state)
{
    struct fixture *f = *state;

    f->wait_us = LONG_US;
    int fd = start(f);
    wait_for_count(f, 1);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_in_time_goes_out),
        TEST(who_waits_too_long_is_refused_and_what_comes_later_is_dropped),
        TEST(who_waits_at_the_end_is_answered_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
