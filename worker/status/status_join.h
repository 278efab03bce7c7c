// status_join.h: callbacks that came before their message, or without its id, are tried
// again from time to time.
#ifndef STATUS_JOIN_H
#define STATUS_JOIN_H

#include "base.h"

struct db;
struct metrics;
struct reactor;
struct status_consumer_settings;
struct status_join;

// set is read at each use; simulates: store_receipts.h.
struct status_join *status_join_new(struct reactor *r, struct db *db,
                                    const struct status_consumer_settings *set,
                                    bool simulates, struct metrics *metrics);
void status_join_free(struct status_join *j);  // after db was closed; NULL is accepted

#endif
