// mover.h: moves the due rows of one lane: read, publish those still live, delete what
// Kafka acknowledged and what was not live. No transaction is open while Kafka is waited
// for.
#ifndef MOVER_H
#define MOVER_H

#include "base.h"

struct db;
struct kafka_out;
struct metrics;
struct mover;
struct reactor;

enum { MOVER_BATCH_MAX = 500 };

struct mover_settings {
    const char *lane;   // "urgent", "normal", "bulk"
    const char *topic;  // its topic
    struct db *db;      // borrowed
    struct kafka_out *out;
    int64_t poll_us;  // how often to look when nothing was due
};

// mover_new begins to look at once.
struct mover *mover_new(struct reactor *r, const struct mover_settings *set,
                        struct metrics *metrics);

// mover_set_poll: from the next look on.
void mover_set_poll(struct mover *m, int64_t poll_us);

// mover_stop begins no new batch; mover_is_idle tells when the one in hand is done.
void mover_stop(struct mover *m);
bool mover_is_idle(const struct mover *m);
void mover_free(struct mover *m);

#endif
