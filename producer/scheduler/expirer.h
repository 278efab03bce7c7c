// expirer.h: ends messages whose useful time is over while they wait for another try, or
// are held, however far off their due time is. It goes round through what waits, a page
// at a time; one expirer is active, by lease.
#ifndef EXPIRER_H
#define EXPIRER_H

#include "base.h"

struct db;
struct expirer;
struct metrics;
struct reactor;

struct expirer_settings {
    struct reactor *reactor;
    struct db *db;         // borrowed
    int64_t rest_us;       // between two rounds
    int64_t page_rest_us;  // between two pages of a round
    int64_t lease_us;
};

enum { EXPIRER_PAGE = 1000 };

// expirer_new begins as soon as it has the lease.
struct expirer *expirer_new(const struct expirer_settings *set, struct metrics *metrics);
void expirer_free(struct expirer *e);

// expirer_stop reads no further page; expirer_is_idle tells when nothing is asked of
// PostgreSQL any more and the lease is given up.
void expirer_stop(struct expirer *e);
bool expirer_is_idle(const struct expirer *e);

#endif
