// sim_switches.h: the delays, rates and limits that may change while the simulator runs:
// settings at the start, POST /_sim/delays later.
#ifndef SIM_SWITCHES_H
#define SIM_SWITCHES_H

#include "settings.h"
#include "sim_latency.h"
#include "sim_life.h"
#include "sim_senders.h"

struct buf;
struct form;

struct sim_switches {
    struct sim_latency latency;
    int64_t in_flight_max;  // requests of an account at a time; 0 = no limit
    struct sim_life_delays life;
    struct sim_senders_rates rates;
    int64_t list_lag_us;  // from the create until a list shows the message
    int64_t callback_repeat;
    bool callback_reverse;
};

// Rows of struct sim_settings. A switch's name is what stands behind the dot.
extern const struct setting sim_switches_table[];

enum { SIM_SWITCHES_NAME_BYTES = 32 };

// sim_switches_apply takes all pairs of form over, or none.
//   OUTCOME_REJECT  the text says what is wrong with the pair that bad names.
MUST_CHECK enum outcome sim_switches_apply(struct sim_switches *s,
                                           const struct form *form,
                                           char bad[SIM_SWITCHES_NAME_BYTES],
                                           struct err *err);

// sim_switches_render appends them as one JSON object; times as name_us.
void sim_switches_render(const struct sim_switches *s, struct buf *out);

#endif
