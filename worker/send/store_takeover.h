// store_takeover.h: what is written about the claims of a worker that is dead. Each is
// one statement that may run twice and ignores what comes late; done runs as db.h says.
// Arrays are borrowed for the call only.
#ifndef STORE_TAKEOVER_H
#define STORE_TAKEOVER_H

#include "base.h"
#include "db.h"
#include "turn_key.h"

// store_database tells which database this is, and on which timeline: claims stand in no
// other, and a timeline ends when the database is set back or another server is promoted.
// One row (text), null on a standby.
void store_database(struct db *db, db_done *done, void *arg);

// store_doubt: their POSTs may have left, and no answer is known: claims at these turns
// become in_doubt, with an attempt. Keys sorted by turn_key_compare. Rows: (message_id
// uuid, turn int4) of those that changed.
void store_doubt(struct db *db, const struct turn_key *keys, size_t count, db_done *done,
                 void *arg);

// store_doubt_epochs: nothing is known about these epochs' POSTs: every claim becomes
// in_doubt. Rows as store_doubt.
void store_doubt_epochs(struct db *db, const int64_t *epochs, size_t count, db_done *done,
                        void *arg);

#endif
