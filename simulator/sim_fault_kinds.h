// sim_fault_kinds.h: the table of faults: what each kind is called, what it is about, its
// defaults, and the number that stands for it.
#ifndef SIM_FAULT_KINDS_H
#define SIM_FAULT_KINDS_H

#include "sim_faults.h"

// A To number of this prefix and two more digits stands for the kind with that number.
#define SIM_FAULT_MAGIC_PREFIX "+150055590"

struct sim_fault_row {
    const char *name;
    int magic;  // the last two digits of the number that stands for it
    struct sim_fault fault;
    const char *help;
};

extern const struct sim_fault_row sim_fault_rows[SIM_FAULT_KINDS];

// sim_fault_row_find returns the row of that name, NULL if there is none.
const struct sim_fault_row *sim_fault_row_find(const char *name);

// sim_fault_row_magic returns the row that this To number stands for, or NULL.
const struct sim_fault_row *sim_fault_row_magic(const char *to);

// sim_fault_on_read returns what the word stands for ("create", "fetch", "list",
// "request", "callback", "message"), 0 for none; sim_fault_on_word turns it back.
unsigned sim_fault_on_read(const char *word);
const char *sim_fault_on_word(unsigned on);

#endif
