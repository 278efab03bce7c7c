// sim_fault_rule.h: one rule: a fault, and when it bites. Used by sim_faults.c and by the
// reader of forms.
#ifndef SIM_FAULT_RULE_H
#define SIM_FAULT_RULE_H

#include "sim_faults.h"

struct sim_fault_rule {
    uint32_t id;
    struct sim_fault fault;
    char to[SIM_FAULTS_TEXT_BYTES], from[SIM_FAULTS_TEXT_BYTES];
    char account[SIM_FAULTS_TEXT_BYTES], status_is[SIM_FAULTS_TEXT_BYTES];  // "" = any
    int64_t ppb;            // probability in billionths
    int64_t nth;            // the first that it may bite, from 1
    int64_t count;          // how often it may bite; 0 = any number
    uint64_t seen, bitten;  // subjects that matched, and that had the fault
};

// sim_fault_rule_read fills rule from a form (sim_faults_add); id and counts stay 0.
MUST_CHECK enum outcome sim_fault_rule_read(struct sim_fault_rule *rule,
                                            const struct form *form, struct err *err);

#endif
