#include "loop.h"

#include "reactor.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { TICK_US = 1000, PATIENCE_US = 60 * 1000000 };

struct wait {
    struct reactor *reactor;
    struct reactor_timer *timer;
    bool (*is_true)(void *arg);
    void *arg;
    int64_t deadline_us;
};

static void on_tick(void *arg)
{
    struct wait *w = arg;

    if (w->is_true(w->arg) || clock_boot_us() > w->deadline_us)
        reactor_stop(w->reactor);
    else
        reactor_timer_set(w->timer, TICK_US);
}

void loop_until(struct reactor *r, bool (*is_true)(void *arg), void *arg)
{
    struct wait w = { r, NULL, is_true, arg, clock_boot_us() + PATIENCE_US };

    w.timer = reactor_timer_new(r, on_tick, &w);
    reactor_timer_set(w.timer, 0);
    reactor_run(r);
    reactor_timer_free(w.timer);
    if (!is_true(arg))
        fail_msg("what the test waits for does not happen");
}

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

void loop_once(struct reactor *r)
{
    loop_until(r, at_once, NULL);
}
