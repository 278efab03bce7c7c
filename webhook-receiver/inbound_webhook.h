// inbound_webhook.h: messages that people send to us, on their way to sms.inbound. The
// answer is an empty TwiML document: Twilio replies nothing to the sender.
#ifndef INBOUND_WEBHOOK_H
#define INBOUND_WEBHOOK_H

#include "seal.h"
#include "webhook.h"
#include "wire.h"

enum { INBOUND_FORM_MAX_BYTES = WIRE_INBOUND_SEALED_MAX_BYTES - SEAL_OVERHEAD_BYTES };

extern const struct webhook_kind inbound_webhook;

#endif
