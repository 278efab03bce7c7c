// twilio_answer.h: what Twilio's answer to a POST says, and what it means for the job.
#ifndef TWILIO_ANSWER_H
#define TWILIO_ANSWER_H

#include "twilio.h"

struct http_answer;

// twilio_answer_read fills out, whatever the body holds; the reason is borrowed from http
// or err, known from codes. Anything that is not certain is SEND_IN_DOUBT.
void twilio_answer_read(struct twilio_answer *out, struct json_reader *json,
                        const struct error_codes *codes, const struct http_answer *http,
                        struct err *err);

#endif
