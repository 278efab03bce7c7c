// sweep_walk.h: one sweep on its way: takes a slice of attempts, asks about them, writes
// what it learnt, notes how far it came. Several are on their way at a time. Used by
// sweeps.c only.
#ifndef SWEEP_WALK_H
#define SWEEP_WALK_H

#include "base.h"
#include "sweep_plan.h"
#include "sweep_write.h"
#include "turn_key.h"

struct lease;
struct sweep_walk;

struct sweep_walk_settings {
    const struct sweeps_parts *parts;
    const struct sweep_plans *plans;
    const struct sweep_plan *plan;
    const struct lease *lease;  // it begins nothing without
    const struct sweep_counts *counts;
};

struct sweep_walk *sweep_walk_new(struct reactor *r,
                                  const struct sweep_walk_settings *set);
void sweep_walk_free(struct sweep_walk *w);  // after db and provider were closed

const char *sweep_walk_name(const struct sweep_walk *w);

// sweep_walk_go goes on behind upto, or behind where it is if that is further, and rests
// at its end. NULL: nobody has noted anything.
void sweep_walk_go(struct sweep_walk *w, const struct turn_key *upto);

// sweep_walk_stop begins no further slice.
void sweep_walk_stop(struct sweep_walk *w);

#endif
