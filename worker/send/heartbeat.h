// heartbeat.h: step 7 of the send protocol: this worker's life as PostgreSQL sees it. Its
// epoch stands in the table workers and beats there. Whoever does not beat is buried, and
// its claims are taken away: so nothing is posted unless a beat was confirmed lately, and
// only what is claimed under the epoch that lives.
//
// An epoch is over when it was buried, when a claim's answer may have been lost, when the
// table holds a claim for it that memory does not, or when the worker stops. What did not
// begin under it is forgotten and given back by a release. Because no claim comes to an
// epoch that is over, a release may run late, and more than once.
#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include "base.h"

struct db;
struct heartbeat;
struct job_set;
struct metrics;
struct reactor;

struct heartbeat_settings {
    struct db *db;      // a beat must wait behind no batch; borrowed, as all here
    struct db *claims;  // releases go this way
    const struct job_set *held;
    int64_t interval_us;  // 1 s; the gate closes after 5 of them, death comes after 15
    int64_t post_us;      // from sending a claim to the end of its POST, at most
    // The epoch was taken; 0 = none. Nothing of another may begin any more.
    void (*on_epoch)(void *arg, int64_t epoch);
    void (*on_alive)(void *arg);  // claims may be sent (again)
    // PostgreSQL refused: this worker cannot go on.
    void (*fail)(void *arg, const char *reason);
    void *arg;
};

struct heartbeat *heartbeat_new(struct reactor *r, const struct heartbeat_settings *set,
                                struct metrics *metrics);
void heartbeat_free(struct heartbeat *h);

// heartbeat_start takes the first epoch.
void heartbeat_start(struct heartbeat *h);

// heartbeat_allows says whether a claim under this epoch may be posted now: it is the
// one that lives, and its last confirmed beat was sent at most 5 intervals ago.
bool heartbeat_allows(const struct heartbeat *h, int64_t epoch);

// heartbeat_may_claim says the same of the epoch that lives.
bool heartbeat_may_claim(const struct heartbeat *h);

// heartbeat_is_registered says whether PostgreSQL has the epoch's row.
bool heartbeat_is_registered(const struct heartbeat *h);

// heartbeat_end_epoch takes a new epoch if this is the one that lives.
void heartbeat_end_epoch(struct heartbeat *h, int64_t epoch);

// heartbeat_release gives back what the table holds for an epoch that is over and memory
// does not.
void heartbeat_release(struct heartbeat *h, int64_t epoch);

// heartbeat_stop ends the epoch and takes none: nothing begins any more, and what did not
// begin is given back.
void heartbeat_stop(struct heartbeat *h);

// heartbeat_releasing counts releases that PostgreSQL has not confirmed;
// heartbeat_is_idle: there are none, and it knows that the epoch is over (when it is
// there at all).
size_t heartbeat_releasing(const struct heartbeat *h);
bool heartbeat_is_idle(const struct heartbeat *h);

#endif
