// sim_queue.h: a first-in first-out queue of callbacks, in a ring that grows: millions
// may wait for a slow receiver.
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "sim_faults.h"

// One callback that is still to be made.
struct sim_callback {
    int64_t began_us;  // clock_boot_us of the first try; 0 before it
    int64_t due_us;    // clock_boot_us before which it is not tried again
    uint32_t number;   // of the message
    uint8_t status;    // enum sim_status: what it tells
    uint8_t tries;     // made so far
    uint8_t fault;     // enum sim_fault_kind that is on it; SIM_FAULT_KINDS = none
    uint8_t spoilt;    // tries that the fault still spoils
};

// Zero-initialised is empty.
struct sim_queue {
    struct sim_callback *ring;
    size_t room;  // a power of two
    size_t first, count;
};

void sim_queue_free(struct sim_queue *q);
void sim_queue_push(struct sim_queue *q, const struct sim_callback *cb);

// sim_queue_peek returns the oldest, NULL when empty; borrowed until push or drop.
const struct sim_callback *sim_queue_peek(const struct sim_queue *q);
void sim_queue_drop(struct sim_queue *q);

#endif
