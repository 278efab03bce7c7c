// reactor.h: the single-threaded event loop of every program: file descriptors (epoll),
// timers, eventfds, signals. Belongs to one thread; every callback runs on it.
#ifndef REACTOR_H
#define REACTOR_H

#include "base.h"

#include <sys/epoll.h>

struct reactor;
struct reactor_timer;

typedef void reactor_io(void *arg, uint32_t events);
typedef void reactor_fn(void *arg);

// stop_install blocks SIGTERM, SIGINT and SIGHUP and ignores SIGPIPE. Call it before any
// library starts a thread; the reactor then reads the signals from a signalfd.
void stop_install(void);

MUST_CHECK enum outcome reactor_open(struct reactor **out, struct err *err);
void reactor_close(struct reactor *r);

// reactor_watch calls fn(arg, events) whenever fd is ready (level-triggered). A second
// call for the same fd replaces events, fn and arg. The fd stays the caller's.
//   OUTCOME_FATAL  the kernel refused the fd (closed, or a plain file).
MUST_CHECK enum outcome reactor_watch(struct reactor *r, int fd, uint32_t events,
                                      reactor_io *fn, void *arg, struct err *err);

// reactor_unwatch forgets fd, before it is closed; unknown fds are ignored. No callback
// for it runs afterwards, not even one already reported by the kernel.
void reactor_unwatch(struct reactor *r, int fd);

// reactor_timer_new makes a stopped one-shot timer. reactor_timer_set starts or moves
// it; delay 0 means "in the next turn of the loop". It is stopped when fn runs and may
// be set again from there. reactor_timer_free accepts NULL, and timers of a reactor that
// is closed already.
struct reactor_timer *reactor_timer_new(struct reactor *r, reactor_fn *fn, void *arg);
void reactor_timer_set(struct reactor_timer *t, int64_t delay_us);
void reactor_timer_stop(struct reactor_timer *t);
bool reactor_timer_is_set(const struct reactor_timer *t);
void reactor_timer_free(struct reactor_timer *t);

// reactor_eventfd makes a non-blocking eventfd that calls fn(arg) after it was written
// by anybody, from any thread; many writes may become one call. The counter is read
// before fn runs. reactor_eventfd_close unwatches and closes it; -1 is accepted.
MUST_CHECK enum outcome reactor_eventfd(int *out, struct reactor *r, reactor_fn *fn,
                                        void *arg, struct err *err);
void reactor_eventfd_close(struct reactor *r, int fd);

// reactor_on_signal: fn(arg) runs for each arrival of SIGTERM, SIGINT or SIGHUP; a second
// call for the same signal replaces fn and arg, a NULL fn forgets it.
void reactor_on_signal(struct reactor *r, int signal, reactor_fn *fn, void *arg);

// reactor_on_turn: fn(arg) runs at the end of each turn, before the loop waits again.
void reactor_on_turn(struct reactor *r, reactor_fn *fn, void *arg);

// reactor_run turns the loop until reactor_stop; when that came before, it returns at
// once. It may be called again. reactor_turned_us is the clock_boot_us
// of the latest turn: the admin port's proof of life.
void reactor_run(struct reactor *r);
void reactor_stop(struct reactor *r);
int64_t reactor_turned_us(const struct reactor *r);

#endif
