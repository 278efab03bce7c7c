// send_mode.h: whether the token, the installation and its settings let a request go out
// in its mode.
#ifndef SEND_MODE_H
#define SEND_MODE_H

#include "base.h"

struct complaint;
struct producer;
struct send_request;

// send_mode_check looks at the request's mode, its number and its sender.
//   OUTCOME_REJECT  complaint says what is not allowed, or not configured.
MUST_CHECK enum outcome send_mode_check(const struct producer *p,
                                        const struct send_request *request,
                                        struct complaint *complaint);

#endif
