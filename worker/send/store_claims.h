// store_claims.h: the worker's writes: claim a batch, record what its POSTs came to, give
// back what never began. Each is one statement that may run twice and ignores what comes
// late; done runs as db.h says. Arrays are borrowed for the call only.
#ifndef STORE_CLAIMS_H
#define STORE_CLAIMS_H

#include "base.h"
#include "db.h"
#include "turn_key.h"

struct sms_job;

// store_claim takes the jobs for this epoch: sorted by id, each id once. What it wins
// stands in claim_batches under this number, which no other claim of the epoch has, until
// store_claims_settled, or until a status consumer sees that all of it is done. A row of
// the answer is (message_id uuid, turn int4, status text, tries int2); the status is
//   claimed   won: POST it, with this turn. Only these may be posted.
//   waiting   send_at lies ahead: the row sleeps in delayed, at the turn of the answer.
//   expired   under 5 s of useful time were left: it ends here.
//   canceled  its sender was faster.
//   no_row    a turn above 1 of an unknown message: for sms.dead; nothing was written.
// A job without a row in the answer was taken before (redelivered, or a stale turn).
void store_claim(struct db *db, struct sms_job *const *jobs, size_t count, int64_t epoch,
                 int64_t number, db_done *done, void *arg);

// store_claims_settled: nothing that these claims won is claimed or in doubt any more. No
// rows.
void store_claims_settled(struct db *db, const int64_t *epochs, const int64_t *numbers,
                          size_t count, db_done *done, void *arg);

// store_renew is for claims that did not begin within 2 s. Rows: (message_id uuid, turn
// int4) of those still held by this epoch; no row back = the claim is lost.
void store_renew(struct db *db, const struct turn_key *keys, size_t count, int64_t epoch,
                 db_done *done, void *arg);

// What one POST came to, in the words of the tables. Texts are borrowed.
struct send_outcome {
    unsigned char message_id[16];
    int32_t turn;        // of the POST
    const char *status;  // queued, sending, …, failed, in_doubt; waiting = another turn
    int rank;            // of the status (status.h)
    const char *outcome;      // accepted, rejected, in_doubt, not_sent, not_processed,
                              // misconfigured, not_listed
    int32_t http_status;      // 0 = no answer
    int32_t error_code;       // Twilio's, 0 = none
    const char *sid;          // NULL = none
    int32_t segments;         // as Twilio counts them, 0 = not told
    int32_t failures;         // added to tries: 0 or 1; not_sent is none
    int64_t due_us;           // wall clock of the next turn; only with status waiting
    int64_t answered_us;      // wall clock of the answer
    int64_t estimate_micros;  // of the job: becomes the ledger's entry with the SID
    const char *currency;     // of the job
    const char *rate_note;    // of the job, or NULL
    const char *mode;         // of the job
    int64_t epoch;            // under which it was claimed
    int64_t claimed_us, posted_us;  // wall clock
    const char *reason;    // why it is not what outcome says: tries_used_up, too_late
    const char *decision;  // kind of the row in decisions, NULL = the straight way
};

// store_result records outcomes: rows sorted by id, each id once. not_sent and
// not_listed leave no row in attempts. A turn above 1 without a SID is also shown as the
// older attempt that is on its way (store_adopt.h). Rows: (message_id uuid, turn int4,
// status text) of the messages that it changed: one that a callback overtook shows the
// callback's status.
void store_result(struct db *db, const struct send_outcome *rows, size_t count,
                  db_done *done, void *arg);

// store_release gives back the claims of this epoch that are not in held (sorted by
// turn_key_compare), older than older_us and without an attempt: they wait at the next
// turn, due now. Rows: (message_id uuid, turn int4) with the new turn.
void store_release(struct db *db, int64_t epoch, const struct turn_key *held,
                   size_t count, int64_t older_us, db_done *done, void *arg);

#endif
