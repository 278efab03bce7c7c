// sim_triggers.h: usage triggers: an account asks to be told when a category passes a
// value, once, or once a day, month or year.
#ifndef SIM_TRIGGERS_H
#define SIM_TRIGGERS_H

#include "sim_usage_categories.h"

struct sim_account;
struct simulator;

enum { SIM_TRIGGER_NAME_BYTES = 65, SIM_TRIGGER_SID_BYTES = 35 };

enum sim_trigger_by { SIM_TRIGGER_COUNT, SIM_TRIGGER_USAGE, SIM_TRIGGER_PRICE };

struct sim_trigger {
    char sid[SIM_TRIGGER_SID_BYTES];  // first: the key of the table
    char name[SIM_TRIGGER_NAME_BYTES];
    char *callback_url;
    bool is_get;
    const struct sim_usage_category *category;
    enum sim_trigger_by by;
    char recurring;            // 'd', 'm', 'y', 'a' (all time); '\0' = once
    int64_t value_millionths;  // of messages, units or the currency
    int64_t fired_us;          // 0 = never
    int64_t created_us, updated_us;
};

// sim_triggers_current is the category's value in the trigger's period, in millionths.
int64_t sim_triggers_current(const struct sim_trigger *t, const struct sim_account *a,
                             int64_t now_us);

// sim_triggers_check calls the addresses of those triggers of a that are due.
void sim_triggers_check(struct simulator *sim, struct sim_account *a);

void sim_trigger_free(struct sim_trigger *t);

// Words of Twilio's: "price"; "daily", NULL for once.
const char *sim_trigger_by_word(enum sim_trigger_by by);
const char *sim_trigger_recurring_word(char recurring);

#endif
