// sim_inbound_form.h: the parameters of the webhook about an inbound message.
#ifndef SIM_INBOUND_FORM_H
#define SIM_INBOUND_FORM_H

#include "sim_message.h"
#include "sim_sids.h"
#include "sim_sign.h"

struct simulator;

enum {
    SIM_INBOUND_PARAMS_MAX = 48,
    SIM_INBOUND_SMALL_BYTES = 8,
    SIM_INBOUND_URL_BYTES = 192
};

// The values point into this struct, the message, and literals.
struct sim_inbound_form {
    struct sim_param params[SIM_INBOUND_PARAMS_MAX];
    size_t count;
    char sid[SIM_SIDS_TEXT_BYTES];
    char body[SIM_MESSAGE_BODY_MAX_BYTES + 1];
    char from_country[3], to_country[3];
    char num_media[SIM_INBOUND_SMALL_BYTES], num_segments[SIM_INBOUND_SMALL_BYTES];
    char media_names[SIM_MESSAGE_MEDIA_MAX][2][24];  // MediaUrl0, MediaContentType0
    char media_urls[SIM_MESSAGE_MEDIA_MAX][SIM_INBOUND_URL_BYTES];
};

// sim_inbound_form_fill writes what Twilio tells of m; opt_out_type is NULL except with
// Advanced Opt-Out.
void sim_inbound_form_fill(struct sim_inbound_form *form, struct simulator *sim,
                           const struct sim_message *m, const char *opt_out_type);

#endif
