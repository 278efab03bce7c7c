// sim_latency.h: how long the API takes to answer, as a distribution. Pure.
#ifndef SIM_LATENCY_H
#define SIM_LATENCY_H

#include "base.h"

// Without high_us always delay_us. With it, log-normal: half of the answers take less
// than delay_us, one in a hundred more than high_us; or uniform between the two.
struct sim_latency {
    int64_t delay_us, high_us;
    bool is_uniform;
    // Slow episodes: of each slow_every requests the last slow_count take slow_us more.
    int64_t slow_every, slow_count;  // 0 = none
    int64_t slow_us;
};

// sim_latency_us is how long request number ordinal takes; dice and more_dice are random.
int64_t sim_latency_us(const struct sim_latency *l, uint64_t ordinal, uint64_t dice,
                       uint64_t more_dice);

#endif
