// sim_life.h: moves messages through their life on the simulator's clock: a scheduled one
// waits, a service picks a sender, the sender's queue is waited for, the message is sent
// or fails, is delivered, and shows its price. A message waits for one thing at a time.
#ifndef SIM_LIFE_H
#define SIM_LIFE_H

#include "sim_message.h"

struct sim_clock;
struct sim_life;
struct sim_senders;
struct sim_store;

// Times after the create; what a sender's queue makes a message wait comes on top. A step
// never overtakes the one before it.
struct sim_life_delays {
    int64_t queued_us;  // a Messaging Service picks its sender
    int64_t sent_us;    // or fails, where that is the message's fate
    int64_t delivered_us;
    int64_t read_us;   // after delivered_us, a WhatsApp message; 0 = never
    int64_t price_us;  // after delivered_us
};

struct sim_life_hooks {
    // Runs after each change of status; the clock shows the time of the change.
    void (*changed)(void *arg, const struct sim_message *m);
    // Returns the senders among which m's Messaging Service chooses; *count 0: the
    // message fails. Borrowed until the store is cleared.
    const char *const *(*pool)(void *arg, const struct sim_message *m, size_t *count);
    void *arg;
};

// hooks is copied; everything else is borrowed.
struct sim_life *sim_life_new(struct sim_clock *clock, struct sim_store *store,
                              struct sim_senders *senders,
                              const struct sim_life_hooks *hooks);
void sim_life_free(struct sim_life *l);

// sim_life_set_delays counts for messages on their way too.
void sim_life_set_delays(struct sim_life *l, const struct sim_life_delays *delays);
const struct sim_life_delays *sim_life_delays(const struct sim_life *l);

// sim_life_begin starts the life of m, which was just added to the store with its first
// status. The first change comes from the clock, never from this call.
void sim_life_begin(struct sim_life *l, struct sim_message *m);

#endif
