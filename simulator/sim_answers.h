// sim_answers.h: answers of the API with Twilio's headers, at once or when their time has
// come; how many requests of an account are in hand. Their delays are real time, whatever
// the simulator's clock does: clients wait in real time.
#ifndef SIM_ANSWERS_H
#define SIM_ANSWERS_H

#include "sim_latency.h"

struct http_request;
struct reactor;
struct sim_answers;
struct sim_faults;
struct sim_ledger;
struct sim_sids;

enum sim_answer_end {
    SIM_ANSWER_WHOLE,
    SIM_ANSWER_CUT,        // no answer: the connection ends
    SIM_ANSWER_RESET,      // and with a reset
    SIM_ANSWER_TRUNCATED,  // half the body, then the connection ends
};

struct sim_answer {
    int status;
    const char *body;
    size_t len;
    const char *content_type;  // NULL = application/json; a literal
    const char *location;      // of a redirection; NULL = none
    int64_t retry_after_s;     // 0 = none
    uint16_t account;          // whose request it is
    int64_t extra_us;          // beyond what answers take anyway
    uint32_t overtaken_by;     // it waits for that message's callback, extra_us at most
    enum sim_answer_end end;
};

// Everything is borrowed; faults is the source of chance. There is no delay at first.
struct sim_answers *sim_answers_new(struct reactor *r, struct sim_sids *sids,
                                    struct sim_ledger *ledger,
                                    const struct sim_faults *faults);

// sim_answers_free drops what waits: the server answers it when it closes.
void sim_answers_free(struct sim_answers *a);

// sim_answers_is_full: the account has as many requests in hand as it may have.
bool sim_answers_is_full(const struct sim_answers *a, uint16_t account);

// sim_answers_send answers req now.
void sim_answers_send(struct sim_answers *a, struct http_request *req,
                      const struct sim_answer *answer);

// sim_answers_send_late does so when the latency and extra_us are over since the request
// began; it copies body; location must live until then.
void sim_answers_send_late(struct sim_answers *a, struct http_request *req,
                           const struct sim_answer *answer);

// sim_answers_heard: a callback about that message has come to an end.
void sim_answers_heard(struct sim_answers *a, uint32_t number);

// sim_answers_set_latency: a new delay_us counts for what waits too. in_flight_max is per
// account, 0 = no limit. sim_answers_flush answers what waits now.
void sim_answers_set_latency(struct sim_answers *a, const struct sim_latency *latency,
                             int64_t in_flight_max);
void sim_answers_flush(struct sim_answers *a);

#endif
