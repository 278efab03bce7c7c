#include "sim_latency.h"

#include <math.h>

// A number above 0 and up to 1.
static double share(uint64_t dice)
{
    return ((double)(dice >> 11) + 1) / 9007199254740992.0;
}

static double lognormal(const struct sim_latency *l, uint64_t dice, uint64_t more_dice)
{
    static const double pi = 3.14159265358979323846;
    static const double z99 = 2.3263478740408408;  // one in a hundred is above
    double z = sqrt(-2 * log(share(dice))) * cos(2 * pi * share(more_dice));
    double sigma = log((double)l->high_us / (double)l->delay_us) / z99;

    return (double)l->delay_us * exp(sigma * z);
}

static int64_t usual_us(const struct sim_latency *l, uint64_t dice, uint64_t more_dice)
{
    if (l->high_us <= l->delay_us)
        return l->delay_us;
    if (l->is_uniform)
        return l->delay_us + (int64_t)(share(dice) * (double)(l->high_us - l->delay_us));
    return l->delay_us ? (int64_t)lognormal(l, dice, more_dice) : 0;
}

int64_t sim_latency_us(const struct sim_latency *l, uint64_t ordinal, uint64_t dice,
                       uint64_t more_dice)
{
    int64_t us = usual_us(l, dice, more_dice);
    bool is_slow = l->slow_every && (int64_t)(ordinal % (uint64_t)l->slow_every) >=
                                        l->slow_every - l->slow_count;

    return is_slow ? us + l->slow_us : us;
}
