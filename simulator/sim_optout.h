// sim_optout.h: the words with which people stop and start a sender, and what Twilio
// itself answers them (reference: Twilio's page on opt-out keywords).
#ifndef SIM_OPTOUT_H
#define SIM_OPTOUT_H

#include "sim_account.h"
#include "sim_message.h"
#include "sim_pairs.h"

enum sim_optout { SIM_OPTOUT_NONE, SIM_OPTOUT_STOP, SIM_OPTOUT_START, SIM_OPTOUT_HELP };

// sim_optout_read finds the word in a text that is nothing but that word, in any case.
enum sim_optout sim_optout_read(struct sim_text body);

// sim_optout_type is what OptOutType says: "STOP", "START", "HELP"; NULL for none.
const char *sim_optout_type(enum sim_optout word);

// sim_optout_apply blocks or frees the person for the scope (a sender, or the SID of its
// Messaging Service) and returns Twilio's own reply; NULL: it sends none.
const char *sim_optout_apply(struct sim_pairs *stopped, enum sim_optout word,
                             const char *scope, const char *person, int64_t now_us);

// sim_optout_is_handled: Twilio handles the words for this sender: for numbers always,
// for short codes only with Advanced Opt-Out.
bool sim_optout_is_handled(const struct sim_account *a, const char *sender);

#endif
