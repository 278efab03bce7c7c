// sim_hook.h: the webhook addresses of numbers and Messaging Services, as a form sets
// them.
#ifndef SIM_HOOK_H
#define SIM_HOOK_H

#include "sim_request.h"

// Names of the parameters; NULL = there is none.
struct sim_hook_names {
    const char *url, *method, *fallback_url, *fallback_method;
};

extern const struct sim_hook_names sim_hook_sms_names;  // of numbers and short codes

// sim_hook_update takes over what the form names; an empty address removes it.
//   OUTCOME_REJECT  20001 with the parameter; nothing before it is taken back.
MUST_CHECK enum outcome sim_hook_update(struct sim_hook *hook,
                                        const struct sim_request *r,
                                        const struct sim_hook_names *names,
                                        struct sim_error *error);

// sim_hook_update_url does so for one address.
MUST_CHECK enum outcome sim_hook_update_url(char **url, const struct sim_request *r,
                                            const char *name, struct sim_error *error);

// sim_hook_method is "GET" or "POST".
const char *sim_hook_method(bool is_get);

#endif
