// store_cleaner.h: deletes rows that were kept long enough.
#ifndef STORE_CLEANER_H
#define STORE_CLEANER_H

#include "db.h"

// store_forget_keys deletes up to limit idempotency keys that came first, and were used
// to publish last, more than keep_us ago. The answer's affected rows are those.
void store_forget_keys(struct db *db, int64_t keep_us, int32_t limit, db_done *done,
                       void *arg);

#endif
