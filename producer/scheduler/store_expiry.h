// store_expiry.h: messages whose useful time ends while they wait.
#ifndef STORE_EXPIRY_H
#define STORE_EXPIRY_H

#include "base.h"
#include "db.h"
#include "turn_key.h"

// store_waits reads up to limit rows of delayed behind that key (zero = from the first
// on), in the order of their keys, without those that wait for a time their sender gave:
// their useful time begins there. It changes nothing.
void store_waits(struct db *db, const struct turn_key *after, int32_t limit,
                 db_done *done, void *arg);

struct wait_row {
    struct turn_key key;
    bool is_over;  // the message waits at this turn, and its useful time is over
};

void store_waits_read(struct wait_row *out, const struct db_result *rows, size_t row);

// store_expire ends messages that still wait at these turns, sorted by id, and whose time
// is over: expired, with a decision; their rows in delayed go. The answer has one row
// (message_id uuid, turn int4) for each that ended.
void store_expire(struct db *db, const struct turn_key *keys, size_t count, db_done *done,
                  void *arg);

#endif
