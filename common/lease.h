// lease.h: work that one process at a time does (table leases). The row expires: a holder
// that is frozen or dead stops nobody, and one that wakes up late knows by its own clock
// that it holds nothing any more. What is begun under a lease may end after it, so it
// must bear a second holder: a lease saves work, the guards of the statements keep it
// right.
#ifndef LEASE_H
#define LEASE_H

#include "base.h"

struct db;
struct lease;
struct metrics;
struct reactor;

typedef void lease_taken(void *arg);

struct lease_settings {
    const char *name;     // "mover.urgent", "rescuer": the row and the metric; a literal
    const char *program;  // for people; a literal
    int64_t term_us;      // how long a frozen holder stops the others; 10 s is usual
    struct db *db;
    lease_taken *taken;  // runs when it was not held and now is; NULL = nobody asks
    void *arg;
};

// lease_new begins to ask for the lease and to renew it every third of its term, until
// lease_free. Copies set.
struct lease *lease_new(struct reactor *r, const struct lease_settings *set,
                        struct metrics *metrics);
void lease_free(struct lease *lease);

// lease_is_held says whether it is surely ours now: a clock that counts sleep has seen
// less than the term since the answered request was sent.
bool lease_is_held(const struct lease *lease);

// lease_give_up ends asking and frees the row for the next one, when we hold it.
void lease_give_up(struct lease *lease);

// lease_is_idle says whether PostgreSQL owes no answer: after lease_give_up the row is
// free.
bool lease_is_idle(const struct lease *lease);

#endif
