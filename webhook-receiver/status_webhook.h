// status_webhook.h: Twilio's delivery callbacks, on their way to sms.status.
#ifndef STATUS_WEBHOOK_H
#define STATUS_WEBHOOK_H

#include "seal.h"
#include "webhook.h"
#include "wire.h"

enum { STATUS_FORM_MAX_BYTES = WIRE_SEALED_MAX_BYTES - SEAL_OVERHEAD_BYTES };

extern const struct webhook_kind status_webhook;

#endif
