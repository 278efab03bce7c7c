// sweep_plan.h: which sweeps there are: one for each age of a missing status or price, on
// each line (Twilio, simulator), and one for what went out late. Pure.
#ifndef SWEEP_PLAN_H
#define SWEEP_PLAN_H

#include "base.h"
#include "store_sweeps.h"
#include "sweeps.h"

enum sweep_kind { SWEEP_KIND_STATUS, SWEEP_KIND_PRICE, SWEEP_KIND_LATE };

enum { SWEEP_NAME_BYTES = 64, SWEEPS_MAX = 2 * (2 * SWEEP_AGES_MAX + 2) + 1 };

struct sweep_plan {
    char name[SWEEP_NAME_BYTES];
    enum sweep_kind kind;
    enum sweep_wants wants;
    enum sweep_line line;
    int64_t age_us;
    bool times_out;   // what is still on its way afterwards has timed out
    bool notes_late;  // the first one notes what has not gone out yet
};

struct sweep_plans {
    size_t count, stage_count;
    struct sweep_plan all[SWEEPS_MAX];
    int64_t stages_us[SWEEP_AGES_MAX + 1];  // of messages that went out late
};

// sweep_plans_make: with two lines each is walked on its own, so that an account that
// refuses us does not stop the other.
void sweep_plans_make(struct sweep_plans *out, const struct sweep_settings *set,
                      bool has_two_lines);

#endif
