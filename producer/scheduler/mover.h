// mover.h: moves the due rows of one lane: read, publish those still live, delete what
// Kafka acknowledged and what was not live. The next page is read while the last one is
// being acknowledged. No transaction is open while Kafka is waited for. One mover per
// lane is active, by lease; two would publish turns twice, which the fence bears.
//
// A sweep goes through the due rows in their order, each once. It ends at the last of
// them, or after a second, so that what fell due behind it does not wait; the next one
// begins when all of the last is answered. What Kafka refused for its content is tried
// again alone after the sweep: a message whose record is then refused ends as failed.
#ifndef MOVER_H
#define MOVER_H

#include "base.h"

struct db;
struct kafka_out;
struct metrics;
struct mover;
struct reactor;

enum {
    MOVER_BATCH_MAX = 1000,  // rows of a page
    MOVER_BATCHES = 4,       // pages that wait for Kafka or for their delete at a time
    MOVER_SUSPECTS_MAX = 500,
};

struct mover_settings {
    const char *lane;   // "urgent", "normal", "bulk"
    const char *topic;  // its topic
    const char *lease;  // "mover.urgent" …
    struct db *db;      // borrowed
    struct kafka_out *out;
    int64_t poll_us;  // how often to look when nothing was due
    int64_t lease_us;
    struct reactor *reactor;
};

// mover_new begins to look as soon as it has the lease.
struct mover *mover_new(const struct mover_settings *set, struct metrics *metrics);

// mover_set_poll: from the next look on.
void mover_set_poll(struct mover *m, int64_t poll_us);

// mover_stop reads no further page; mover_is_idle tells when those in hand are done and
// the lease is given up.
void mover_stop(struct mover *m);
bool mover_is_idle(const struct mover *m);
void mover_free(struct mover *m);

#endif
