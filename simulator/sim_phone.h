// sim_phone.h: reads phone numbers through common/phone.h and remembers the answer for
// a block of a thousand numbers: libphonenumber costs more than the rest of a create.
#ifndef SIM_PHONE_H
#define SIM_PHONE_H

#include "phone.h"

struct sim_phone_memory;

struct sim_phone_memory *sim_phone_memory_new(void);
void sim_phone_memory_free(struct sim_phone_memory *m);

// sim_phone_read fills e164 and country of out as phone_parse does.
//   OUTCOME_REJECT  not a possible number.
MUST_CHECK enum outcome sim_phone_read(struct phone *out, struct sim_phone_memory *m,
                                       const char *text, size_t len);

#endif
