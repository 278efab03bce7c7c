// rescuer.h: finds dead workers by their beats, and puts what they had claimed in doubt
// without looking at their disks. One process does it at a time, by lease; it stops for
// nobody who is frozen. A worker that comes back with its journal may be faster, or
// later: either order ends in the same rows.
#ifndef RESCUER_H
#define RESCUER_H

#include "base.h"
#include "db.h"

struct metrics;
struct reactor;
struct rescuer;

//   OUTCOME_REJECT  the connection string is malformed.
MUST_CHECK enum outcome rescuer_open(struct rescuer **out, struct reactor *r,
                                     const struct db_settings *db, int64_t lease_us,
                                     struct metrics *metrics, struct err *err);
void rescuer_close(struct rescuer *s);

// rescuer_stop gives the work to the next one; rescuer_is_idle: it has it.
void rescuer_stop(struct rescuer *s);
bool rescuer_is_idle(const struct rescuer *s);

// rescuer_db is its connection, for readiness.
const struct db *rescuer_db(const struct rescuer *s);

#endif
