#include "reactor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 256, SIGNALS_MAX = 3 };

struct watch {
    reactor_io *fn;  // NULL while nobody watches the fd
    void *arg;
    uint32_t generation;  // tells a reported event from one of an older watch
};

struct reactor_timer {
    struct reactor *reactor;
    reactor_fn *fn;
    void *arg;
    int64_t due_us;
    size_t place;  // index in the heap + 1; 0 while stopped
};

struct eventfd_arg {
    reactor_fn *fn;
    void *arg;
    int fd;
    struct eventfd_arg *next;
};

struct reactor {
    int epoll_fd;
    int signal_fd;
    bool stop;
    int64_t turned_us;
    int64_t timers_us;      // timers due until then run in the present turn
    struct watch *watches;  // indexed by fd
    size_t watch_count;
    struct reactor_timer **heap;  // min-heap by due_us
    size_t heap_len, heap_room;
    struct eventfd_arg *eventfds;
    reactor_fn *on_turn;  // or NULL
    void *on_turn_arg;
    struct {
        int signal;
        reactor_fn *fn;
        void *arg;
    } on_signal[SIGNALS_MAX];
};

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void stop_install(void)
{
    sigset_t set;
    stop_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void on_signal_fd(void *arg, uint32_t events)
{
    struct reactor *r = arg;
    struct signalfd_siginfo info;

    (void)events;
    while (read(r->signal_fd, &info, sizeof(info)) == sizeof(info))
        for (size_t i = 0; i < SIGNALS_MAX; i++)
            if (r->on_signal[i].fn && r->on_signal[i].signal == (int)info.ssi_signo)
                r->on_signal[i].fn(r->on_signal[i].arg);
}

enum outcome reactor_open(struct reactor **out, struct err *err)
{
    struct reactor *r = xcalloc(1, sizeof(*r));
    sigset_t set;

    stop_signals(&set);
    r->turned_us = clock_boot_us();
    r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (r->epoll_fd < 0 || r->signal_fd < 0) {
        err_set(err, OUTCOME_FATAL, "cannot make the event loop: %s", strerror(errno));
        goto fail;
    }
    if (reactor_watch(r, r->signal_fd, EPOLLIN, on_signal_fd, r, err))
        goto fail;

    *out = r;
    return OUTCOME_OK;
fail:
    reactor_close(r);
    return OUTCOME_FATAL;
}

void reactor_close(struct reactor *r)
{
    if (!r)
        return;
    while (r->eventfds)
        reactor_eventfd_close(r, r->eventfds->fd);
    for (size_t i = 0; i < r->heap_len; i++)
        r->heap[i]->place = 0;  // so that it can still be freed
    if (r->signal_fd >= 0)
        close(r->signal_fd);
    if (r->epoll_fd >= 0)
        close(r->epoll_fd);
    free(r->watches);
    free(r->heap);
    free(r);
}

static void grow_watches(struct reactor *r, size_t wanted)
{
    size_t count = r->watch_count ? r->watch_count : 64;
    while (count < wanted)
        count *= 2;
    if (count == r->watch_count)
        return;
    r->watches = xrealloc(r->watches, count * sizeof(*r->watches));
    memset(r->watches + r->watch_count, 0,
           (count - r->watch_count) * sizeof(*r->watches));
    r->watch_count = count;
}

enum outcome reactor_watch(struct reactor *r, int fd, uint32_t events, reactor_io *fn,
                           void *arg, struct err *err)
{
    if (fd < 0)
        return err_set(err, OUTCOME_FATAL, "cannot watch a closed file descriptor");
    grow_watches(r, (size_t)fd + 1);

    struct watch *w = &r->watches[fd];
    if (!w->fn)
        w->generation++;
    struct epoll_event event = { .events = events };
    event.data.u64 = (uint64_t)w->generation << 32 | (uint32_t)fd;
    int op = w->fn ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int rc = epoll_ctl(r->epoll_fd, op, fd, &event);
    if (rc < 0 && errno == ENOENT)  // closed and opened again behind our back
        rc = epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    if (rc < 0 && errno == EEXIST)
        rc = epoll_ctl(r->epoll_fd, EPOLL_CTL_MOD, fd, &event);
    if (rc < 0)
        return err_set(err, OUTCOME_FATAL, "cannot watch fd %d: %s", fd, strerror(errno));
    w->fn = fn;
    w->arg = arg;
    return OUTCOME_OK;
}

void reactor_unwatch(struct reactor *r, int fd)
{
    if (fd < 0 || (size_t)fd >= r->watch_count || !r->watches[fd].fn)
        return;
    r->watches[fd].fn = NULL;
    (void)epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, fd, NULL);  // a closed fd is gone already
}

static void heap_put(struct reactor *r, size_t i, struct reactor_timer *t)
{
    r->heap[i] = t;
    t->place = i + 1;
}

static void heap_up(struct reactor *r, size_t i, struct reactor_timer *t)
{
    while (i > 0 && r->heap[(i - 1) / 2]->due_us > t->due_us) {
        heap_put(r, i, r->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(r, i, t);
}

static void heap_down(struct reactor *r, size_t i, struct reactor_timer *t)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= r->heap_len)
            break;
        if (child + 1 < r->heap_len &&
            r->heap[child + 1]->due_us < r->heap[child]->due_us)
            child++;
        if (r->heap[child]->due_us >= t->due_us)
            break;
        heap_put(r, i, r->heap[child]);
        i = child;
    }
    heap_put(r, i, t);
}

struct reactor_timer *reactor_timer_new(struct reactor *r, reactor_fn *fn, void *arg)
{
    struct reactor_timer *t = xcalloc(1, sizeof(*t));
    t->reactor = r;
    t->fn = fn;
    t->arg = arg;
    return t;
}

void reactor_timer_set(struct reactor_timer *t, int64_t delay_us)
{
    struct reactor *r = t->reactor;

    reactor_timer_stop(t);
    t->due_us = clock_boot_us() + (delay_us > 0 ? delay_us : 0);
    if (t->due_us <= r->timers_us)
        t->due_us = r->timers_us + 1;
    if (r->heap_len == r->heap_room) {
        r->heap_room = r->heap_room ? r->heap_room * 2 : 64;
        r->heap = xrealloc(r->heap, r->heap_room * sizeof(struct reactor_timer *));
    }
    heap_up(r, r->heap_len++, t);
}

void reactor_timer_stop(struct reactor_timer *t)
{
    if (t->place == 0)
        return;

    struct reactor *r = t->reactor;
    size_t hole = t->place - 1;
    struct reactor_timer *last = r->heap[--r->heap_len];
    t->place = 0;
    if (last == t)
        return;
    if (hole > 0 && r->heap[(hole - 1) / 2]->due_us > last->due_us)
        heap_up(r, hole, last);
    else
        heap_down(r, hole, last);
}

bool reactor_timer_is_set(const struct reactor_timer *t)
{
    return t->place != 0;
}

void reactor_timer_free(struct reactor_timer *t)
{
    if (!t)
        return;
    reactor_timer_stop(t);
    free(t);
}

static void on_eventfd(void *arg, uint32_t events)
{
    struct eventfd_arg *e = arg;
    uint64_t count;

    (void)events;
    if (read(e->fd, &count, sizeof(count)) == sizeof(count))
        e->fn(e->arg);
}

enum outcome reactor_eventfd(int *out, struct reactor *r, reactor_fn *fn, void *arg,
                             struct err *err)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return err_set(err, OUTCOME_FATAL, "cannot make an eventfd: %s", strerror(errno));

    struct eventfd_arg *e = xcalloc(1, sizeof(*e));
    *e = (struct eventfd_arg){ fn, arg, fd, r->eventfds };
    if (reactor_watch(r, fd, EPOLLIN, on_eventfd, e, err)) {
        close(fd);
        free(e);
        return OUTCOME_FATAL;
    }
    r->eventfds = e;
    *out = fd;
    return OUTCOME_OK;
}

void reactor_eventfd_close(struct reactor *r, int fd)
{
    for (struct eventfd_arg **at = &r->eventfds; *at; at = &(*at)->next) {
        struct eventfd_arg *e = *at;
        if (e->fd != fd)
            continue;
        *at = e->next;
        reactor_unwatch(r, fd);
        close(fd);
        free(e);
        return;
    }
}

void reactor_on_signal(struct reactor *r, int signal, reactor_fn *fn, void *arg)
{
    for (size_t i = 0; i < SIGNALS_MAX; i++) {
        if (r->on_signal[i].signal != 0 && r->on_signal[i].signal != signal)
            continue;
        r->on_signal[i].signal = signal;
        r->on_signal[i].fn = fn;
        r->on_signal[i].arg = arg;
        return;
    }
}

void reactor_on_turn(struct reactor *r, reactor_fn *fn, void *arg)
{
    r->on_turn = fn;
    r->on_turn_arg = arg;
}

static void run_timers(struct reactor *r)
{
    r->timers_us = clock_boot_us();
    while (r->heap_len > 0 && r->heap[0]->due_us <= r->timers_us) {
        struct reactor_timer *t = r->heap[0];
        reactor_timer_stop(t);
        t->fn(t->arg);
    }
}

static int wait_ms(const struct reactor *r)
{
    if (r->heap_len == 0)
        return 1000;  // healthz wants a sign of life
    int64_t left_us = r->heap[0]->due_us - clock_boot_us();
    if (left_us <= 0)
        return 0;
    return left_us >= 1000000 ? 1000 : (int)((left_us + 999) / 1000);
}

static void run_event(struct reactor *r, const struct epoll_event *event)
{
    size_t fd = (uint32_t)event->data.u64;
    struct watch *w = &r->watches[fd];

    if (w->fn && w->generation == event->data.u64 >> 32)
        w->fn(w->arg, event->events);
}

void reactor_run(struct reactor *r)
{
    struct epoll_event events[EVENTS_PER_TURN];

    while (!r->stop) {
        int n = epoll_wait(r->epoll_fd, events, EVENTS_PER_TURN, wait_ms(r));
        r->turned_us = clock_boot_us();
        for (int i = 0; i < n; i++)
            run_event(r, &events[i]);
        run_timers(r);
        if (r->on_turn)
            r->on_turn(r->on_turn_arg);
    }
    r->stop = false;
}

void reactor_stop(struct reactor *r)
{
    r->stop = true;
}

int64_t reactor_turned_us(const struct reactor *r)
{
    return r->turned_us;
}
