// send_request.h: the body of POST /sms/send: read, checked, each complaint with the
// field it is about.
#ifndef SEND_REQUEST_H
#define SEND_REQUEST_H

#include "account.h"
#include "base.h"
#include "phone.h"
#include "segments.h"

struct json_reader;

enum {
    SEND_TEXT_MAX = 1600,  // UTF-16 units: Twilio refuses longer texts with 21617
    SEND_REFERENCE_MAX_BYTES = 128,
    SEND_EXPIRES_MIN_S = 10,
    SEND_EXPIRES_MAX_S = 518400,  // six days: less than the topics keep a job
};

// A complaint: which answer, about which field.
struct complaint {
    int status;         // 400 or 422
    const char *code;   // stable word
    const char *field;  // NULL = the body as a whole
    struct err detail;
};

struct send_request {
    struct phone to;
    struct segments segments;
    char *body;  // owned
    size_t body_len;
    char *from;            // owned; NULL = the default sender
    char *reference;       // owned; NULL = none
    char *message_class;   // owned; never NULL
    char *key;             // owned; idempotency_key, NULL = none
    bool resend_in_doubt;  // if_in_doubt: send_again
    int64_t expires_in_s;  // 0 = the class's own useful time
    int64_t send_at;       // wall microseconds, of any time; 0 = now
    bool strict;           // refuse numbers that are possible but not valid
    char region[3];        // for a number without a country code
    // The caller's, as far as the installation allows it; not read from the body.
    enum account_mode mode;
};

// send_request_parse fills out; region is the default one. Members: to, body, from,
// class, reference, expires_in, send_at, strict, region, idempotency_key, if_in_doubt.
// Whether it is too late for send_at is send_time_check's to say: a repeat may come after
// it.
//   OUTCOME_REJECT  complaint says what is wrong; out needs no free.
MUST_CHECK enum outcome send_request_parse(struct send_request *out,
                                           struct json_reader *json, const char *region,
                                           const char *bytes, size_t len,
                                           struct complaint *complaint);
void send_request_free(struct send_request *r);

#endif
