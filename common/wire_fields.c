// The field tables of the records: order of writing, kinds, ranges, sentences for
// docs/schemas.
#include "wire.h"

#include <limits.h>

enum { SEALED_MIN_BYTES = 33 };  // an envelope of one byte

#define TURN_MAX   1000000
#define MICROS_MAX 1000000000000  // a million of the currency
#define TIME_MAX   253402300799999999
#define VALUE_MAX  1048576  // the largest record that a broker takes by default

#define REQUIRED true
#define OPTIONAL false

#define AT(field) offsetof(struct sms_job, field)
const struct wire_field sms_job_fields[] = {
    { "message_id", WIRE_ID, AT(message_id), REQUIRED, 0, 0, NULL,
      "identity of the message at every hop, a UUID of version 7" },
    { "turn", WIRE_INT4, AT(turn), REQUIRED, 1, TURN_MAX, NULL,
      "fence: a claim wins only at the turn that the message waits for" },
    { "class", WIRE_TEXT, AT(message_class), REQUIRED, 0, 0,
      "otp|emergency|transactional|marketing", "decides lane, tries and useful time" },
    { "channel", WIRE_TEXT, AT(channel), REQUIRED, 0, 0, "sms",
      "the way to the recipient" },
    { "client", WIRE_INT4, AT(client), REQUIRED, 1, INT_MAX, NULL,
      "number of the client that sends" },
    { "sealed", WIRE_BYTES, AT(sealed), REQUIRED, SEALED_MIN_BYTES, WIRE_SEALED_MAX_BYTES,
      NULL, "recipient and text, encrypted; bound to message_id and client" },
    { "to_hash", WIRE_BYTES, AT(to_hash), REQUIRED, 16, 16, NULL,
      "keyed hash of the recipient's number" },
    { "country", WIRE_CODE, AT(country), OPTIONAL, 2, 2, NULL,
      "ISO 3166 country of the recipient, when known" },
    { "to_hint", WIRE_TEXT, AT(to_hint), REQUIRED, 1, 32, NULL,
      "what may be shown of the recipient: country and last three digits" },
    { "from", WIRE_TEXT, AT(from), REQUIRED, 1, 64, NULL,
      "sender: number, Messaging Service SID, short code or alphanumeric" },
    { "sender_type", WIRE_TEXT, AT(sender_type), REQUIRED, 0, 0,
      "number|messaging_service|short_code|alphanumeric", "what kind of sender from is" },
    { "segments", WIRE_INT4, AT(segments), REQUIRED, 1, 100, NULL,
      "how many SMS the text is, as we count" },
    { "estimate_micros", WIRE_INT8, AT(estimate_micros), REQUIRED, 0, MICROS_MAX, NULL,
      "expected cost in millionths of the currency" },
    { "currency", WIRE_CODE, AT(currency), REQUIRED, 3, 3, NULL,
      "ISO 4217 currency of the estimate" },
    { "rate_note", WIRE_TEXT, AT(rate_note), OPTIONAL, 0, 0, "default_rate|no_rate",
      "set when the rate card has no row for the country, or none at all" },
    { "template", WIRE_TEXT, AT(template_ref), OPTIONAL, 1, 128, NULL,
      "id@version of the template that made the text" },
    { "campaign_id", WIRE_ID, AT(campaign_id), OPTIONAL, 0, 0, NULL,
      "campaign that the message belongs to, a UUID of version 7" },
    { "row", WIRE_INT4, AT(row), OPTIONAL, 1, INT_MAX, NULL, "row of the campaign" },
    { "reference", WIRE_TEXT, AT(reference), OPTIONAL, 1, 256, NULL,
      "the client's own word for the message" },
    { "send_at", WIRE_TIME, AT(send_at), OPTIONAL, 1, TIME_MAX, NULL,
      "not before this time; at once when not there" },
    { "expires_at", WIRE_TIME, AT(expires_at), REQUIRED, 1, TIME_MAX, NULL,
      "end of the useful time" },
    { "mode", WIRE_TEXT, AT(mode), REQUIRED, 0, 0, "simulate|listed|live",
      "where it may be posted" },
    { "accepted_at", WIRE_TIME, AT(accepted_at), REQUIRED, 1, TIME_MAX, NULL,
      "when the request was accepted" },
    { "traceparent", WIRE_TEXT, AT(traceparent), OPTIONAL, 55, 128, NULL,
      "W3C trace context of the request" },
    { "on_doubt", WIRE_TEXT, AT(on_doubt), OPTIONAL, 0, 0, "resend",
      "resend: once more if nobody can say whether it went out; else it ends as "
      "unknown" },
    { 0 },
};
#undef AT

#define AT(field) offsetof(struct sms_status, field)
const struct wire_field sms_status_fields[] = {
    { "message_id", WIRE_ID, AT(message_id), OPTIONAL, 0, 0, NULL,
      "message that the callback is about; matched by SID when not there" },
    { "turn", WIRE_INT4, AT(turn), OPTIONAL, 1, TURN_MAX, NULL,
      "turn whose POST named the callback" },
    { "twilio_sid", WIRE_TEXT, AT(twilio_sid), REQUIRED, 34, 34, NULL,
      "Twilio's identity of the attempt" },
    { "status", WIRE_TEXT, AT(status), REQUIRED, 1, 32, NULL,
      "Twilio's word for the status, as received" },
    { "error_code", WIRE_INT4, AT(error_code), OPTIONAL, 1, INT_MAX, NULL,
      "Twilio's error code" },
    { "raw", WIRE_BYTES, AT(raw), REQUIRED, SEALED_MIN_BYTES, WIRE_SEALED_MAX_BYTES, NULL,
      "the form as received, encrypted; bound to twilio_sid" },
    { "received_at", WIRE_TIME, AT(received_at), REQUIRED, 1, TIME_MAX, NULL,
      "when the callback came" },
    { "mode", WIRE_TEXT, AT(mode), OPTIONAL, 0, 0, "simulate",
      "simulate: the simulator signed it, so nothing real came to pass; else Twilio "
      "did" },
    { "trace_id", WIRE_TEXT, AT(trace_id), OPTIONAL, 32, 32, NULL,
      "W3C trace id of the request" },
    { 0 },
};
#undef AT

#define AT(field) offsetof(struct sms_inbound, field)
const struct wire_field sms_inbound_fields[] = {
    { "twilio_sid", WIRE_TEXT, AT(twilio_sid), OPTIONAL, 34, 34, NULL,
      "Twilio's identity of the message; a message may come again: take each once" },
    { "channel", WIRE_TEXT, AT(channel), REQUIRED, 1, 16, NULL,
      "the way it came: sms, whatsapp and the like" },
    { "from_hash", WIRE_BYTES, AT(from_hash), OPTIONAL, 16, 16, NULL,
      "keyed hash of the sender, the same as to_hash of a job to that number" },
    { "from_hint", WIRE_TEXT, AT(from_hint), OPTIONAL, 1, 32, NULL,
      "what may be shown of the sender: country and last three digits" },
    { "country", WIRE_CODE, AT(country), OPTIONAL, 2, 2, NULL,
      "ISO 3166 country of the sender, when known" },
    { "to_hash", WIRE_BYTES, AT(to_hash), OPTIONAL, 16, 16, NULL,
      "keyed hash of our number" },
    { "messaging_service_sid", WIRE_TEXT, AT(messaging_service_sid), OPTIONAL, 34, 34,
      NULL, "Messaging Service that our number belongs to" },
    { "media_count", WIRE_INT4, AT(media_count), OPTIONAL, 1, 1000, NULL,
      "how many media the form names" },
    { "opt_out", WIRE_TEXT, AT(opt_out), OPTIONAL, 1, 16, NULL,
      "STOP, START or HELP when Twilio's Advanced Opt-Out has dealt with it" },
    { "idempotency_token", WIRE_TEXT, AT(idempotency_token), OPTIONAL, 1, 128, NULL,
      "the same in each try of one request of Twilio's" },
    { "raw", WIRE_BYTES, AT(raw), REQUIRED, SEALED_MIN_BYTES,
      WIRE_INBOUND_SEALED_MAX_BYTES, NULL,
      "the form as received, encrypted; bound to twilio_sid, to nothing without one" },
    { "received_at", WIRE_TIME, AT(received_at), REQUIRED, 1, TIME_MAX, NULL,
      "when the request came" },
    { "mode", WIRE_TEXT, AT(mode), OPTIONAL, 0, 0, "simulate",
      "simulate: the simulator signed it, so nothing real came to pass; else Twilio "
      "did" },
    { 0 },
};
#undef AT

#define AT(field) offsetof(struct sms_dead, field)
const struct wire_field sms_dead_fields[] = {
    { "reason", WIRE_TEXT, AT(reason), REQUIRED, 1, 64, NULL,
      "stable word that programs can rely on" },
    { "detail", WIRE_TEXT, AT(detail), REQUIRED, 1, 1024, NULL, "sentence for people" },
    { "topic", WIRE_TEXT, AT(topic), REQUIRED, 1, 249, NULL,
      "topic that the record came from" },
    { "partition", WIRE_INT4, AT(partition), REQUIRED, 0, INT_MAX, NULL,
      "its partition" },
    { "offset", WIRE_INT8, AT(offset), REQUIRED, 0, INT64_MAX, NULL, "its offset" },
    { "record_at", WIRE_TIME, AT(record_at), OPTIONAL, 1, TIME_MAX, NULL,
      "time of the record, when it has one" },
    { "key", WIRE_BYTES, AT(key), OPTIONAL, 0, VALUE_MAX, NULL,
      "its key, when it has one" },
    { "value", WIRE_BYTES, AT(value), OPTIONAL, 0, VALUE_MAX, NULL,
      "its value, when it has one" },
    { "cut_bytes", WIRE_INT4, AT(cut_bytes), OPTIONAL, 1, INT_MAX, NULL,
      "how many bytes of key and value were cut off, when they were too long" },
    { "program", WIRE_TEXT, AT(program), OPTIONAL, 1, 64, NULL,
      "program that gave the record up" },
    { 0 },
};
#undef AT

#define AT(field) offsetof(struct sms_content, field)
const struct wire_field sms_content_fields[] = {
    { "to", WIRE_TEXT, AT(to), REQUIRED, 1, 64, NULL, "the recipient's number in E.164" },
    { "body", WIRE_TEXT, AT(body), REQUIRED, 1, WIRE_BODY_MAX_BYTES, NULL, "the text" },
    { 0 },
};
#undef AT
