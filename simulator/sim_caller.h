// sim_caller.h: calls webhooks: signed forms over HTTP, a bounded number at a time. Plain
// HTTP to a numeric address goes over connections of its own, everything else through
// libcurl, which costs three times as much.
#ifndef SIM_CALLER_H
#define SIM_CALLER_H

#include "sim_url.h"

struct reactor;
struct sim_caller;

#define SIM_CALLER_USER_AGENT "TwilioProxy/1.1"

// Far above a TwiML document (64 KiB), so that whoever reads it can say it is too large.
enum { SIM_CALLER_ANSWER_MAX_BYTES = 1 << 20 };

struct sim_call {
    const char *method;   // "POST" or "GET"
    struct sim_text url;  // without a fragment; copied
    const char *body;     // of a POST: a form; borrowed until done
    size_t body_len;
    const char *signature;  // X-Twilio-Signature; copied
    const char *token;      // I-Twilio-Idempotency-Token; copied
    int64_t connect_us;     // until the connection stands
    int64_t read_us;        // for the first packet of the answer and between packets
    int64_t total_us;       // for this call as a whole
};

// What a call came to. Texts are borrowed during done.
struct sim_call_answer {
    int status;        // 0: no complete answer came
    unsigned failure;  // one of SIM_URL_RETRY_...; 0 for other answers than 4xx and 5xx
    const char *content_type;  // "" if the answer names none
    const char *body;
    size_t body_len;
};

typedef void sim_call_done(void *arg, const struct sim_call_answer *answer);

MUST_CHECK enum outcome sim_caller_open(struct sim_caller **out, struct reactor *r,
                                        size_t in_flight_max, struct err *err);

// sim_caller_close ends what is in flight without calling done.
void sim_caller_close(struct sim_caller *c);

// sim_caller_submit starts the call and later runs done(arg, answer) exactly once, from
// the loop. Redirects are not followed.
// Returns false, and never runs done, when in_flight_max calls are running.
MUST_CHECK bool sim_caller_submit(struct sim_caller *c, const struct sim_call *call,
                                  sim_call_done *done, void *arg);

#endif
