// sim_sign.h: X-Twilio-Signature as Twilio makes it: HMAC-SHA1 over the address and the
// sorted parameters. The receiver's check is written on its own, from the same rules.
#ifndef SIM_SIGN_H
#define SIM_SIGN_H

#include "base.h"

struct buf;
struct sim_signer;

struct sim_param {
    const char *name, *value;
};

enum { SIM_SIGN_TEXT_BYTES = 29 };  // 28 characters of base64 and the NUL

struct sim_signer *sim_signer_new(const char *auth_token);
void sim_signer_free(struct sim_signer *s);

// sim_sign signs url (its first len bytes: without the fragment) with the parameters,
// whose names differ; their order does not matter.
void sim_sign(struct sim_signer *s, const char *url, size_t len,
              const struct sim_param *params, size_t count,
              char out[SIM_SIGN_TEXT_BYTES]);

#endif
