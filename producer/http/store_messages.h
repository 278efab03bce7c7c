// store_messages.h: the producer's reads: a message's life for its sender, news for who
// waits, the rate card. Texts of what the _read functions fill are borrowed
// from the answer.
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include "base.h"
#include "db.h"
#include "waits.h"
#include "wire.h"

struct rate_card;

// store_status_by_id and store_status_by_sid read one message of this client: no row if
// it has none, or another client's. Hand the answer's rows to store_status_read.
void store_status_by_id(struct db *db, const unsigned char id[16], int32_t client,
                        db_done *done, void *arg);
void store_status_by_sid(struct db *db, const char *sid, int32_t client, db_done *done,
                         void *arg);

// What a sender may see of a message. Times are wall-clock microseconds, 0 = not yet.
// A message canceled before it was seen has no more than id, client, status and turn.
struct message_row {
    unsigned char message_id[16];
    int32_t client;
    const char *status;        // the inner word; status_shown makes the outer one
    const char *waiting_kind;  // kind of its delayed row (retry, schedule, …), or NULL
    const char *reason;        // why it stands there, or NULL
    const char *message_class, *channel, *mode;
    const char *country, *to_hint;
    const char *sender, *sender_type;
    const char *template_ref, *reference;
    const char *twilio_sid;  // of the attempt the status shows, or NULL
    struct wire_bytes sealed;
    struct wire_bytes to_hash;
    int32_t turn, tries;
    int32_t error_code;  // 0 = none
    int32_t segments;    // as Twilio counted, else ours; 0 = not known
    int64_t accepted_at, send_at, claimed_at, sent_at, delivered_at, expires_at;
    int64_t estimate_micros;
    bool cost_known;      // false: the ledger has no entry yet
    int64_t cost_micros;  // sum of the ledger over all attempts
    const char *currency;
    const char *rate_note;
    const char *error_meaning, *error_advice;  // of error_codes, or NULL
};

// store_status_read fills out; false when there is no such message.
MUST_CHECK bool store_status_read(struct message_row *out, const struct db_result *rows);

// store_news reads which of these messages have a SID or ended without one; the others
// have no row in the answer.
void store_news(struct db *db, const unsigned char *const *ids, size_t count,
                db_done *done, void *arg);

struct news_row {
    unsigned char message_id[16];
    struct wait_news news;
};

void store_news_read(struct news_row *out, const struct db_result *rows, size_t row);

// store_rate_card reads the whole card; store_rate_card_read makes it a table that the
// caller frees.
//   OUTCOME_REJECT  a row is not one that rate_card_add takes.
void store_rate_card(struct db *db, db_done *done, void *arg);
MUST_CHECK enum outcome store_rate_card_read(struct rate_card **out,
                                             const struct db_result *rows,
                                             struct err *err);

#endif
