// store_receipts.h: what the status consumer writes: every callback as it came, and the
// status that follows from all of them by rank. Any order and any repetition give the
// same rows. What the simulator says raises simulated messages only, what Twilio says the
// others only. Arrays are borrowed for the call only.
#ifndef STORE_RECEIPTS_H
#define STORE_RECEIPTS_H

#include "base.h"
#include "db.h"
#include "wire.h"

struct retry_settings;

// One callback. Its key is its place in Kafka, so a redelivery is the same receipt.
struct receipt {
    int64_t recorded_at_us;  // time of the Kafka record, wall clock
    int32_t partition;
    int64_t offset;
    unsigned char message_id[16];  // zero = unknown: matched by SID
    int32_t turn;                  // 0 = unknown
    const char *twilio_sid;
    const char *word;    // Twilio's status as received
    const char *status;  // our word for it, NULL = unknown (status_of_provider)
    int32_t rank;        // -1 = unknown word: kept, raises nothing
    int32_t error_code;  // 0 = none
    struct wire_bytes raw;
    int64_t received_at_us;  // at our receiver, wall clock
    bool simulated;          // the simulator vouches for it, not Twilio
};

struct receipt_batch {
    const struct receipt *all;
    size_t count;
    const struct receipt *const
        *best;  // of each (id, turn, simulated): status_entry_best
    size_t best_count;
    // This installation simulates: simulated messages stop senders, which real ones
    // would otherwise share.
    bool simulates;
};

// store_receipts writes, in one transaction, all count receipts and raises attempts and
// messages by the best: of each (id, turn, simulated) that is known, with a rank of 0 or
// more, the highest once, sorted by id, then turn. Receipts whose message has no row, or
// whose id is unknown, are also kept in receipts_unmatched. Rows: (message_id uuid, turn
// int4, status text, class text, tries int2, error_code int4, meaning text, advice text,
// next text, is_failure bool) of the messages whose status it changed. A failure of the
// turn that stands is looked up in error_codes; next says what it comes to:
//   again          waits for its next turn, as retry says
//   tries_used_up  a code worth another try, and no try is left
//   too_late       likewise, and its useful time does not last
//   opt_out        the recipient wants no more messages
//   stop_sender, stop_account  final, and no more of it is to go out: the switch of that
//                  name is turned off for what was posted later than it was last closed
//   final          anything else; null = the table does not know the code
// A turn above 1 that failed gives way to another that is on its way (store_adopt.h).
void store_receipts(struct db *db, const struct receipt_batch *batch,
                    const struct retry_settings *retry, db_done *done, void *arg);

// store_receipts_join applies up to limit unmatched receipts whose message has a row by
// now, or, without an id, whose SID stands in attempts, and forgets them. Rows:
// (message_id uuid, turn int4, twilio_sid text) of those it took; as many as limit: call
// it again.
void store_receipts_join(struct db *db, int32_t limit, const struct retry_settings *retry,
                         bool simulates, db_done *done, void *arg);

#endif
