// doubt_hands.h: the messages in doubt that are worked at: judged, looked for, and their
// end written. Used by doubts.c only.
#ifndef DOUBT_HANDS_H
#define DOUBT_HANDS_H

#include "base.h"
#include "doubts.h"
#include "store_doubts.h"

struct doubt_hands;

// How a doubt can end.
enum doubt_way {
    DOUBT_WAY_CALLBACK,
    DOUBT_WAY_LIST,
    DOUBT_WAY_RESEND,
    DOUBT_WAY_UNKNOWN,
    DOUBT_WAY_EXPIRED,
    DOUBT_WAY_PERSON,
};
enum { DOUBT_WAY_COUNT = DOUBT_WAY_PERSON + 1 };

enum { DOUBT_HANDS_MAX = 32 };

// set is read as long as the hands live.
struct doubt_hands *doubt_hands_new(const struct doubts_settings *set);
void doubt_hands_free(struct doubt_hands *h);  // after db and provider were closed

// doubt_hands_take does what is next for the message of row; there must be room. The
// note in doubts says where it stands, so what is in hand may be lost at any time.
void doubt_hands_take(struct doubt_hands *h, const struct doubt_row *row);

// doubt_hands_ids fills in what is in hand and returns how many.
size_t doubt_hands_ids(const struct doubt_hands *h,
                       unsigned char ids[DOUBT_HANDS_MAX][16]);

// doubt_hands_count counts and logs the end of a doubt that somebody else brought about;
// way is a word of smsq_doubts_resolved_total, other words count nothing.
void doubt_hands_count(struct doubt_hands *h, const char *way,
                       const unsigned char message_id[16], int32_t turn);

// doubt_failed logs a statement that PostgreSQL refused; step says which.
void doubt_failed(const char *step, const struct db_answer *answer);

#endif
