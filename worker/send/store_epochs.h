// store_epochs.h: the worker's rows in workers: one per epoch, with its beats. Each is
// one statement that may run twice; done runs as db.h says.
#ifndef STORE_EPOCHS_H
#define STORE_EPOCHS_H

#include "base.h"
#include "db.h"
#include "turn_key.h"

// What a new epoch says about itself; texts are borrowed for the call.
struct worker_start {
    int64_t epoch;
    const char *host;
    int32_t pid;
    const char *version;
    int64_t dead_after_us;    // without a beat for so long it is buried
    int64_t rescue_after_us;  // then no POST of a claim that old is under way any more
};

// store_worker_start writes the row of this epoch; repeating it changes nothing.
void store_worker_start(struct db *db, const struct worker_start *start, db_done *done,
                        void *arg);

// store_heartbeat: one row (epoch int8) back, or none: this epoch is buried.
void store_heartbeat(struct db *db, int64_t epoch, db_done *done, void *arg);

// store_bury notes that these epochs are dead: nothing is claimed under them any more.
// Rows: (epoch int8) of those that were not known to be.
void store_bury(struct db *db, const int64_t *epochs, size_t count, db_done *done,
                void *arg);

// store_strays looks for claims of these epochs that are older than older_us and not in
// held (sorted by turn_key_compare). Rows: (epoch int8, count int8), none if all is well.
void store_strays(struct db *db, const int64_t *epochs, size_t epoch_count,
                  const struct turn_key *held, size_t held_count, int64_t older_us,
                  db_done *done, void *arg);

#endif
