// wire.h: writes and reads the records in Kafka (wire_records.h) as JSON objects. One
// field table per record feeds encoding, decoding and docs/schemas.
#ifndef WIRE_H
#define WIRE_H

#include "base.h"
#include "wire_records.h"

struct buf;
struct json_reader;

enum wire_kind {
    WIRE_ID,     // unsigned char[16], as a UUID
    WIRE_INT4,   // int32_t
    WIRE_INT8,   // int64_t
    WIRE_TIME,   // int64_t wall microseconds, as RFC 3339; 0 = not there
    WIRE_TEXT,   // const char * into the record's memory, NUL-ended, NULL = not there
    WIRE_CODE,   // like WIRE_TEXT, capital letters A to Z: country, currency
    WIRE_BYTES,  // struct wire_bytes, as base64
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
extern const struct wire_field sms_inbound_fields[];
extern const struct wire_field sms_dead_fields[];
extern const struct wire_field sms_content_fields[];

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

// wire_flaw names the first field of a record to be encoded that is required and not
// there, or whose number or length is out of range; NULL = none.
const char *wire_flaw(const void *record, const struct wire_field *fields);

// wire_schema appends a JSON Schema (2020-12) of the table.
void wire_schema(const char *title, const struct wire_field *fields, struct buf *out);

#endif
