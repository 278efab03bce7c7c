// inbound.h: reads an inbound message's form, whose signature was checked. Parameters:
// Twilio's page "Receive messages webhook".
#ifndef INBOUND_H
#define INBOUND_H

#include "base.h"
#include "keys.h"
#include "phone.h"
#include "sid.h"

struct form;
struct sms_inbound;

// What could not be read is "" or 0. The form itself goes on sealed, so nothing is lost.
struct inbound {
    char sid[SID_TEXT_BYTES];
    char channel[17];
    bool has_from, has_to;
    unsigned char from_hash[TO_HASH_BYTES], to_hash[TO_HASH_BYTES];
    char from_hint[PHONE_HINT_BYTES];
    char country[3];
    char messaging_service_sid[SID_TEXT_BYTES];
    int32_t media_count;
    char opt_out[17];
    char idempotency_token[129];
    int64_t received_at;
};

// inbound_read takes what our record shows. It is Twilio's, so an odd form is taken too.
// idempotency_token is the header's value, or NULL.
//   OUTCOME_REJECT  the form is empty.
MUST_CHECK enum outcome inbound_read(struct inbound *out, const struct form *form,
                                     const char *idempotency_token,
                                     const struct keys *keys, struct err *err);

// inbound_record writes the record without raw; its texts are in's.
void inbound_record(struct sms_inbound *out, const struct inbound *in);

#endif
