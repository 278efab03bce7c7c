// store_adopt.h: what the worker and the status consumer do when a later turn came to
// nothing, or waits, while the attempt of another is on its way.
#ifndef STORE_ADOPT_H
#define STORE_ADOPT_H

#include "base.h"
#include "db.h"

// A message that waits, is in doubt, has ended without proof or has failed shows the
// attempt that is on its way instead, and waits no longer. Runs in the transaction that
// made it so, or before the one that claims it, so that no crash comes between. It has no
// rows.
extern const struct db_statement store_adopt_statement;

// The same for ids that only the statement before it knows: it notes them, with commas
// between, by set_config('smsq.adopt', …, true), which ends with the transaction.
extern const struct db_statement store_adopt_noted_statement;

// store_adopt_args takes ids, sorted, each once.
struct db_args *store_adopt_args(const unsigned char (*ids)[16], size_t count);

// store_adopt runs it alone; no rows.
void store_adopt(struct db *db, const unsigned char (*ids)[16], size_t count,
                 db_done *done, void *arg);

#endif
