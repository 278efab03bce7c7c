// doubt_match.h: which of the messages in Twilio's list are which of our POSTs of the
// same text from the same sender to the same person. Pure.
#ifndef DOUBT_MATCH_H
#define DOUBT_MATCH_H

#include "base.h"
#include "provider_read.h"

// A POST whose SID nobody knows.
struct doubt_try {
    unsigned char message_id[16];
    int32_t turn;  // of the message that is looked for; 0 = another message's
    int64_t claimed_us;
};

enum {
    DOUBT_POST_MAX_US = 45000000,  // from the claim: 3 s, 35 s for the request, and some
    DOUBT_TRIES_MAX = 64,
    DOUBT_PAIRS_MAX = 16,
};

struct doubt_pair {
    int32_t turn;
    const struct provider_message *message;
};

// doubt_fits tells whether a POST of that claim can have made a message then.
bool doubt_fits(int64_t claimed_us, int64_t created_us, int64_t margin_us);

// doubt_match sorts tries, and returns how many messages it gave to turns of ours, oldest
// turn first; 0 = it cannot tell. Without other messages each goes to the latest turn
// that was claimed before it was made. With others, all are given out in order, if there
// are exactly as many as POSTs. messages: one to DOUBT_PAIRS_MAX, the newest first.
size_t doubt_match(struct doubt_pair pairs[DOUBT_PAIRS_MAX], struct doubt_try *tries,
                   size_t try_count, const struct provider_message *messages,
                   size_t message_count, int64_t margin_us);

#endif
