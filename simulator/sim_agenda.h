// sim_agenda.h: what is due when, the earliest first; what is due at the same time comes
// in the order in which it was put in. A heap of 24 bytes an entry.
#ifndef SIM_AGENDA_H
#define SIM_AGENDA_H

#include "base.h"

// What an entry is about; the kind says who takes it.
struct sim_entry {
    int64_t due_us;
    uint64_t order;   // set by sim_agenda_put
    uint32_t number;  // of a message, or whatever the kind's owner counts
    uint8_t kind, status, step;
    uint8_t flags;
};

// Zero-initialised is empty.
struct sim_agenda {
    struct sim_entry *heap;
    size_t count, room;
    uint64_t order;
};

// sim_agenda_clear empties it and begins to count the order anew.
void sim_agenda_clear(struct sim_agenda *a);

void sim_agenda_put(struct sim_agenda *a, const struct sim_entry *entry);

// sim_agenda_first returns the next entry, NULL when empty; borrowed until put or drop.
const struct sim_entry *sim_agenda_first(const struct sim_agenda *a);
void sim_agenda_drop(struct sim_agenda *a);

// sim_agenda_move gives every entry of that kind and step a due_us that is later by
// by_us, or earlier when it is negative, but not before least_us.
void sim_agenda_move(struct sim_agenda *a, uint8_t kind, uint8_t step, int64_t by_us,
                     int64_t least_us);

#endif
