// sim_usage_categories.h: Twilio's usage categories as sums of what is booked.
#ifndef SIM_USAGE_CATEGORIES_H
#define SIM_USAGE_CATEGORIES_H

#include "sim_usage.h"

struct sim_usage_category {
    const char *name;  // NULL ends the table
    const char *description;
    unsigned kinds;    // a bit for each enum sim_usage_kind
    const char *unit;  // of usage; NULL: it is a price only
};

extern const struct sim_usage_category sim_usage_categories[];

// Days since 1970, both inclusive.
struct sim_usage_period {
    int32_t first, last;
};

// sim_usage_category_find returns NULL for a name that is not there.
const struct sim_usage_category *sim_usage_category_find(const char *name);

// sim_usage_category_sum adds up the category's kinds over a period.
struct sim_usage_sum sim_usage_category_sum(const struct sim_usage *u,
                                            const struct sim_usage_category *c,
                                            struct sim_usage_period p);

// sim_usage_begin_of returns the first day of the day, month or year ('d', 'm', 'y') that
// day lies in.
int32_t sim_usage_begin_of(int32_t day, char kind);

#endif
