// twilio.h: asks Twilio to send SMS, many at a time, on the reactor's thread. The rules
// come from Twilio's Messages resource and its page on error 20500: creating a message is
// not idempotent, so what may have arrived is never posted again from here.
#ifndef TWILIO_H
#define TWILIO_H

#include "base.h"
#include "error_codes.h"
#include "sid.h"

struct accounts;
struct breakers;
struct http_client;
struct job;
struct journal;
struct json_reader;
struct keys;
struct metrics;
struct reactor;

enum send_result {
    SEND_ACCEPTED,
    SEND_NOT_SENT,
    SEND_NOT_PROCESSED,
    SEND_REJECTED,
    SEND_MISCONFIGURED,
    SEND_IN_DOUBT,
    SEND_NOT_LISTED,
    SEND_HELD_ACCOUNT,
    SEND_HELD_SENDER,
    SEND_HELD_CLASS,
    SEND_RESULT_COUNT,
};

struct twilio_answer {
    enum send_result result;         // what to do next, never "an error"
    int http_status;                 // 0 if no answer came
    int code;                        // Twilio's error code, 0 if none
    const struct error_code *known;  // its row, or NULL; borrowed during the call
    // STOP_SENDER or STOP_ACCOUNT if misconfigured, SLOW_DOWN if not processed, REFUSE or
    // RETRY if rejected, UNKNOWN in doubt; else NONE.
    enum error_action action;
    char sid[SID_TEXT_BYTES];  // of the message; "" unless SEND_ACCEPTED
    char status[24];           // Twilio's word for the new message; "" likewise
    int segments;              // as Twilio counts them, 0 if not told yet
    int64_t retry_after_us;    // -1 if not told
    int64_t took_us;
    const char *reason;  // a few words for the log
};

typedef void twilio_done(void *arg, struct job *job, const struct twilio_answer *answer);

struct twilio_settings {
    const struct accounts *accounts;  // each mode has its own
    const struct keys *keys;
    const struct error_codes *codes;
    const struct breakers *breakers;  // may stop a job at the last gate; NULL = none
    const char *callback_url;         // without query: public URL and path
    size_t in_flight_max;
    int64_t connect_us, total_us;
    int64_t lease_us;  // a claim sent longer ago than this is not posted
    // Whether claims of this epoch may be posted now; NULL = they may.
    bool (*is_alive)(void *arg, int64_t epoch);
    void *is_alive_arg;
    struct journal *journal;  // notes what leaves; NULL only in tests
    struct metrics *metrics;
};

struct twilio;

//   OUTCOME_REJECT  an address is too long.
//   OUTCOME_FATAL   the HTTP client refused to start.
MUST_CHECK enum outcome twilio_open(struct twilio **out, struct reactor *r,
                                    const struct twilio_settings *set, twilio_done *done,
                                    void *arg, struct err *err);
void twilio_close(struct twilio *t);

// twilio_submit posts job once, to the account of its mode, and calls done(arg, job,
// answer) exactly once, later, from the loop; job is borrowed until then, answer is valid
// during the call only.
//
//   SEND_ACCEPTED       Twilio took the message; it is not delivered yet.
//   SEND_NOT_SENT       Not one byte left us: safe to try again.
//   SEND_NOT_PROCESSED  Twilio says it did nothing (429, a full queue): slow down.
//   SEND_REJECTED       Twilio refused it; answer->code says why, answer->action whether
//                       for good.
//   SEND_MISCONFIGURED  Credentials, account, sender or address are wrong: keep the job.
//   SEND_IN_DOUBT       It may have been taken: docs/design.md, "Twice".
//   SEND_NOT_LISTED     Its mode is listed, and its number is not: final, nothing left
//   us.
//   SEND_HELD_…         Never comes from here: breakers.h.
//
// Returns false, and never calls done, when all slots are busy.
MUST_CHECK bool twilio_submit(struct twilio *t, struct job *job);

// twilio_give_up ends all that is in flight: what may have left us is in doubt, the rest
// was not sent. done runs for each in the next turn of the loop.
void twilio_give_up(struct twilio *t);

size_t twilio_free_slots(const struct twilio *t);

// send_result_name is the word in attempts.outcome: "accepted", "not_sent", …
const char *send_result_name(enum send_result result);

// send_result_is_held: we kept it back, and it waits until what stops it is over.
bool send_result_is_held(enum send_result result);

#endif
