// How connections of the HTTP server end, and what it does when there is no room: spoken
// byte by byte.
#include "http_server.h"
#include "http_site.h"
#include "metrics.h"
#include "reactor.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PLACES = 2, REFUSED = 5, LARGE_BYTES = 600000, PIECE_BYTES = 20000 };

static void refused_connections_make_no_room_for_others(void **state)
{
    struct site *site = *state;
    int waiting[PLACES], refused[REFUSED];

    site->set.connections_max = PLACES;
    site_start(site);
    for (size_t i = 0; i < PLACES; i++) {
        waiting[i] = raw_dial(site->port);
        assert_true(raw_say(waiting[i], POST_LATER));
    }
    site_wait_for(site, site_read_waiting, PLACES);
    for (size_t i = 0; i < REFUSED; i++) {
        refused[i] = raw_dial(site->port);
        struct raw_message m = talk(refused[i], "");
        assert_int_equal(m.status, 503);
        raw_free(&m);
    }
    loop_do(&site->loop, site_answer_all, site);
    for (size_t i = 0; i < PLACES; i++) {
        assert_answer(waiting[i], 200, "at last");
        close(waiting[i]);
    }
    for (size_t i = 0; i < REFUSED; i++)
        close(refused[i]);
}

static void answer_and_close(void *arg)
{
    site_answer_all(arg);
    site_close(arg);
}

static void closing_begins_nothing_that_was_pipelined(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_true(raw_say(fd, POST_LATER POST_LATER));
    site_wait_for(site, site_read_waiting, 1);
    loop_do(&site->loop, answer_and_close, site);
    assert_answer(fd, 200, "at last");
    assert_true(raw_is_closed(fd));
    assert_int_equal(site->calls, 1);
    close(fd);
}

static void cut_and_close(void *arg)
{
    struct site *site = arg;

    for (size_t i = 0; i < site->waiting_count; i++)
        http_cut(site->waiting[i], "half", 4, false);
    site_close(site);
}

static void closing_leaves_alone_what_was_cut(void **state)
{
    struct site *site = *state;
    char got[5] = "";
    site_start(site);
    int fd = raw_dial(site->port);

    assert_true(raw_say(fd, POST_LATER));
    site_wait_for(site, site_read_waiting, 1);
    loop_do(&site->loop, cut_and_close, site);
    assert_int_equal(recv(fd, got, 4, MSG_WAITALL), 4);
    assert_string_equal(got, "half");
    assert_true(raw_is_closed(fd));
    close(fd);
}

// Its gauges point nowhere afterwards, which a sanitizer sees.
static void metrics_outlive_the_server(void **state)
{
    struct site *site = *state;
    site_start(site);

    loop_do(&site->loop, site_close, site);
    metrics_render(site->metrics, &site->exposition);
    assert_non_null(strstr(buf_text(&site->exposition), "smsq_http_connections{"));
}

// The other connection sees to it that the server has looked at each piece.
static void who_sends_far_too_much_still_reads_why_not(void **state)
{
    struct site *site = *state;
    const char piece[PIECE_BYTES] = "";
    site_start(site);
    int fd = raw_dial(site->port), other = raw_dial(site->port);

    assert_true(raw_say(fd, "POST /echo HTTP/1.1\r\n" HOST LENGTH("600000") "\r\n"));
    for (size_t sent = 0; sent < LARGE_BYTES; sent += PIECE_BYTES) {
        assert_true(raw_send(fd, piece, PIECE_BYTES));
        assert_talk(other, GET_HELLO, 200, "hello");
    }
    struct raw_message m = talk(fd, "");
    assert_int_equal(m.status, 413);
    assert_true(raw_is_closed(fd));
    raw_free(&m);
    close(fd);
    close(other);
}

// The next file descriptor is the last one.
static void leave_one_descriptor(struct rlimit *before)
{
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
    const struct rlimit low = { (rlim_t)next + 1, before->rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    close(next);
}

static void waits_without_haste_for_a_file_descriptor(void **state)
{
    const struct timespec while_it_waits = { .tv_nsec = 500000000 };
    struct site *site = *state;
    struct rlimit before;

    site_start(site);
    leave_one_descriptor(&before);
    int fd = raw_dial(site->port);
    assert_true(raw_say(fd, GET_HELLO));
    clock_t used = clock();
    nanosleep(&while_it_waits, NULL);  // the processor's time in it is what is measured
    used = clock() - used;
    assert_int_equal(site_ask(site, site_read_calls), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_answer(fd, 200, "hello");
    assert_in_range(used, 0, CLOCKS_PER_SEC / 10);
    close(fd);
}

// --- clients that do anything ---

enum { CLIENTS = 1500, AT_ONCE = 16, STEPS_MAX = 6 };

static const char *const words[] = {
    GET_HELLO,
    POST_LATER,
    GET_HELLO GET_HELLO POST_LATER GET_HELLO,
    "GET /big HTTP/1.1\r\n" HOST "\r\n",
    "GET /big HTTP/1.1\r\n" HOST "\r\nGET /big HTTP/1.1\r\n" HOST "\r\n" POST_LATER,
    "HEAD /big HTTP/1.1\r\n" HOST "\r\n",
    "POST /echo HTTP/1.1\r\n" HOST LENGTH("9") "\r\nhalf",
    "POST /later HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "0\r\n\r\n",
    "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n" LENGTH("3") "\r\n",
    "POST /nowhere HTTP/1.1\r\n" HOST LENGTH("2") "\r\nhi",
    "GET /hello HTTP/1.0\r\n\r\n",
    "GET",
    "\r\n",
    "\0",
};

static unsigned draw(unsigned *seed, size_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % (unsigned)below;
}

static void act(int fd, unsigned *seed)
{
    char bytes[4096];
    const char *word = words[draw(seed, COUNT_OF(words))];

    switch (draw(seed, 8)) {
    case 0:
        (void)shutdown(fd, SHUT_WR);
        break;
    case 1:
        (void)recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        break;
    case 2:
        (void)raw_send(fd, word, strlen(word) / 2);
        break;
    default:
        (void)raw_send(fd, word, strlen(word) + (word[0] == '\0'));
    }
}

static void nothing_is_left_of_clients_that_do_anything(void **state)
{
    struct site *site = *state;
    unsigned seed = 20261121;
    int fds[AT_ONCE];

    site->answer_at = AT_ONCE / 2;
    site->set.connections_max = AT_ONCE - 3;
    site_start(site);
    for (int i = 0; i < CLIENTS / AT_ONCE; i++) {
        for (size_t j = 0; j < AT_ONCE; j++)
            fds[j] = raw_dial(site->port);
        for (int step = 0; step < STEPS_MAX * AT_ONCE; step++)
            act(fds[draw(&seed, AT_ONCE)], &seed);
        if (draw(&seed, 2))
            loop_do(&site->loop, site_answer_all, site);
        for (size_t j = 0; j < AT_ONCE; j++)
            raw_end(fds[j], draw(&seed, 2));
    }
    loop_do(&site->loop, site_answer_all, site);
    site_wait_for(site, site_read_in_hand, 0);
    int fd = raw_dial(site->port);
    assert_talk(fd, GET_HELLO, 200, "hello");
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refused_connections_make_no_room_for_others),
        TEST(closing_begins_nothing_that_was_pipelined),
        TEST(closing_leaves_alone_what_was_cut),
        TEST(metrics_outlive_the_server),
        TEST(who_sends_far_too_much_still_reads_why_not),
        TEST(waits_without_haste_for_a_file_descriptor),
        TEST(nothing_is_left_of_clients_that_do_anything),
    };
    return cmocka_run_group_tests_name("http_end", tests, NULL, NULL);
}
