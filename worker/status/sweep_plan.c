#include "sweep_plan.h"

#include "settings.h"

#include <stdio.h>
#include <string.h>

size_t sweeps_read_ages(int64_t out[SWEEP_AGES_MAX], const char *text)
{
    char word[32];
    size_t count = 0;

    while (count < SWEEP_AGES_MAX) {
        size_t len = strcspn(text, ",");
        if (len == 0 || len >= sizeof(word))
            return 0;
        memcpy(word, text, len);
        word[len] = '\0';
        if (!settings_parse_us(word, &out[count]) || out[count] <= 0 ||
            (count > 0 && out[count] <= out[count - 1]))
            return 0;
        count++;
        if (text[len] == '\0')
            return count;
        text += len + 1;
    }
    return 0;
}

static struct sweep_plan *add(struct sweep_plans *p, const char *what,
                              const struct sweep_plan *plan)
{
    struct sweep_plan *sweep = &p->all[p->count++];

    *sweep = *plan;
    (void)snprintf(sweep->name, sizeof(sweep->name), "%s after %lldms%s", what,
                   (long long)(plan->age_us / 1000),
                   plan->line == SWEEP_SIMULATED ? ", simulated" : "");
    return sweep;
}

static void add_line(struct sweep_plans *p, const struct sweep_settings *set,
                     enum sweep_line line)
{
    struct sweep_plan plan = { .kind = SWEEP_KIND_STATUS,
                               .wants = SWEEP_STATUS,
                               .line = line };
    int64_t ages_us[SWEEP_AGES_MAX];
    size_t count = sweeps_read_ages(ages_us, set->status_ages);

    for (size_t i = 0; i < count; i++) {
        plan.age_us = ages_us[i];
        add(p, "status", &plan)->notes_late = i == 0 && line != SWEEP_SIMULATED;
    }
    plan.times_out = true;
    plan.age_us = set->time_out_us;
    add(p, "status at last", &plan);
    plan.wants = SWEEP_OTP_STATUS;
    plan.age_us = set->otp_time_out_us;
    add(p, "status of otp at last", &plan);
    plan = (struct sweep_plan){ .kind = SWEEP_KIND_PRICE,
                                .wants = SWEEP_PRICE,
                                .line = line };
    count = sweeps_read_ages(ages_us, set->price_ages);
    for (size_t i = 0; i < count; i++) {
        plan.age_us = ages_us[i];
        add(p, "price", &plan);
    }
}

void sweep_plans_make(struct sweep_plans *out, const struct sweep_settings *set,
                      bool has_two_lines)
{
    const struct sweep_plan late = { .kind = SWEEP_KIND_LATE, .wants = SWEEP_STATUS };

    *out = (struct sweep_plans){ 0 };
    out->stage_count = sweeps_read_ages(out->stages_us, set->status_ages);
    out->stages_us[out->stage_count++] = set->time_out_us;
    add_line(out, set, has_two_lines ? SWEEP_REAL : SWEEP_ANY_LINE);
    if (has_two_lines)
        add_line(out, set, SWEEP_SIMULATED);
    add(out, "late ones", &late);
}
