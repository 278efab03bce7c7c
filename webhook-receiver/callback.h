// callback.h: reads a delivery callback of Twilio's, whose signature was checked, into
// the record for sms.status. Parameters: Twilio's page "Track the Message Status".
#ifndef CALLBACK_H
#define CALLBACK_H

#include "base.h"
#include "sid.h"
#include "trace.h"
#include "wire.h"

struct form;
struct keys;

struct callback {
    struct sms_status record;  // texts point into this struct
    char sid[SID_TEXT_BYTES];
    char status[32];
    char trace_id[TRACE_ID_DIGITS + 1];
};

// The parameters of the callback URL that the worker gave, each NULL when it is not
// there.
struct callback_query {
    const char *m, *t, *k;  // message id, turn and their tag
    const char *c;          // trace id, of messages that are traced
};

// callback_read takes the SID, status and error code from the form, and the message's id
// and turn from m, t and k. If one of those is missing or wrong the record has no id: the
// consumer matches by SID. A wrong c is ignored.
//   OUTCOME_REJECT  there is no MessageSid or MessageStatus: it is no delivery callback.
MUST_CHECK enum outcome callback_read(struct callback *out, const struct form *form,
                                      const struct callback_query *query,
                                      const struct keys *keys, struct err *err);

// callback_own makes the texts of a copied callback point into the copy.
void callback_own(struct callback *c);

#endif
