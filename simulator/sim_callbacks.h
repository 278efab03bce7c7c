// sim_callbacks.h: makes the status callbacks: signed, a bounded number at a time, tried
// again as the address's fragment asks. The rest waits in order; nothing is dropped, and
// a slow receiver slows nobody else.
#ifndef SIM_CALLBACKS_H
#define SIM_CALLBACKS_H

#include "sim_faults.h"

struct reactor;
struct sim_callbacks;
struct sim_caller;
struct sim_sids;
struct sim_signer;
struct sim_store;

// Whose message it is: the account that the callback names and that signs it.
struct sim_callbacks_owner {
    const char *account_sid;
    struct sim_signer *signer;
};

struct sim_callbacks_settings {
    int64_t in_flight_max;   // those of the caller
    int64_t retry_delay_us;  // between two tries of one callback
    struct sim_callbacks_owner (*owner)(void *arg, const struct sim_message *m);
    // Runs when a callback about that message was answered or is given up.
    void (*ended)(void *arg, uint32_t number);
    void *arg;
};

// set is copied; caller, store and sids are borrowed until close.
struct sim_callbacks *sim_callbacks_new(struct reactor *r,
                                        const struct sim_callbacks_settings *set,
                                        struct sim_caller *caller,
                                        const struct sim_store *store,
                                        struct sim_sids *sids);

// sim_callbacks_free comes after the caller was closed: what is in flight is forgotten.
void sim_callbacks_free(struct sim_callbacks *c);

// sim_callbacks_push queues the callback about that status of message number, which has
// an address; copies times. fault is SIM_FAULT_WRONG_SIGNATURE, or SIM_FAULT_UNREACHABLE
// or SIM_FAULT_UNHEARD, which spoil that many tries; other kinds mean nothing here.
void sim_callbacks_push(struct sim_callbacks *c, uint32_t number, enum sim_status status,
                        int64_t copies, enum sim_fault_kind fault, int spoilt);

// sim_callbacks_clear forgets what waits and what is on its way, before
// sim_store_clear, and sets the counts to zero.
void sim_callbacks_clear(struct sim_callbacks *c);

// Answered with 2xx; given up; waiting or on their way.
uint64_t sim_callbacks_sent(const struct sim_callbacks *c);
uint64_t sim_callbacks_failed(const struct sim_callbacks *c);
uint64_t sim_callbacks_pending(const struct sim_callbacks *c);

#endif
