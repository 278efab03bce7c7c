// store_doubts.h: the table doubts: which messages are in doubt, what was asked about
// them, and the statements that end a doubt. Each leaves its row in decisions.
#ifndef STORE_DOUBTS_H
#define STORE_DOUBTS_H

#include "base.h"
#include "db.h"
#include "wire.h"

// store_doubts_enter notes up to limit messages that are in doubt and not noted at their
// turn; each is due after its class's first_us. Rows: (message_id uuid, turn int4, class
// text).
struct doubt_firsts {
    int64_t otp_us, emergency_us, transactional_us, marketing_us;
};
void store_doubts_enter(struct db *db, const struct doubt_firsts *firsts, int32_t limit,
                        db_done *done, void *arg);

// store_doubts_clean forgets notes whose message is not in doubt at that turn any more,
// but those in hand. Rows: (message_id uuid, turn int4, way text): "callback" (or a late
// answer) told, a "person" closed it, or it is not in doubt for "other" reasons.
void store_doubts_clean(struct db *db, const unsigned char (*in_hand)[16], size_t count,
                        db_done *done, void *arg);

// One note that is due, with its message; texts and bytes are borrowed from the rows.
struct doubt_row {
    unsigned char message_id[16];
    int32_t turn;
    int32_t looks, empty_lists;
    int32_t client;
    int32_t resends;
    int64_t since_us, last_empty_us, now_us;  // last_empty_us 0 = none
    int64_t expires_us;
    int64_t claimed_us;
    int64_t first_claimed_us;  // of the oldest turn without a SID
    bool is_ambiguous;
    bool is_settled;  // an attempt of another turn is on its way
    const char *message_class;
    const char *mode;
    const char *sender, *sender_type;
    const char *on_doubt;  // "resend" or NULL
    struct wire_bytes to_hash, sealed;
};

// store_doubts_due reads up to limit notes that are due and not in hand, the longest due
// first; store_doubts_read one row of its answer.
void store_doubts_due(struct db *db, const unsigned char (*in_hand)[16], size_t count,
                      int32_t limit, db_done *done, void *arg);
void store_doubts_read(struct doubt_row *out, const struct db_result *rows, size_t row);

// Which turn of which message, and how often it had been looked for: a note that moved on
// meanwhile stays as it is.
struct doubt_key {
    unsigned char message_id[16];
    int32_t turn;
    int32_t looks;
};

// store_doubts_later sets when the note is due next.
void store_doubts_later(struct db *db, const struct doubt_key *key, int64_t next_us,
                        db_done *done, void *arg);

// store_doubts_looked counts a list that was asked for; note says what it told.
enum doubt_look { LOOK_FAILED, LOOK_EMPTY, LOOK_AMBIGUOUS };
void store_doubts_looked(struct db *db, const struct doubt_key *key, enum doubt_look look,
                         int64_t next_us, const char *note, db_done *done, void *arg);

// store_doubts_rivals asks which of the SIDs stand in attempts of other turns, and which
// other POSTs may own the rest: older turns of the message, and other messages from the
// same sender to the same person in that time, whose SID nobody knows. Rows: (twilio_sid
// text) or (message_id uuid, client int4, sealed bytea, claimed_at timestamptz, turn
// int4), the other columns null; client and sealed only of other messages.
struct doubt_rivals {
    const struct doubt_key *key;
    const char *const *sids;
    size_t sid_count;
    struct wire_bytes to_hash;
    int64_t from_us, to_us;
    const char *sender;
    bool simulated;
};
enum { RIVAL_SID, RIVAL_ID, RIVAL_CLIENT, RIVAL_SEALED, RIVAL_CLAIMED_AT, RIVAL_TURN };
void store_doubts_rivals(struct db *db, const struct doubt_rivals *rivals, db_done *done,
                         void *arg);

// store_doubts_found ends the note of a message whose proof was written. A row
// (message_id uuid) when there was a note.
void store_doubts_found(struct db *db, const struct doubt_key *key, const char *reason,
                        db_done *done, void *arg);

// store_doubts_end ends a message that is still in doubt as status, "expired" or
// "unknown", unless another turn is on its way; store_doubts_resend lets it wait for
// another turn, if nothing proves an older one. A row (message_id uuid) when it did.
void store_doubts_end(struct db *db, const struct doubt_key *key, const char *status,
                      const char *reason, db_done *done, void *arg);
void store_doubts_resend(struct db *db, const struct doubt_key *key, const char *reason,
                         db_done *done, void *arg);

// store_doubts_count counts by class: (class text, count int8, overdue int8) of messages
// in doubt, and of those for longer than their class's overdue_us.
void store_doubts_count(struct db *db, const struct doubt_firsts *overdue, db_done *done,
                        void *arg);

#endif
