// store_delayed.h: the mover's reads and deletes: what fell due, and what Kafka has.
#ifndef STORE_DELAYED_H
#define STORE_DELAYED_H

#include "base.h"
#include "db.h"
#include "turn_key.h"
#include "wire.h"

// store_due reads up to limit due rows of a lane (urgent, normal, bulk), oldest first,
// with all that rebuilds their jobs. It changes nothing.
void store_due(struct db *db, const char *lane, int32_t limit, db_done *done, void *arg);

// One row of store_due's answer; texts and bytes are borrowed from it.
struct due_row {
    struct turn_key key;
    bool live;  // the message waits at this very turn: publish job. Else only delete
    struct sms_job job;  // with the delayed row's turn; meaningful when live
};

void store_due_read(struct due_row *out, const struct db_result *rows, size_t row);

// store_moved deletes exactly these turns: acknowledged by Kafka, or not live.
void store_moved(struct db *db, const struct turn_key *keys, size_t count, db_done *done,
                 void *arg);

#endif
