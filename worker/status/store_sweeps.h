// store_sweeps.h: what the sweeps for missing statuses and prices read and write. They
// walk the ids of attempts in their order, in slices; nothing is indexed for them.
#ifndef STORE_SWEEPS_H
#define STORE_SWEEPS_H

#include "base.h"
#include "db.h"
#include "turn_key.h"

// store_sweep_load reads how far each sweep has come: (name text, message_id uuid, turn
// int4). store_sweep_move notes it; never backwards.
void store_sweep_load(struct db *db, db_done *done, void *arg);
void store_sweep_move(struct db *db, const char *name, const struct turn_key *upto,
                      db_done *done, void *arg);

enum sweep_wants { SWEEP_STATUS, SWEEP_OTP_STATUS, SWEEP_PRICE };

// store_sweep_slice looks at up to scan_max attempts behind after, with ids below before,
// and returns those of the line that lack what is wanted: (message_id uuid, turn int4,
// twilio_sid text, mode text, at timestamptz: when it was posted, null = not known), and
// one row without twilio_sid: the last that was looked at. No row at all: there is
// nothing behind after.
enum sweep_line { SWEEP_ANY_LINE, SWEEP_REAL, SWEEP_SIMULATED };
struct sweep_slice {
    enum sweep_wants wants;
    enum sweep_line line;
    struct turn_key after;
    unsigned char before[16];
    int32_t scan_max;
};
enum { SLICE_ID, SLICE_TURN, SLICE_SID, SLICE_MODE, SLICE_AT, SLICE_STAGE, SLICE_WAITS };
void store_sweep_slice(struct db *db, const struct sweep_slice *slice, db_done *done,
                       void *arg);

// store_sweep_note_late notes the messages from one id to another that have not gone out.
void store_sweep_note_late(struct db *db, const unsigned char after[16],
                           const unsigned char upto[16], db_done *done, void *arg);

// store_sweep_late reads up to limit noted messages that are due, the columns of a slice
// with (stage int4, waits bool) behind: one attempt that lacks status or price, or none.
void store_sweep_late(struct db *db, int32_t limit, db_done *done, void *arg);

// store_sweep_late_move sets when each is looked at next, and its stage; INT64_MAX
// forgets it.
struct sweep_later {
    unsigned char message_id[16];
    int32_t stage;
    int64_t next_us;
};
void store_sweep_late_move(struct db *db, const struct sweep_later *all, size_t count,
                           db_done *done, void *arg);

// store_sweep_time_out gives up waiting for a final status: attempts and messages that
// are still on their way become timed_out. Rows: (message_id uuid, turn int4).
void store_sweep_time_out(struct db *db, const struct turn_key *keys, size_t count,
                          db_done *done, void *arg);

// What Twilio bills for one SID. The carrier's fee comes on top, by the rate card.
struct sweep_price {
    unsigned char message_id[16];
    const char *twilio_sid;
    int64_t price_micros;  // positive
    const char *currency;  // NULL = that of the estimate
    int32_t segments;
};

// store_sweep_prices adds what is missing to Twilio's bill, sorted by id and SID. In
// another currency than the estimate's, one entry takes that back. Rows: (message_id
// uuid).
void store_sweep_prices(struct db *db, const struct sweep_price *all, size_t count,
                        db_done *done, void *arg);

#endif
