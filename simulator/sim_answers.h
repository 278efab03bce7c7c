// sim_answers.h: answers of the API with Twilio's headers, at once or after answer_delay.
#ifndef SIM_ANSWERS_H
#define SIM_ANSWERS_H

#include "base.h"

struct http_request;
struct reactor;
struct sim_answers;
struct sim_ledger;
struct sim_sids;

// reactor, sids and ledger are borrowed; the delay is 0 at first.
struct sim_answers *sim_answers_new(struct reactor *r, struct sim_sids *sids,
                                    struct sim_ledger *ledger);

// sim_answers_free drops what waits: the server answers it when it closes.
void sim_answers_free(struct sim_answers *a);

// sim_answers_send answers req with the JSON in body; location is of a redirection, or
// NULL.
void sim_answers_send(struct sim_answers *a, struct http_request *req, int status,
                      const char *location, const char *body, size_t len);

// sim_answers_send_late does so when answer_delay is over since the request began; it
// copies body.
void sim_answers_send_late(struct sim_answers *a, struct http_request *req, int status,
                           const char *body, size_t len);

// sim_answers_set_delay counts for what waits too; sim_answers_flush answers that now.
void sim_answers_set_delay(struct sim_answers *a, int64_t delay_us);
void sim_answers_flush(struct sim_answers *a);

#endif
