// cleaner.h: deletes what was kept long enough: idempotency keys. Small batches, one
// after the other, so that nobody waits for it; several schedulers share the work.
#ifndef CLEANER_H
#define CLEANER_H

#include "base.h"

struct cleaner;
struct db;
struct metrics;
struct reactor;

// cleaner_new borrows db and begins with the first turn of the loop. Keys are kept
// keep_us after their last use, at least.
struct cleaner *cleaner_new(struct reactor *r, struct db *db, int64_t keep_us,
                            struct metrics *metrics);
void cleaner_free(struct cleaner *c);

// cleaner_stop begins no further batch. One in hand may be cut off: it is deleted whole
// or not at all.
void cleaner_stop(struct cleaner *c);

#endif
