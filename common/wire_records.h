// wire_records.h: the records in Kafka. This is the contract between programs; a field is
// added here and in its table first.
#ifndef WIRE_RECORDS_H
#define WIRE_RECORDS_H

#include "base.h"

enum {
    WIRE_RECORD_MAX_BYTES = 65536,
    WIRE_SEALED_MAX_BYTES = 16384,
    WIRE_INBOUND_MAX_BYTES = 98304,  // of a record of sms.inbound
    WIRE_INBOUND_SEALED_MAX_BYTES = 65536,
    WIRE_BODY_MAX_BYTES = 6400,  // 1600 characters of up to 4 bytes
};

struct wire_bytes {
    const unsigned char *bytes;
    size_t len;
};

// sms.jobs.*: one turn of one message. Key: to_hash.
struct sms_job {
    unsigned char message_id[16];
    int32_t turn;               // 1 or more
    const char *message_class;  // "class": otp, emergency, transactional, marketing
    const char *channel;        // "sms"
    int32_t client;
    struct wire_bytes sealed;  // struct sms_content; aad = message id ‖ client (4 B BE)
    struct wire_bytes to_hash;
    const char *country;  // ISO 3166, or NULL
    const char *to_hint;
    const char *from;         // "+1…", "MG…", short code or alphanumeric
    const char *sender_type;  // number, messaging_service, short_code, alphanumeric
    int32_t segments;
    int64_t estimate_micros;
    const char *currency;           // ISO 4217
    const char *rate_note;          // "default_rate", "no_rate" (no row at all), or NULL
    const char *template_ref;       // "template": id@version, or NULL
    unsigned char campaign_id[16];  // zero = none
    int32_t row;                    // of the campaign; 0 = none
    const char *reference;          // the client's own word, or NULL
    int64_t send_at;                // 0 = now
    int64_t expires_at;
    const char *mode;  // simulate, listed, live
    int64_t accepted_at;
    const char *traceparent;  // W3C trace context, or NULL
    const char *on_doubt;  // "resend": may go out twice rather than not at all; or NULL
};

// sms.status: one callback of Twilio's. Key: message id, or SID without one.
struct sms_status {
    unsigned char message_id[16];  // zero = unknown: matched by SID
    int32_t turn;                  // 0 = unknown
    const char *twilio_sid;
    const char *status;     // Twilio's word, as received
    int32_t error_code;     // 0 = none
    struct wire_bytes raw;  // the form as received, sealed; aad = twilio_sid
    int64_t received_at;
    const char *mode;      // "simulate": the simulator signed it; NULL: Twilio did
    const char *trace_id;  // of the request, W3C: 32 digits, or NULL
};

// sms.inbound: one message that a person sent to us, or media, a button and the like.
// Key: from_hash, so one sender's messages stay in order. Twilio repeats a request that
// got no answer, and Kafka may hold a record twice: consumers take each twilio_sid once.
struct sms_inbound {
    const char *twilio_sid;       // NULL = the form had none
    const char *channel;          // what stands before ':' in From; "sms" without
    struct wire_bytes from_hash;  // as to_hash in jobs; empty = the form had no From
    const char *from_hint;        // NULL = From is no phone number
    const char *country;          // of From, ISO 3166, or NULL
    struct wire_bytes to_hash;    // of our number; empty = the form had no To
    const char *messaging_service_sid;  // or NULL
    int32_t media_count;                // NumMedia; 0 = none
    const char *opt_out;                // OptOutType: STOP, START, HELP, or NULL
    const char *idempotency_token;      // the same in each try of Twilio's, or NULL
    struct wire_bytes raw;  // the form as received, sealed; aad = twilio_sid or nothing
    int64_t received_at;
    const char *mode;  // "simulate": the simulator signed it; NULL: Twilio did
};

// sms.dead: a record that nobody could take, with its reason.
struct sms_dead {
    // Stable word: bad_record, bad_id, cannot_open, no_row, refused_by_database.
    const char *reason;
    const char *detail;  // sentence
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t record_at;
    struct wire_bytes key;
    struct wire_bytes value;
    int32_t cut_bytes;    // of key and value, that are missing here; 0 = none
    const char *program;  // that gave it up, or NULL
};

// What sealed holds: as JSON too.
struct sms_content {
    const char *to;
    const char *body;
};

#endif
