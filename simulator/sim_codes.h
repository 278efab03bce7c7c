// sim_codes.h: Twilio's error codes that the simulator answers with or writes on a
// message, with their HTTP status and text (reference: Twilio's error dictionary).
#ifndef SIM_CODES_H
#define SIM_CODES_H

#include "base.h"

struct sim_code {
    int code;
    int status;           // of the HTTP answer; 0: only ever on a message or a webhook
    const char *message;  // of the HTTP answer; may hold one %s for the value
    const char *title;    // error_message of a message that ends with it; NULL = never
};

// sim_codes_find returns the row of code, or NULL.
const struct sim_code *sim_codes_find(int code);

// sim_codes_title is the error_message of a failed message, never NULL.
const char *sim_codes_title(int code);

#endif
