// sim_ledger.h: what was really accepted and billed. The witness of the tests: a message
// that was created twice shows here, whatever the sender believes.
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "sim_message.h"

struct buf;
struct sim_ledger;
struct sim_store;

// Repeated = creates beyond the first of the same content; distinct + repeated = all.
struct sim_ledger_counts {
    uint64_t creates;
    uint64_t distinct_to_body, repeated_to_body;
    uint64_t distinct_message_ids, repeated_message_ids;  // of callbacks that carry m=
    uint64_t billed_messages;
    int64_t billed_micros;  // of the messages that were sent, and fees of failed ones
    int64_t carrier_fee_micros, failed_fee_micros;  // in billed_micros
    uint64_t segments;                              // of all creates
    uint64_t refused;                               // creates answered with an error
    uint64_t callbacks_sent, callbacks_failed, callbacks_pending;
    uint64_t in_flight_max;  // API requests at a time
};

// The ledger looks into store for comparisons; borrowed.
struct sim_ledger *sim_ledger_new(const struct sim_store *store);
void sim_ledger_free(struct sim_ledger *l);

// sim_ledger_clear sets everything to zero.
void sim_ledger_clear(struct sim_ledger *l);

void sim_ledger_create(struct sim_ledger *l, const struct sim_message *m);
void sim_ledger_bill(struct sim_ledger *l, const struct sim_message *m);
void sim_ledger_bill_fee(struct sim_ledger *l, int64_t micros);
void sim_ledger_refuse(struct sim_ledger *l);
void sim_ledger_in_flight(struct sim_ledger *l, uint64_t count);

// sim_ledger_counts: the three callbacks_ fields are 0; who sends them knows.
const struct sim_ledger_counts *sim_ledger_counts(const struct sim_ledger *l);

// sim_ledger_render appends counts as one JSON object.
void sim_ledger_render(const struct sim_ledger_counts *counts, const char *currency,
                       struct buf *out);

#endif
