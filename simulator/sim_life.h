// sim_life.h: moves messages through their life. Each step comes a constant time after
// the create, so each step is one place in the row of all messages: no timer and no
// memory per message.
#ifndef SIM_LIFE_H
#define SIM_LIFE_H

#include "sim_message.h"

struct sim_life;
struct sim_store;

// Times after the create. A step never overtakes the one before it.
struct sim_life_delays {
    int64_t queued_us;  // a Messaging Service picks its sender
    int64_t sent_us;    // or fails, where that is the message's fate
    int64_t delivered_us;
    int64_t price_us;  // after delivered_us
};

// Called after each change of status; the status may be raised already when the callback
// about it leaves.
typedef void sim_life_changed(void *arg, const struct sim_message *m);

// service_sender is the number that every Messaging Service picks; borrowed, as store.
struct sim_life *sim_life_new(struct sim_store *store, const char *service_sender,
                              sim_life_changed *changed, void *arg);
void sim_life_free(struct sim_life *l);

// sim_life_set_delays counts for messages on their way too.
void sim_life_set_delays(struct sim_life *l, const struct sim_life_delays *delays);
const struct sim_life_delays *sim_life_delays(const struct sim_life *l);

// sim_life_clear goes with sim_store_clear.
void sim_life_clear(struct sim_life *l);

// sim_life_run takes up to steps_max steps that are due at now_us, on the simulator's
// clock, and returns when the next one is due; INT64_MAX when all lives are over.
int64_t sim_life_run(struct sim_life *l, int64_t now_us, int steps_max);

#endif
