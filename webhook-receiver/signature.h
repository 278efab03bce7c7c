// signature.h: checks X-Twilio-Signature, so that only Twilio can tell us something.
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include "base.h"

struct form;

// The auth tokens a request may be signed with. Belongs to one thread.
struct signature_keys;

// signature_keys_open reads tokens that are divided by commas; blanks around them are
// not part of them. More than one is for the time in which the account changes its token.
//   OUTCOME_FATAL  no token, an empty one, or OpenSSL without HMAC-SHA-1.
MUST_CHECK enum outcome signature_keys_open(struct signature_keys **out,
                                            const char *tokens, struct err *err);
void signature_keys_close(struct signature_keys *keys);

// One request; everything is borrowed. base and target, one behind the other, must be the
// URL that Twilio was told, byte for byte: base comes from settings, as proxies rewrite
// scheme and host, and carries userinfo and port where the URL has them.
struct signature_input {
    const char *base;         // "https://user:pass@sms.example.com"
    const char *target;       // "/sms/webhook/status?m=…", as received, not decoded
    const struct form *form;  // the decoded body; NULL: it is no form, or there is none
    const void *body;         // as received; only looked at without form
    size_t body_len;
    const char *header;  // NULL: the request has none
};

// signature_is_valid tells whether one of the tokens signed the request. Twilio is not
// consistent about the port, so the URL counts with it (443 or 80 if none is written) and
// without. A body that is no form must have its SHA-256 in the parameter bodySHA256.
bool signature_is_valid(struct signature_keys *keys, const struct signature_input *in);

#endif
