// sid.h: Twilio's identities: two capital letters for the kind, then 32 hex digits.
#ifndef SID_H
#define SID_H

#include "base.h"

enum { SID_TEXT_BYTES = 2 + 32 + 1 };

// sid_is tells whether text is a SID of that kind: "AC", "SK", "MG".
bool sid_is(const char *text, const char *kind);

// sid_is_message: "SM", or "MM" for one with media (the Message resource).
bool sid_is_message(const char *text);

#endif
