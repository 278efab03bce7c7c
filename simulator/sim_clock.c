#include "sim_clock.h"
#include "reactor.h"

#include <stdlib.h>

enum { ENTRIES_PER_TURN = 512 };

// Who waits until everything is done that was due.
struct waiter {
    struct waiter *next;
    sim_clock_done *done;
    void *arg;
};

struct sim_clock {
    struct reactor_timer *timer;
    int64_t speed;
    int64_t base_us;       // its time at real_us
    int64_t real_us;       // clock_boot_us of the last change of speed or step
    int64_t happening_us;  // of the entry that is taken now; 0 = none
    struct sim_agenda agenda;
    struct {
        sim_clock_due *fn;
        void *arg;
    } takers[SIM_CLOCK_KINDS];
    struct waiter *first, **last;
};

// The time that passed, also while an entry is taken.
static int64_t run_us(const struct sim_clock *c)
{
    return c->speed ? c->base_us + (clock_boot_us() - c->real_us) * c->speed : c->base_us;
}

int64_t sim_clock_now_us(const struct sim_clock *c)
{
    return c->happening_us ? c->happening_us : run_us(c);
}

static void rebase(struct sim_clock *c)
{
    c->base_us = run_us(c);
    c->real_us = clock_boot_us();
}

static void finish_waiters(struct sim_clock *c)
{
    while (c->first) {
        struct waiter *w = c->first;

        c->first = w->next;
        if (!c->first)
            c->last = &c->first;
        w->done(w->arg);
        free(w);
    }
}

// Sets the timer for the next entry. A standing clock has none in the future.
static void arm(struct sim_clock *c)
{
    const struct sim_entry *entry = sim_agenda_first(&c->agenda);

    if (!entry)
        return;
    int64_t left_us = entry->due_us - run_us(c);
    if (left_us <= 0)
        reactor_timer_set(c->timer, 0);
    else if (c->speed)
        reactor_timer_set(c->timer, (left_us + c->speed - 1) / c->speed);
}

static void take_first(struct sim_clock *c)
{
    struct sim_entry entry = *sim_agenda_first(&c->agenda);

    sim_agenda_drop(&c->agenda);
    c->happening_us = entry.due_us;
    c->takers[entry.kind].fn(c->takers[entry.kind].arg, &entry);
    c->happening_us = 0;
}

static void on_timer(void *arg)
{
    struct sim_clock *c = arg;
    int64_t now_us = run_us(c);

    for (int left = ENTRIES_PER_TURN; left > 0; left--) {
        const struct sim_entry *entry = sim_agenda_first(&c->agenda);
        if (!entry || entry->due_us > now_us) {
            finish_waiters(c);
            break;
        }
        take_first(c);
    }
    arm(c);
}

struct sim_clock *sim_clock_new(struct reactor *r, int64_t start_us, int64_t speed)
{
    struct sim_clock *c = xcalloc(1, sizeof(*c));

    c->timer = reactor_timer_new(r, on_timer, c);
    c->speed = speed;
    c->base_us = start_us;
    c->real_us = clock_boot_us();
    c->last = &c->first;
    return c;
}

void sim_clock_free(struct sim_clock *c)
{
    if (!c)
        return;
    while (c->first) {
        struct waiter *w = c->first;
        c->first = w->next;
        free(w);
    }
    sim_agenda_clear(&c->agenda);
    reactor_timer_free(c->timer);
    free(c);
}

void sim_clock_on(struct sim_clock *c, enum sim_clock_kind kind, sim_clock_due *fn,
                  void *arg)
{
    c->takers[kind].fn = fn;
    c->takers[kind].arg = arg;
}

int64_t sim_clock_speed(const struct sim_clock *c)
{
    return c->speed;
}

void sim_clock_set_speed(struct sim_clock *c, int64_t speed)
{
    rebase(c);
    c->speed = speed;
    arm(c);
}

void sim_clock_advance(struct sim_clock *c, int64_t by_us, sim_clock_done *done,
                       void *arg)
{
    struct waiter *w = xcalloc(1, sizeof(*w));

    rebase(c);
    c->base_us += by_us;
    w->done = done;
    w->arg = arg;
    *c->last = w;
    c->last = &w->next;
    on_timer(c);
}

void sim_clock_put(struct sim_clock *c, const struct sim_entry *entry)
{
    int64_t now_us = sim_clock_now_us(c);
    struct sim_entry copy = *entry;

    if (copy.due_us < now_us)
        copy.due_us = now_us;
    int64_t next_us = sim_clock_next_us(c);
    sim_agenda_put(&c->agenda, &copy);
    if (copy.due_us < next_us && !c->happening_us)
        arm(c);
}

void sim_clock_move(struct sim_clock *c, enum sim_clock_kind kind, uint8_t step,
                    int64_t by_us)
{
    if (by_us == 0)
        return;
    sim_agenda_move(&c->agenda, (uint8_t)kind, step, by_us, sim_clock_now_us(c));
    arm(c);
}

int64_t sim_clock_next_us(const struct sim_clock *c)
{
    const struct sim_entry *entry = sim_agenda_first(&c->agenda);
    return entry ? entry->due_us : INT64_MAX;
}

size_t sim_clock_waiting(const struct sim_clock *c)
{
    return c->agenda.count;
}

void sim_clock_clear(struct sim_clock *c)
{
    sim_agenda_clear(&c->agenda);
    finish_waiters(c);
}
