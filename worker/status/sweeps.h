// sweeps.h: asks Twilio for final statuses and prices that never came, by the age of the
// messages: each sweep walks their ids once, at its age. One process at a time, by the
// lease "sweeps".
#ifndef SWEEPS_H
#define SWEEPS_H

#include "base.h"

struct retry_settings;
struct db;
struct metrics;
struct provider;
struct reactor;
struct sweeps;

enum { SWEEP_AGES_MAX = 8 };

struct sweep_settings {
    char *status_ages, *price_ages;  // reconcile.status_ages, reconcile.price_ages
    int64_t time_out_us;             // reconcile.time_out
    int64_t otp_time_out_us;         // reconcile.otp_time_out
    int64_t rest_us;                 // reconcile.sweep_interval
};

// sweeps_read_ages reads "5m,1h": ascending durations, 1 to SWEEP_AGES_MAX of them;
// returns how many, 0 for anything else.
size_t sweeps_read_ages(int64_t out[SWEEP_AGES_MAX], const char *text);

struct sweeps_parts {
    const struct sweep_settings *set;
    const struct retry_settings *retry;
    int64_t lease_us;
    struct db *db;
    struct provider *provider;
    struct metrics *metrics;
};

struct sweeps *sweeps_new(struct reactor *r, const struct sweeps_parts *parts);
void sweeps_free(struct sweeps *s);  // after db and provider were closed

// sweeps_stop begins nothing new and gives the lease up; sweeps_is_idle tells when it is
// given up. A slice in hand may be dropped: it is walked again.
void sweeps_stop(struct sweeps *s);
bool sweeps_is_idle(const struct sweeps *s);

#endif
