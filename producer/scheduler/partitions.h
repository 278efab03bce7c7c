// partitions.h: has the partitions of the coming months made, now and then every so
// often, so that no installation runs out of months. Several schedulers may do it.
#ifndef PARTITIONS_H
#define PARTITIONS_H

#include "base.h"

struct db;
struct partitions;
struct reactor;

struct partitions *partitions_new(struct reactor *r, struct db *db, int64_t interval_us);
void partitions_free(struct partitions *p);

// partitions_stop begins no further look.
void partitions_stop(struct partitions *p);

#endif
