// status.h: the statuses of a message and an attempt, and their ranks. Within a turn a
// rank only rises (docs/design.md, "Rank").
#ifndef STATUS_H
#define STATUS_H

#include "base.h"

enum {
    RANK_WAITING = 0,
    RANK_CLAIMED = 10,
    RANK_IN_DOUBT = 20,
    RANK_ENDED_BY_US = 25,  // expired, unknown, suppressed, canceled: without proof
    RANK_QUEUED = 30,
    RANK_SENDING = 40,
    RANK_SENT = 50,
    RANK_FAILED = 70,
    RANK_DELIVERED = 75,
};

// status_rank returns the rank of a word of Twilio's (accepted, scheduled, queued,
// sending, sent, partially_delivered, failed, canceled, undelivered, delivered, read),
// -1 for any other word.
int status_rank(const char *word);

// status_of_provider returns our inner word for Twilio's: accepted, scheduled and queued
// are "queued", the rest is itself; NULL for an unknown word.
const char *status_of_provider(const char *word);

// status_shown returns what senders see for an inner status; kind is the kind of the
// delayed row of a waiting message ("retry", "schedule", …) or NULL.
const char *status_shown(const char *status, const char *kind);

#endif
