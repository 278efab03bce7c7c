// waits.h: requests that are accepted and wait for Twilio's SID (Prefer: wait=N): one
// statement every 50 ms asks about all of them. Belongs to the reactor's thread.
#ifndef WAITS_H
#define WAITS_H

#include "base.h"

#include <sys/queue.h>

struct db;
struct metrics;
struct reactor;
struct waits;

// What became of a message: it has a SID, or it ended without one.
struct wait_news {
    const char *sid;     // NULL = none
    const char *status;  // the inner word
    const char *reason;  // or NULL
    int32_t error_code;  // 0 = none
};

// news is valid during the call; NULL = nothing is known: it is time, or the end, or
// nobody wants to know any more.
typedef void wait_done(void *arg, const struct wait_news *news);

// One that waits. The caller fills the fields below next and keeps it until done.
struct wait {
    TAILQ_ENTRY(wait) next;
    unsigned char message_id[16];
    int64_t until_us;  // clock_boot_us
    wait_done *done;
    bool (*is_abandoned)(const void *arg);  // asked once a second; NULL = never
    void *arg;
};

// waits_new borrows db. Up to max wait at a time. waits_free is waits_stop, too.
struct waits *waits_new(struct reactor *r, struct db *db, size_t max,
                        struct metrics *metrics);
void waits_free(struct waits *w);

// waits_begin runs done once, later. Returns false, and never calls done, when too many
// wait, after waits_stop, and when it is time already.
MUST_CHECK bool waits_begin(struct waits *w, struct wait *one);

// waits_stop ends all that wait, with no news.
void waits_stop(struct waits *w);

#endif
