// sim_changes.h: what follows when a message was accepted or its status changed: the
// bill, and its callbacks with the faults that are on them.
#ifndef SIM_CHANGES_H
#define SIM_CHANGES_H

#include "sim_message.h"

struct sim_entry;
struct simulator;

// sim_changes_spoil decides what will go wrong with a message that was just accepted.
void sim_changes_spoil(struct simulator *sim, struct sim_message *m);

// sim_changes_tell bills the change and calls back about it; arg is the simulator.
void sim_changes_tell(void *arg, const struct sim_message *m);

// sim_changes_late makes a callback that was held back.
void sim_changes_late(void *arg, const struct sim_entry *entry);

#endif
