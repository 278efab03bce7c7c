// sweep_write.h: writes what was learnt about the attempts of one slice, some at a time:
// statuses, prices, and what has timed out. Used by sweep_walk.c only.
#ifndef SWEEP_WRITE_H
#define SWEEP_WRITE_H

#include "base.h"
#include "sweep_plan.h"

struct db;
struct db_answer;
struct metric;
struct retry_settings;
struct sweep_taken;

struct sweep_counts {
    struct metric *asked, *facts, *timed_out, *prices;
};

// broken: the statement that failed, borrowed; NULL = all is written.
typedef void sweep_write_done(void *arg, const struct db_answer *broken);

struct sweep_write {
    struct db *db;
    const struct retry_settings *retry;
    const struct sweep_counts *counts;
    const struct sweep_plans *plans;
    const struct sweep_plan *plan;
    struct sweep_taken *taken;  // gets sorted; stays where it is until done
    size_t count;
    bool again;  // it is asked about again: who got no answer is not given up
    sweep_write_done *done;
    void *arg;
    size_t from, to;  // its own: what is being written
};

// sweep_write_begin runs done once: at once when there is nothing to write, else later.
// It needs no end when db was closed.
void sweep_write_begin(struct sweep_write *w);

#endif
