// store_rescue.h: what becomes of workers that beat no more, and of their claims. Each is
// one statement that may run twice; done runs as db.h says. Nobody may run them but the
// holder of the lease; two would only do the work twice.
#ifndef STORE_RESCUE_H
#define STORE_RESCUE_H

#include "base.h"
#include "db.h"

// store_rescue_bury buries the epochs whose beat is too old, by their own measure. Not in
// a session that is younger than two such times: an outage of PostgreSQL makes all beats
// old. Rows: (epoch int8, host text, pid int4, silent_us int8).
void store_rescue_bury(struct db *db, db_done *done, void *arg);

// store_rescue_claims puts up to limit claims of buried or unknown epochs in doubt, when
// no POST of them can be under way any more; those of unknown epochs when they are older
// than unknown_us. Rows: (message_id uuid, turn int4, epoch int8).
void store_rescue_claims(struct db *db, int64_t unknown_us, int64_t limit, db_done *done,
                         void *arg);

// store_rescue_count: one row (alive int8, dead int8) of epochs.
void store_rescue_count(struct db *db, db_done *done, void *arg);

// store_rescue_tidy deletes the batches of claims of which nothing is claimed or in doubt
// any more, once they are a minute old.
void store_rescue_tidy(struct db *db, db_done *done, void *arg);

// store_rescue_forget deletes epochs that are dead for longer than keep_us and hold no
// message any more.
void store_rescue_forget(struct db *db, int64_t keep_us, db_done *done, void *arg);

#endif
