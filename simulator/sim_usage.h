// sim_usage.h: what an account used and owes, by day and category: the source of usage
// records and balance. The same calls fill the ledger, so both agree to the micro-unit.
#ifndef SIM_USAGE_H
#define SIM_USAGE_H

#include "sim_message.h"

// Leaves, each counted once; the records' sums (sms, totalprice) are made of them.
enum sim_usage_kind {
    SIM_USAGE_OUT_LONGCODE,
    SIM_USAGE_OUT_SHORTCODE,
    SIM_USAGE_OUT_ALPHANUMERIC,
    SIM_USAGE_IN_LONGCODE,
    SIM_USAGE_IN_SHORTCODE,
    SIM_USAGE_MMS_OUT,
    SIM_USAGE_MMS_IN,
    SIM_USAGE_WHATSAPP_OUT,
    SIM_USAGE_WHATSAPP_IN,
    SIM_USAGE_CARRIER_FEES,
    SIM_USAGE_MMS_CARRIER_FEES,
    SIM_USAGE_FAILED_FEES,
    SIM_USAGE_KINDS,
};

struct sim_usage_sum {
    int64_t count;  // messages
    int64_t units;  // segments; messages where those are billed
    int64_t micros;
};

struct sim_usage_day {
    int32_t day;  // days since 1970, UTC
    struct sim_usage_sum sums[SIM_USAGE_KINDS];
};

// Zero-initialised is empty. The days rise.
struct sim_usage {
    struct sim_usage_day *days;
    size_t count, room;
};

void sim_usage_clear(struct sim_usage *u);

// sim_usage_bill books a message that was sent or received, at that second.
void sim_usage_bill(struct sim_usage *u, const struct sim_message *m, int64_t at_s);

// sim_usage_failed books the fee of a failed message.
void sim_usage_failed(struct sim_usage *u, int64_t micros, int64_t at_s);

// sim_usage_between sums kind over the days first to last, both inclusive.
struct sim_usage_sum sim_usage_between(const struct sim_usage *u,
                                       enum sim_usage_kind kind, int32_t first,
                                       int32_t last);

// sim_usage_total is what all days cost.
int64_t sim_usage_total(const struct sim_usage *u);

#endif
