// store_delayed.h: the mover's reads and writes: what fell due, what Kafka has, what it
// will never take.
#ifndef STORE_DELAYED_H
#define STORE_DELAYED_H

#include "base.h"
#include "db.h"
#include "turn_key.h"
#include "wire.h"

// A place in the order of the due rows of a lane. Zero = before all of them.
struct due_place {
    int64_t due_us;
    struct turn_key key;
};

// store_due reads up to limit due rows of a lane (urgent, normal, bulk) that come after
// the place, oldest first, with all that rebuilds their jobs. It changes nothing.
void store_due(struct db *db, const char *lane, const struct due_place *after,
               int32_t limit, db_done *done, void *arg);

// store_due_again reads that one row of the lane, due or not.
void store_due_again(struct db *db, const char *lane, const struct turn_key *key,
                     db_done *done, void *arg);

// One row of their answers; texts and bytes are borrowed from it.
struct due_row {
    struct due_place place;
    bool live;  // the message waits at this very turn: publish job. Else only delete
    struct sms_job job;  // with the delayed row's turn; meaningful when live
};

void store_due_read(struct due_row *out, const struct db_result *rows, size_t row);

// store_moved deletes exactly these turns: acknowledged by Kafka, or not live.
void store_moved(struct db *db, const struct turn_key *keys, size_t count, db_done *done,
                 void *arg);

// store_unmovable ends messages that wait at these turns as failed, for good: their jobs
// cannot be published, reason says why. Their delayed rows go, a decision each is kept.
void store_unmovable(struct db *db, const struct turn_key *keys, size_t count,
                     const char *reason, db_done *done, void *arg);

#endif
