// takeover.h: what dead workers of this machine left: their journals are found in folders
// that nobody locks, and every claim of theirs is resolved: what was answered is
// recorded, what was begun is in doubt, what is neither never began and goes back to
// wait. A journal is deleted when PostgreSQL has answered all of that, twice: a claim of
// the dead one may still be running there. Any step may be repeated, by anybody.
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include "base.h"

struct crash_notes;
struct db;
struct journal;
struct metrics;
struct reactor;
struct state_folder;
struct takeover;

struct takeover_settings {
    const struct state_folder *folder;  // borrowed, as all here
    struct journal *journal;            // our own: is told the database, and left alone
    struct crash_notes *crashes;
    struct db *db;
    int64_t look_us;           // how often to look for folders that were left: 5 s
    int64_t late_us;           // how long a claim of a dead worker may still run: 30 s
    void (*ready)(void *arg);  // our own journal knows the database
    // PostgreSQL refused a statement: this worker cannot go on.
    void (*fail)(void *arg, const char *reason);
    void *arg;
};

// takeover_new looks for journals, and counts the records that crashed their workers,
// before it returns.
struct takeover *takeover_new(struct reactor *r, const struct takeover_settings *set,
                              struct metrics *metrics);
void takeover_free(struct takeover *t);

// takeover_is_ready: nothing may be claimed before.
bool takeover_is_ready(const struct takeover *t);

// takeover_pending counts journals that are not resolved yet.
size_t takeover_pending(const struct takeover *t);

#endif
