// sim_callbacks.h: makes the status callbacks: signed, a bounded number at a time, tried
// again as the address's fragment asks. The rest waits in order; nothing is dropped, and
// a slow receiver slows nobody else.
#ifndef SIM_CALLBACKS_H
#define SIM_CALLBACKS_H

#include "sim_message.h"

struct reactor;
struct sim_callbacks;
struct sim_sids;
struct sim_store;

struct sim_callbacks_settings {
    const char *account_sid;
    const char *auth_token;  // signs
    int64_t in_flight_max;
    int64_t retry_delay_us;  // between two tries of one callback
};

// set is copied; its texts, store and sids are borrowed until close.
MUST_CHECK enum outcome sim_callbacks_open(struct sim_callbacks **out, struct reactor *r,
                                           const struct sim_callbacks_settings *set,
                                           const struct sim_store *store,
                                           struct sim_sids *sids, struct err *err);
void sim_callbacks_close(struct sim_callbacks *c);

// sim_callbacks_push queues the callback about that status of message number, which has
// an address; copies times.
void sim_callbacks_push(struct sim_callbacks *c, uint32_t number, enum sim_status status,
                        int64_t copies);

// sim_callbacks_clear forgets what waits and what is on its way, before
// sim_store_clear, and sets the counts to zero.
void sim_callbacks_clear(struct sim_callbacks *c);

// Answered with 2xx; given up; waiting or on their way.
uint64_t sim_callbacks_sent(const struct sim_callbacks *c);
uint64_t sim_callbacks_failed(const struct sim_callbacks *c);
uint64_t sim_callbacks_pending(const struct sim_callbacks *c);

#endif
