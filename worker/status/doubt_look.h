// doubt_look.h: one look for one message in doubt: its content, Twilio's list, its older
// turns, and who else may own what the list shows. Used by doubts.c only.
#ifndef DOUBT_LOOK_H
#define DOUBT_LOOK_H

#include "base.h"
#include "doubt_match.h"
#include "doubt_policy.h"
#include "provider_read.h"
#include "store_doubts.h"

struct db;
struct doubt_look_at;
struct json_reader;
struct keys;
struct provider;

// What a look came to.
struct doubt_sight {
    size_t pair_count;                         // 0 = not found
    struct doubt_pair pairs[DOUBT_PAIRS_MAX];  // turns with their messages, no bodies
    enum doubt_look look;                      // when not found
    const char *note;                          // a sentence; all borrowed during done
};

typedef void doubt_sight_done(void *arg, const struct doubt_sight *sight);

struct doubt_look_settings {
    struct db *db;
    struct provider *provider;
    const struct keys *keys;
    struct json_reader *json;
    int64_t margin_us;  // how far Twilio's clock may be from ours
};

// doubt_look_begin looks for row's message and calls done once, later. It copies what it
// needs. NULL, and done never runs: keys do not open its content. doubt_look_free ends it
// at any time, also from done; NULL is accepted. It must outlive the answers of db and
// provider: free it after done, or when both are closed.
struct doubt_look_at *doubt_look_begin(const struct doubt_look_settings *set,
                                       const struct doubt_row *row,
                                       doubt_sight_done *done, void *arg);
void doubt_look_free(struct doubt_look_at *at);

#endif
