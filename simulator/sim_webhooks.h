// sim_webhooks.h: calls one address as Twilio calls a webhook, and brings its answer:
// signed, tried again as the address's fragment asks, then the fallback address. For
// inbound messages and TwiML; status callbacks have sim_callbacks.h.
#ifndef SIM_WEBHOOKS_H
#define SIM_WEBHOOKS_H

#include "sim_sign.h"

struct reactor;
struct sim_caller;
struct sim_webhooks;

struct sim_webhook {
    const char *url;     // with its fragment, which is obeyed and neither sent nor signed
    const char *method;  // "POST", or "GET": the parameters are in the query then
    const char *fallback;  // called when url answers with 4xx, 5xx or not at all; or NULL
    const char *fallback_method;
    const struct sim_param *params;
    size_t count;
    struct sim_signer *signer;  // of the account; stays the caller's until done
    const char *token;          // I-Twilio-Idempotency-Token: the same for all tries
};

struct sim_webhook_answer {
    int status;      // of the last try; 0 = no complete answer came
    int error_code;  // 0 for 2xx and 3xx; else Twilio's 11200 (answered 4xx or 5xx, or
                     // not in time) or 11205 (no connection)
    bool is_from_fallback;
    const char *content_type;  // "" if the answer names none
    const char *body;          // of up to SIM_CALLER_ANSWER_MAX_BYTES
    size_t body_len;
};

// answer is borrowed during the call.
typedef void sim_webhook_done(void *arg, const struct sim_webhook_answer *answer);

// sim_webhooks_new borrows caller; retry_delay_us lies between two tries.
struct sim_webhooks *sim_webhooks_new(struct reactor *r, struct sim_caller *caller,
                                      int64_t retry_delay_us);

// sim_webhooks_free forgets what waits and never calls done for it; before it, the caller
// must be closed.
void sim_webhooks_free(struct sim_webhooks *w);

// sim_webhooks_clear makes every call that waits or is on its way end without done.
void sim_webhooks_clear(struct sim_webhooks *w);

// sim_webhooks_submit copies hook and runs done(arg, answer) exactly once, later, from
// the loop. Any number may wait for a free connection.
void sim_webhooks_submit(struct sim_webhooks *w, const struct sim_webhook *hook,
                         sim_webhook_done *done, void *arg);

size_t sim_webhooks_pending(const struct sim_webhooks *w);

#endif
