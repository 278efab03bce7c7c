// sim_inbound_read.h: reads the form of POST /_sim/inbound, and says whose message it is.
#ifndef SIM_INBOUND_READ_H
#define SIM_INBOUND_READ_H

#include "sim_account.h"
#include "sim_message.h"

struct form;
struct simulator;

// The draft's texts borrow from the form and from this struct.
struct sim_inbound_message {
    struct sim_draft draft;
    struct sim_account *account;
    struct sim_service *service;   // whose pool holds the sender, or NULL
    const struct sim_sender *own;  // the sender written to; NULL if it is not listed
    char to[32], from[32];         // with their channel
    bool is_whatsapp;
};

// sim_inbound_read reads from, to, body, media (repeated) and account (only needed when
// several could own the sender).
//   OUTCOME_REJECT  the text names the parameter.
MUST_CHECK enum outcome sim_inbound_read(struct sim_inbound_message *out,
                                         struct simulator *sim, const struct form *form,
                                         struct err *err);

#endif
