// doubts.h: the sweep of what is in doubt: callback first, then Twilio's list, then the
// message's class. One process at a time, by the lease "doubts".
#ifndef DOUBTS_H
#define DOUBTS_H

#include "base.h"
#include "doubt_policy.h"

struct retry_settings;
struct db;
struct doubts;
struct keys;
struct metrics;
struct provider;
struct reactor;
struct retry_settings;

struct doubts_settings {
    const struct doubt_settings *policy;  // read at each use
    const int64_t *interval_us;           // likewise
    int64_t lease_us;
    const struct keys *keys;
    const struct retry_settings *retry;  // likewise
    struct db *db;
    struct provider *provider;
    struct metrics *metrics;
};

struct doubts *doubts_new(struct reactor *r, const struct doubts_settings *set);
void doubts_free(struct doubts *d);  // after db and provider were closed

// doubts_stop begins nothing new and gives the lease up; doubts_is_idle tells when
// nothing is in hand.
void doubts_stop(struct doubts *d);
bool doubts_is_idle(const struct doubts *d);

#endif
