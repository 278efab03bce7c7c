// sim_error.h: an error answer in Twilio's shape.
#ifndef SIM_ERROR_H
#define SIM_ERROR_H

#include "sim_message.h"

struct buf;

enum { SIM_ERROR_MESSAGE_BYTES = 320 };

struct sim_error {
    int status;  // of HTTP
    int code;    // Twilio's
    char message[SIM_ERROR_MESSAGE_BYTES];
    const char *detail;  // NULL except where Twilio adds one
};

// sim_error_set fills error and returns OUTCOME_REJECT. The message may hold one %s, for
// value: shown cut to 160 bytes and in plain ASCII, because outsiders wrote it.
enum outcome sim_error_set(struct sim_error *error, int status, int code,
                           const char *message, struct sim_text value);

// sim_error_code does so with the status and the text that belong to the code.
enum outcome sim_error_code(struct sim_error *error, int code, struct sim_text value);

// sim_error_render appends the JSON object.
void sim_error_render(struct buf *out, const struct sim_error *error);

#endif
