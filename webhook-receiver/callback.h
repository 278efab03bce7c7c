// callback.h: reads a delivery callback of Twilio's, whose signature was checked, into
// the record for sms.status. Parameters: Twilio's page "Track the Message Status".
#ifndef CALLBACK_H
#define CALLBACK_H

#include "base.h"
#include "sid.h"
#include "wire.h"

struct form;
struct keys;

struct callback {
    struct sms_status record;  // texts point into this struct
    char sid[SID_TEXT_BYTES];
    char status[32];
};

// callback_read takes the SID, status and error code from the form, and the message's id
// and turn from m, t and k of the callback URL's query (each NULL when it is not there).
// If one of those is missing or wrong the record has no id: the consumer matches by SID.
//   OUTCOME_REJECT  there is no MessageSid or MessageStatus: it is no delivery callback.
MUST_CHECK enum outcome callback_read(struct callback *out, const struct form *form,
                                      const char *m, const char *t, const char *k,
                                      const struct keys *keys, struct err *err);

#endif
