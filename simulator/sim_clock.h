// sim_clock.h: the simulator's time, and what waits for it. It runs with the real time,
// faster, or only when it is told to; it never goes back. Belongs to one thread.
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "sim_agenda.h"

struct reactor;
struct sim_clock;

enum sim_clock_kind { SIM_CLOCK_LIFE, SIM_CLOCK_CALLBACK, SIM_CLOCK_KINDS };

enum { SIM_CLOCK_SPEED_MAX = 1000000 };

// entry is a copy. While fn runs, the clock shows the time at which the entry was due.
typedef void sim_clock_due(void *arg, const struct sim_entry *entry);
typedef void sim_clock_done(void *arg);

// sim_clock_new begins at start_us of UTC.
struct sim_clock *sim_clock_new(struct reactor *r, int64_t start_us, int64_t speed);
void sim_clock_free(struct sim_clock *c);

// sim_clock_on says who takes the entries of that kind.
void sim_clock_on(struct sim_clock *c, enum sim_clock_kind kind, sim_clock_due *fn,
                  void *arg);

// sim_clock_now_us is UTC.
int64_t sim_clock_now_us(const struct sim_clock *c);

// sim_clock_speed is how much faster than the real time it runs; 0 = it stands still.
int64_t sim_clock_speed(const struct sim_clock *c);
void sim_clock_set_speed(struct sim_clock *c, int64_t speed);

// sim_clock_advance moves the clock forward by by_us and calls done(arg), in this call or
// from the loop, when everything that was due until then has happened. What waits from
// earlier calls is done first.
void sim_clock_advance(struct sim_clock *c, int64_t by_us, sim_clock_done *done,
                       void *arg);

// sim_clock_put: entry->due_us in the past is due now. Equal times keep their order.
void sim_clock_put(struct sim_clock *c, const struct sim_entry *entry);

// sim_clock_move: see sim_agenda_move; nothing moves into the past.
void sim_clock_move(struct sim_clock *c, enum sim_clock_kind kind, uint8_t step,
                    int64_t by_us);

// sim_clock_next_us is when the next entry is due, INT64_MAX when nothing waits.
int64_t sim_clock_next_us(const struct sim_clock *c);
size_t sim_clock_waiting(const struct sim_clock *c);

// sim_clock_clear forgets all entries; the time goes on.
void sim_clock_clear(struct sim_clock *c);

#endif
