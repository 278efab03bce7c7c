// store_changes.h: what a client may still change of its message: that it goes, and when.
// One change and one claim of a message never both win: they guard on the same row.
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "base.h"
#include "db.h"

// store_cancel ends a message of this client that waits, or that no worker has seen: then
// a row at turn 0 keeps its record from being claimed. The answer has one row
// (message_id uuid, turn int4, status text) if this call did it, else none: it stands
// elsewhere, is canceled already, or another client's.
void store_cancel(struct db *db, const unsigned char id[16], int32_t client,
                  db_done *done, void *arg);

// store_reschedule lets it wait until that time, under a new turn; its useful time moves
// along. The answer is like store_cancel's; none also if it waits for that very time.
void store_reschedule(struct db *db, const unsigned char id[16], int32_t client,
                      int64_t send_at_us, db_done *done, void *arg);

#endif
