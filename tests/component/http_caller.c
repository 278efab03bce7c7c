#include "http_caller.h"

#include "reactor.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static bool gate(void *arg)
{
    struct caller *c = arg;
    c->gate_calls++;
    return c->gate_open;
}

static void on_done(void *arg, const struct http_answer *answer)
{
    struct caller *c = arg;

    c->done_calls++;
    c->seen.left_us = answer->left_us;
    c->seen.status = answer->status;
    c->seen.body_len = answer->body_len;
    c->seen.retry_after_us = answer->retry_after_us;
    c->seen.took_us = answer->took_us;
    (void)snprintf(c->seen.body, CALLER_TEXT_BYTES, "%s", answer->body);
    (void)snprintf(c->seen.error, CALLER_TEXT_BYTES, "%s", answer->error);
    if (c->again > 0) {
        c->again--;
        assert_true(http_client_submit(c->client, &c->call, on_done, c));
        assert_string_equal(answer->body, c->seen.body);  // not touched by the new call
    }
    sem_post(&c->done);
}

int caller_setup(void **state)
{
    struct caller *c = xcalloc(1, sizeof(*c));

    c->set = (struct http_client_settings){ .in_flight_max = 4,
                                            .connect_us = 3000000,
                                            .total_us = 10000000,
                                            .answer_max_bytes = CALLER_ANSWER_MAX_BYTES,
                                            .user_agent = "smsq-test/1" };
    c->listen_fd = raw_listen(&c->port);
    c->gate_open = true;
    (void)snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d/x", c->port);
    c->call = (struct http_call){ .method = "POST",
                                  .url = c->url,
                                  .content_type = "text/plain",
                                  .body = "hello",
                                  .body_len = 5,
                                  .gate = gate };
    sem_init(&c->done, 0, 0);
    loop_open(&c->loop);
    *state = c;
    return 0;
}

void caller_start(struct caller *c)
{
    struct err err = { 0 };
    assert_int_equal(http_client_open(&c->client, c->loop.reactor, &c->set, &err),
                     OUTCOME_OK);
    loop_start(&c->loop);
}

void caller_close(void *arg)
{
    struct caller *c = arg;
    http_client_close(c->client);
    c->client = NULL;
}

int caller_teardown(void **state)
{
    struct caller *c = *state;

    loop_do(&c->loop, caller_close, c);
    loop_close(&c->loop);
    if (c->listen_fd >= 0)
        close(c->listen_fd);
    sem_destroy(&c->done);
    free(c);
    return 0;
}

void caller_try(void *arg)
{
    struct caller *c = arg;
    int before = c->done_calls;

    c->taken = http_client_submit(c->client, &c->call, on_done, c);
    assert_int_equal(c->done_calls, before);  // never from inside submit
}

void caller_idle(void *arg)
{
    (void)arg;
}

void caller_submit(struct caller *c)
{
    loop_do(&c->loop, caller_try, c);
    assert_true(c->taken);
}

void caller_wait(struct caller *c)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RAW_WAIT_S;
    assert_int_equal(sem_timedwait(&c->done, &until), 0);
}

int caller_take(struct caller *c)
{
    int fd = raw_take(c->listen_fd);
    assert_true(fd >= 0);
    return fd;
}

bool caller_is_dialled(const struct caller *c)
{
    struct pollfd p = { .fd = c->listen_fd, .events = POLLIN };
    return poll(&p, 1, 0) == 1;
}

void assert_request(int fd, const char *body)
{
    struct raw_message m;
    assert_true(raw_read(fd, &m, true));
    assert_string_equal(m.body, body);
    raw_free(&m);
}

void assert_seen(const struct caller *c, bool left_us, int status)
{
    print_message("%d %s\n", c->seen.status, c->seen.error);
    assert_int_equal(c->seen.left_us, left_us);
    assert_int_equal(c->seen.status, status);
    assert_true(c->seen.took_us >= 0);
    if (status)
        assert_string_equal(c->seen.error, "");
    else
        assert_true(c->seen.error[0] != '\0' && c->seen.body_len == 0);
}

int caller_first(struct caller *c)
{
    caller_submit(c);
    int fd = caller_take(c);
    assert_request(fd, "hello");
    assert_true(raw_say(fd, CREATED));
    caller_wait(c);
    assert_seen(c, true, 201);
    return fd;
}
