// limits.h: the rate of each API token. A request is decided at once, from memory, by
// GCRA with the allowance of one minute as burst. Every 100 ms what was taken is added to
// the table rate_limits, which answers with what all producers took together.
//
// What holds with several producers: in the long run the rate, as all of them pay into
// one account. For a moment more: until a producer hears of the others (100 ms and a
// round trip) it knows its own requests only, so that each may admit up to one burst.
// What was admitted too much is owed: requests are refused until it is made good. Without
// PostgreSQL each producer keeps the limit by itself.
#ifndef LIMITS_H
#define LIMITS_H

#include "base.h"

struct db;
struct limits;
struct reactor;

// One token's state; zero-initialise, set token_id. It must outlive the limits.
struct limit {
    int64_t token_id;
    int64_t tat_ns;  // clock_boot_us in nanoseconds
    int64_t interval_ns;
    int64_t taken;  // and not told to PostgreSQL yet
    bool is_queued;
    struct limit *next;  // in the queue of those
};

struct limit_answer {
    bool granted;
    int64_t quota;   // requests per minute
    int64_t left;    // of the burst, after this request
    int64_t full_s;  // after so many seconds the whole burst is there again
    int64_t wait_s;  // of a refusal: come again after so many seconds
};

struct limits *limits_new(struct reactor *r, struct db *db);  // borrows both
void limits_free(struct limits *l);

// limits_take takes one request of a limit of per_minute (1 to 1 000 000).
struct limit_answer limits_take(struct limits *l, struct limit *limit,
                                int64_t per_minute);

#endif
