// wire.h: the records in Kafka, as JSON objects. This is the contract between programs;
// one field table per record feeds encoding, decoding and docs/schemas.
#ifndef WIRE_H
#define WIRE_H

#include "base.h"

struct buf;
struct json_reader;

enum {
    WIRE_RECORD_MAX_BYTES = 65536,
    WIRE_SEALED_MAX_BYTES = 16384,
    WIRE_BODY_MAX_BYTES = 6400,  // 1600 characters of up to 4 bytes
};

enum wire_kind {
    WIRE_ID,     // unsigned char[16], as a UUID
    WIRE_INT4,   // int32_t
    WIRE_INT8,   // int64_t
    WIRE_TIME,   // int64_t wall microseconds, as RFC 3339; 0 = not there
    WIRE_TEXT,   // const char * into the record's memory, NUL-ended, NULL = not there
    WIRE_CODE,   // like WIRE_TEXT, capital letters A to Z: country, currency
    WIRE_BYTES,  // struct wire_bytes, as base64
};

struct wire_bytes {
    const unsigned char *bytes;
    size_t len;
};

struct wire_field {
    const char *name;
    enum wire_kind kind;
    size_t offset;
    bool required;
    int64_t min, max;   // of the integer, or of the length in bytes
    const char *words;  // "otp|emergency|…": the only texts allowed; NULL = any
    const char *help;   // one sentence for docs/schemas
};

// Ended by a NULL name. docs/schemas/*.json are generated from them by wire_schema.
extern const struct wire_field sms_job_fields[];
extern const struct wire_field sms_status_fields[];
extern const struct wire_field sms_dead_fields[];
extern const struct wire_field sms_content_fields[];

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
};

// sms.dead: a record that nobody could take, with its reason.
struct sms_dead {
    const char *reason;  // stable word: "not_json", "bad_field", "sealed", "no_row", …
    const char *detail;  // sentence
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t record_at;
    struct wire_bytes key;
    struct wire_bytes value;
};

// What sealed holds: as JSON too.
struct sms_content {
    const char *to;
    const char *body;
};

// A decoded record owns its texts in one block; wire_free releases it, and takes NULL.
struct wire_memory;
void wire_free(struct wire_memory *m);

// wire_decode fills record (zeroed before) from bytes by its table. Unknown members are
// ignored (newer producers), null is like not there, a member that comes twice is
// refused. Free memory when the record is not used any more.
//   OUTCOME_REJECT  not a JSON object, a field missing, of the wrong kind or out of
//                   range: the text begins with the field's name in quotes. The fields
//                   of the record are zero.
MUST_CHECK enum outcome wire_decode(void *record, struct wire_memory **memory,
                                    const struct wire_field *fields,
                                    struct json_reader *reader, const char *bytes,
                                    size_t len, struct err *err);

// wire_encode appends the record as one JSON object; optional fields that are not there
// (NULL, zero) are left out, required texts must be there. All texts must be UTF-8.
// out->failed tells if it did not fit.
void wire_encode(const void *record, const struct wire_field *fields, struct buf *out);

// wire_schema appends a JSON Schema (2020-12) of the table.
void wire_schema(const char *title, const struct wire_field *fields, struct buf *out);

#endif
