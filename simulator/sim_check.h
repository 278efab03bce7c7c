// sim_check.h: reads and checks the form of a create, as Twilio does: the first thing
// wrong is the answer.
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "phone.h"
#include "sim_error.h"

struct form;
struct rate_card;
struct sim_phone_memory;

enum { SIM_CHECK_BODY_CHARACTERS = 1600, SIM_CHECK_VALIDITY_MAX_S = 36000 };

struct sim_checker {
    struct sim_phone_memory *phones;
    const struct rate_card *rates;
    const char *service_sid;  // the only Messaging Service there is; NULL = any is there
    const char *senders;      // own numbers, with commas; NULL = every number is own
};

// The draft and the memory its normalised numbers live in.
struct sim_checked {
    struct sim_draft draft;
    struct phone to, from;
    char from_text[32];
};

// sim_check fills out; its texts borrow from form and from out itself.
//   OUTCOME_REJECT  error holds Twilio's answer.
MUST_CHECK enum outcome sim_check(struct sim_checked *out, const struct sim_checker *c,
                                  const struct form *form, struct sim_error *error);

#endif
