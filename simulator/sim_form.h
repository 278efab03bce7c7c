// sim_form.h: the parameters of a status callback, in the order Twilio sends them.
#ifndef SIM_FORM_H
#define SIM_FORM_H

#include "sim_message.h"
#include "sim_sids.h"
#include "sim_sign.h"

enum { SIM_FORM_PARAMS_MAX = 15, SIM_FORM_TIME_BYTES = 11, SIM_FORM_CODE_BYTES = 12 };

// The values point into this struct, the message, and account_sid.
struct sim_form {
    struct sim_param params[SIM_FORM_PARAMS_MAX];
    size_t count;
    char sid[SIM_SIDS_TEXT_BYTES];
    char done_at[SIM_FORM_TIME_BYTES];     // YYMMDDhhmm
    char error_code[SIM_FORM_CODE_BYTES];  // decimal
    char install_sid[SIM_SIDS_TEXT_BYTES];
};

// sim_form_fill writes what the callback about that status says of m.
void sim_form_fill(struct sim_form *form, struct sim_sids *sids, const char *account_sid,
                   const struct sim_message *m, enum sim_status status);

#endif
