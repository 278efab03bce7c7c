// sim_fault_answers.h: what a fault makes of an answer.
#ifndef SIM_FAULT_ANSWERS_H
#define SIM_FAULT_ANSWERS_H

#include "sim_answers.h"
#include "sim_faults.h"

struct buf;

// sim_fault_answer changes answer as the fault wants it; a body it makes is in scratch,
// which is cleared first. A fault that does not accept needs no answer to begin with.
// number is of the message that was created, 0 for none.
void sim_fault_answer(struct sim_answer *answer, const struct sim_fault *fault,
                      uint32_t number, struct buf *scratch);

#endif
