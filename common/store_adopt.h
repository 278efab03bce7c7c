// store_adopt.h: what the worker and the status consumer do when a later turn came to
// nothing, or waits, while the attempt of another is on its way.
#ifndef STORE_ADOPT_H
#define STORE_ADOPT_H

#include "base.h"
#include "db.h"

extern const struct db_statement store_adopt_statement;

// store_adopt_args and store_adopt take ids, sorted, each once. A message that waits, is
// in doubt, has ended without proof or has failed shows the attempt that is on its way
// instead, and waits no longer. Rows: (message_id uuid, turn int4 of the attempt, status
// text).
struct db_args *store_adopt_args(const unsigned char (*ids)[16], size_t count);
void store_adopt(struct db *db, const unsigned char (*ids)[16], size_t count,
                 db_done *done, void *arg);

#endif
