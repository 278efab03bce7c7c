// The event loop: timers, file descriptors, eventfds, signals.
#include "reactor.h"

#include "buf.h"
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MS = 1000, GUARD_US = 5000000 };

// A reactor, a trace of what ran, and a guard that ends a loop which does not end.
struct fixture {
    struct reactor *r;
    struct reactor_timer *guard;
    struct buf trace;
    bool guarded;
    struct probe {
        struct fixture *f;
        struct reactor_timer *timer;
        struct probe *other;
        char mark;
        int left;  // how often it sets itself again
        int fd;
    } a, b, c;
};

static void on_guard(void *arg)
{
    struct fixture *f = arg;
    f->guarded = true;
    reactor_stop(f->r);
}

static void run(struct fixture *f)
{
    reactor_timer_set(f->guard, GUARD_US);
    reactor_run(f->r);
    assert_false(f->guarded);
}

static void on_stop(void *arg)
{
    struct probe *p = arg;
    buf_add_char(&p->f->trace, p->mark);
    reactor_stop(p->f->r);
}

static void on_mark(void *arg)
{
    struct probe *p = arg;
    buf_add_char(&p->f->trace, p->mark);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct err err;

    stop_install();
    if (reactor_open(&f->r, &err))
        return -1;
    buf_init(&f->trace, 4096);
    f->guard = reactor_timer_new(f->r, on_guard, f);
    f->a = (struct probe){ .f = f, .mark = 'a', .other = &f->b, .fd = -1 };
    f->b = (struct probe){ .f = f, .mark = 'b', .other = &f->a, .fd = -1 };
    f->c = (struct probe){ .f = f, .mark = 'c', .other = &f->a, .fd = -1 };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    reactor_timer_free(f->a.timer);
    reactor_timer_free(f->b.timer);
    reactor_timer_free(f->c.timer);
    reactor_close(f->r);
    reactor_timer_free(f->guard);  // after the reactor: allowed
    buf_free(&f->trace);
    free(f);
    return 0;
}

static void timers_run_in_the_order_of_their_time(void **state)
{
    struct fixture *f = *state;

    f->a.timer = reactor_timer_new(f->r, on_stop, &f->a);
    f->b.timer = reactor_timer_new(f->r, on_mark, &f->b);
    f->c.timer = reactor_timer_new(f->r, on_mark, &f->c);
    int64_t began = clock_boot_us();
    reactor_timer_set(f->a.timer, 15 * MS);
    reactor_timer_set(f->b.timer, 10 * MS);
    reactor_timer_set(f->c.timer, 1 * MS);
    assert_true(reactor_timer_is_set(f->b.timer));
    run(f);
    assert_true(clock_boot_us() - began >= 15 * MS);
    assert_string_equal(buf_text(&f->trace), "cba");
    assert_false(reactor_timer_is_set(f->b.timer));
}

struct many {
    struct fixture *f;
    struct reactor_timer *timer;
    int64_t due_low_us, due_high_us;  // the time that it is due lies between them
    int64_t *last_us;
    int *left;
};

static void on_one_of_many(void *arg)
{
    struct many *m = arg;

    assert_true(m->due_high_us >= *m->last_us);
    assert_true(clock_boot_us() >= m->due_low_us);
    if (*m->last_us < m->due_low_us)
        *m->last_us = m->due_low_us;
    if (--*m->left == 0)
        reactor_stop(m->f->r);
}

static void many_timers_set_moved_and_stopped_keep_their_order(void **state)
{
    enum { COUNT = 500 };
    struct fixture *f = *state;
    static struct many many[COUNT];
    int64_t last_us = 0;
    int left = COUNT;

    for (int i = 0; i < COUNT; i++) {
        many[i] = (struct many){ .f = f, .last_us = &last_us, .left = &left };
        many[i].timer = reactor_timer_new(f->r, on_one_of_many, &many[i]);
        reactor_timer_set(many[i].timer, (int64_t)random_below(30 * MS));
    }
    for (int i = 0; i < COUNT; i++) {  // moves all of them, in a random place of the heap
        int64_t delay_us = (int64_t)random_below(30 * MS);
        if (i % 3 == 0)
            reactor_timer_stop(many[i].timer);
        many[i].due_low_us = clock_boot_us() + delay_us;
        reactor_timer_set(many[i].timer, delay_us);
        many[i].due_high_us = clock_boot_us() + delay_us;
    }
    for (int i = 0; i < COUNT; i += 5) {
        reactor_timer_stop(many[i].timer);
        assert_false(reactor_timer_is_set(many[i].timer));
        left--;
    }
    run(f);
    assert_int_equal(left, 0);
    for (int i = 0; i < COUNT; i++)
        reactor_timer_free(many[i].timer);
}

static void on_stop_other(void *arg)
{
    struct probe *p = arg;
    buf_add_char(&p->f->trace, p->mark);
    reactor_timer_stop(p->other->timer);
}

static void on_free_other(void *arg)
{
    struct probe *p = arg;
    buf_add_char(&p->f->trace, p->mark);
    reactor_timer_free(p->other->timer);
    p->other->timer = NULL;
    reactor_timer_free(p->timer);  // and itself
    p->timer = NULL;
}

static void a_timer_can_be_stopped_by_one_that_is_due_with_it(void **state)
{
    struct fixture *f = *state;

    f->a.timer = reactor_timer_new(f->r, on_stop_other, &f->a);
    f->b.timer = reactor_timer_new(f->r, on_mark, &f->b);
    f->c.timer = reactor_timer_new(f->r, on_stop, &f->c);
    reactor_timer_set(f->a.timer, 1);
    reactor_timer_set(f->b.timer, 2);
    reactor_timer_set(f->c.timer, 3);
    usleep(2 * MS);  // all of them are due in the first turn
    run(f);
    assert_string_equal(buf_text(&f->trace), "ac");
}

static void a_timer_can_be_freed_by_one_that_is_due_with_it(void **state)
{
    struct fixture *f = *state;

    f->a.timer = reactor_timer_new(f->r, on_free_other, &f->a);
    f->b.timer = reactor_timer_new(f->r, on_mark, &f->b);
    f->c.timer = reactor_timer_new(f->r, on_stop, &f->c);
    reactor_timer_set(f->a.timer, 1);
    reactor_timer_set(f->b.timer, 2);
    reactor_timer_set(f->c.timer, 3);
    usleep(2 * MS);
    run(f);
    assert_string_equal(buf_text(&f->trace), "ac");
}

static void on_again(void *arg)
{
    struct probe *p = arg;

    buf_add_char(&p->f->trace, p->mark);
    if (p->left-- > 0)
        reactor_timer_set(p->timer, 0);
    else
        reactor_stop(p->f->r);
}

static void on_readable_mark(void *arg, uint32_t events)
{
    struct probe *p = arg;

    assert_true(events & EPOLLIN);
    buf_add_char(&p->f->trace, p->mark);
}

// Between two runs of a timer that is always due, descriptors get their turn.
static void a_timer_set_to_zero_runs_in_the_next_turn(void **state)
{
    struct fixture *f = *state;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(reactor_watch(f->r, ends[0], EPOLLIN, on_readable_mark, &f->b, NULL),
                     0);
    f->a.timer = reactor_timer_new(f->r, on_again, &f->a);
    f->a.left = 20;
    reactor_timer_set(f->a.timer, 0);
    run(f);
    assert_null(strstr(buf_text(&f->trace), "aa"));
    assert_int_equal(f->a.left, -1);
    reactor_unwatch(f->r, ends[0]);
    close(ends[0]);
    close(ends[1]);
}

static void a_stopped_loop_can_run_again(void **state)
{
    struct fixture *f = *state;

    reactor_stop(f->r);
    run(f);  // the stop came first: it returns at once
    assert_string_equal(buf_text(&f->trace), "");
    f->a.timer = reactor_timer_new(f->r, on_stop, &f->a);
    for (int i = 0; i < 2; i++) {
        reactor_timer_set(f->a.timer, 0);
        run(f);
    }
    assert_string_equal(buf_text(&f->trace), "aa");
    assert_true(clock_boot_us() - reactor_turned_us(f->r) < GUARD_US);
}

// Whoever runs first makes sure that the other one does not.
static void on_readable_unwatch_other(void *arg, uint32_t events)
{
    struct probe *p = arg;

    (void)events;
    buf_add_char(&p->f->trace, '1');
    reactor_unwatch(p->f->r, p->other->fd);
    reactor_unwatch(p->f->r, p->fd);
    reactor_timer_set(p->f->c.timer, 5 * MS);
}

static void no_callback_runs_after_unwatch(void **state)
{
    struct fixture *f = *state;
    int one[2], two[2];

    assert_int_equal(pipe(one), 0);
    assert_int_equal(pipe(two), 0);
    f->a.fd = one[0];
    f->b.fd = two[0];
    f->c.timer = reactor_timer_new(f->r, on_stop, &f->c);
    assert_int_equal(
        reactor_watch(f->r, one[0], EPOLLIN, on_readable_unwatch_other, &f->a, NULL), 0);
    assert_int_equal(
        reactor_watch(f->r, two[0], EPOLLIN, on_readable_unwatch_other, &f->b, NULL), 0);
    assert_int_equal(write(one[1], "x", 1), 1);
    assert_int_equal(write(two[1], "x", 1), 1);
    run(f);
    assert_string_equal(buf_text(&f->trace), "1c");
    reactor_unwatch(f->r, -1);
    reactor_unwatch(f->r, 100000);
    for (int i = 0; i < 2; i++) {
        close(one[i]);
        close(two[i]);
    }
}

static void on_readable_never(void *arg, uint32_t events)
{
    struct probe *p = arg;
    (void)events;
    buf_add_char(&p->f->trace, '!');
}

// The first callback unwatches the other descriptor, closes it, and opens a new one that
// gets the same number: the event that was reported for the old one must not reach it.
static void on_readable_reopen_other(void *arg, uint32_t events)
{
    struct probe *p = arg;
    struct probe *other = p->other;

    (void)events;
    buf_add_char(&p->f->trace, '1');
    reactor_unwatch(p->f->r, p->fd);
    reactor_unwatch(p->f->r, other->fd);
    int idle[2];
    assert_int_equal(pipe(idle), 0);
    assert_int_equal(dup2(idle[0], other->fd), other->fd);
    close(idle[0]);
    assert_int_equal(
        reactor_watch(p->f->r, other->fd, EPOLLIN, on_readable_never, other, NULL), 0);
    p->f->c.fd = idle[1];
    reactor_timer_set(p->f->c.timer, 5 * MS);
}

static void an_old_event_does_not_reach_a_new_watch(void **state)
{
    struct fixture *f = *state;
    int one[2], two[2];

    assert_int_equal(pipe(one), 0);
    assert_int_equal(pipe(two), 0);
    f->a.fd = one[0];
    f->b.fd = two[0];
    f->c.timer = reactor_timer_new(f->r, on_stop, &f->c);
    assert_int_equal(
        reactor_watch(f->r, one[0], EPOLLIN, on_readable_reopen_other, &f->a, NULL), 0);
    assert_int_equal(
        reactor_watch(f->r, two[0], EPOLLIN, on_readable_reopen_other, &f->b, NULL), 0);
    assert_int_equal(write(one[1], "x", 1), 1);
    assert_int_equal(write(two[1], "x", 1), 1);
    run(f);
    assert_string_equal(buf_text(&f->trace), "1c");
    reactor_unwatch(f->r, f->a.fd);
    reactor_unwatch(f->r, f->b.fd);
    close(f->c.fd);
    for (int i = 0; i < 2; i++) {
        close(one[i]);
        close(two[i]);
    }
}

static void on_writable_stop(void *arg, uint32_t events)
{
    struct probe *p = arg;

    assert_true(events & EPOLLOUT);
    buf_add_char(&p->f->trace, p->mark);
    reactor_stop(p->f->r);
}

static void a_second_watch_replaces_the_first(void **state)
{
    struct fixture *f = *state;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(
        reactor_watch(f->r, ends[1], EPOLLOUT, on_readable_never, &f->a, NULL), 0);
    assert_int_equal(
        reactor_watch(f->r, ends[1], EPOLLOUT, on_writable_stop, &f->b, NULL), 0);
    run(f);
    assert_string_equal(buf_text(&f->trace), "b");
    reactor_unwatch(f->r, ends[1]);
    close(ends[0]);
    close(ends[1]);
}

static void what_cannot_be_watched_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = { 0 };

    assert_int_equal(reactor_watch(f->r, -1, EPOLLIN, on_readable_never, &f->a, &err),
                     OUTCOME_FATAL);
    assert_string_equal(err.text, "cannot watch a closed file descriptor");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(reactor_watch(f->r, ends[0], EPOLLIN, on_readable_never, &f->a,
                                   &err),
                     OUTCOME_FATAL);
    assert_non_null(strstr(err.text, "Bad file descriptor"));
}

static void *write_often(void *arg)
{
    const uint64_t one = 1;
    const int *fd = arg;

    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(*fd, &one, sizeof(one)), sizeof(one));
    return NULL;
}

static void an_eventfd_wakes_the_loop_from_another_thread(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;

    assert_int_equal(reactor_eventfd(&f->a.fd, f->r, on_stop, &f->a, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, write_often, &f->a.fd), 0);
    run(f);
    assert_int_equal(pthread_join(thread, NULL), 0);
    buf_clear(&f->trace);

    // What was written is read before the callback: the next write is a new call.
    const uint64_t one = 1;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(write(f->a.fd, &one, sizeof(one)), sizeof(one));
        run(f);
    }
    assert_string_equal(buf_text(&f->trace), "aa");
    reactor_eventfd_close(f->r, f->a.fd);
    reactor_eventfd_close(f->r, -1);
}

static void on_close_itself(void *arg)
{
    struct probe *p = arg;

    buf_add_char(&p->f->trace, p->mark);
    reactor_eventfd_close(p->f->r, p->fd);
    reactor_timer_set(p->f->c.timer, 5 * MS);
}

static void an_eventfd_can_be_closed_from_its_callback(void **state)
{
    struct fixture *f = *state;
    const uint64_t one = 1;

    f->c.timer = reactor_timer_new(f->r, on_stop, &f->c);
    assert_int_equal(reactor_eventfd(&f->a.fd, f->r, on_close_itself, &f->a, NULL), 0);
    assert_int_equal(reactor_eventfd(&f->b.fd, f->r, on_mark, &f->b, NULL), 0);
    assert_int_equal(write(f->a.fd, &one, sizeof(one)), sizeof(one));
    run(f);
    assert_string_equal(buf_text(&f->trace), "ac");
    // The second one stays open: reactor_close frees it.
}

static void signals_arrive_in_the_loop(void **state)
{
    struct fixture *f = *state;

    f->c.timer = reactor_timer_new(f->r, on_stop, &f->c);
    reactor_on_signal(f->r, SIGTERM, on_mark, &f->c);
    reactor_on_signal(f->r, SIGTERM, on_mark, &f->a);  // replaces
    reactor_on_signal(f->r, SIGINT, on_mark, &f->b);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    assert_int_equal(kill(getpid(), SIGINT), 0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);   // nobody listens
    assert_int_equal(kill(getpid(), SIGPIPE), 0);  // ignored
    reactor_timer_set(f->c.timer, 5 * MS);
    run(f);
    assert_int_equal(f->trace.len, 3);
    assert_non_null(strchr(buf_text(&f->trace), 'a'));
    assert_non_null(strchr(buf_text(&f->trace), 'b'));
    assert_int_equal(f->trace.bytes[2], 'c');

    buf_clear(&f->trace);
    reactor_on_signal(f->r, SIGTERM, NULL, NULL);
    reactor_on_signal(f->r, SIGINT, on_mark, &f->a);  // in its own place, not a second
    assert_int_equal(kill(getpid(), SIGINT), 0);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    reactor_timer_set(f->c.timer, 5 * MS);
    run(f);
    assert_string_equal(buf_text(&f->trace), "ac");
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(timers_run_in_the_order_of_their_time),
        LOOP_TEST(many_timers_set_moved_and_stopped_keep_their_order),
        LOOP_TEST(a_timer_can_be_stopped_by_one_that_is_due_with_it),
        LOOP_TEST(a_timer_can_be_freed_by_one_that_is_due_with_it),
        LOOP_TEST(a_timer_set_to_zero_runs_in_the_next_turn),
        LOOP_TEST(a_stopped_loop_can_run_again),
        LOOP_TEST(no_callback_runs_after_unwatch),
        LOOP_TEST(an_old_event_does_not_reach_a_new_watch),
        LOOP_TEST(a_second_watch_replaces_the_first),
        LOOP_TEST(what_cannot_be_watched_is_refused),
        LOOP_TEST(an_eventfd_wakes_the_loop_from_another_thread),
        LOOP_TEST(an_eventfd_can_be_closed_from_its_callback),
        LOOP_TEST(signals_arrive_in_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
