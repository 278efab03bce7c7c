// webhook.h: what all of Twilio's webhooks share: the signature, the form, the record for
// Kafka, and an answer only after Kafka has confirmed it, within 5 s whatever happens.
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include "base.h"

struct buf;
struct form;
struct http_request;
struct kafka_out;
struct keys;
struct metric;
struct reactor;
struct signature_keys;

// A request whose signature is right; everything is borrowed.
struct webhook_input {
    struct http_request *req;
    const struct form *form;
    const struct keys *keys;
    // "simulate": the simulator signed it, which vouches for simulated messages only.
    // NULL: Twilio did. The word goes into the record.
    const char *mode;
};

// One kind of webhook. A record is what read makes of a request, kept until the answer.
struct webhook_kind {
    const char *topic;
    size_t record_bytes;  // at most WEBHOOK_RECORD_MAX_BYTES
    size_t value_max_bytes;
    // read fills the record, zeroed before. OUTCOME_REJECT: it is none; answered with
    // 400.
    enum outcome (*read)(void *record, const struct webhook_input *in, struct err *err);
    // write appends the key and the value for Kafka.
    void (*write)(void *record, const struct webhook_input *in, struct buf *key,
                  struct buf *value);
    // accepted logs that Kafka has it, refused why it was not taken (record is NULL when
    // nothing was read of it).
    void (*accepted)(const void *record);
    void (*refused)(const void *record, const struct http_request *req,
                    const char *reason);
    int status;  // of the answer; type and body may be NULL
    const char *content_type, *body;
};

enum { WEBHOOK_RECORD_MAX_BYTES = 512 };

// What all kinds of one program use; borrowed. tokens may change between two requests.
struct webhook_parts {
    const char *public_url;
    struct signature_keys *tokens;            // Twilio's; NULL: there are none
    struct signature_keys *simulator_tokens;  // likewise
    const struct keys *keys;
    struct kafka_out *out;
    struct reactor *reactor;
};

// Counters by what requests got.
struct webhook_metrics {
    struct metric *verified, *forged, *malformed, *unavailable;
};

struct webhook;

// parts and kind are borrowed until webhook_free. Close the kafka_out before: what waits
// for it is answered then.
struct webhook *webhook_new(const struct webhook_kind *kind,
                            const struct webhook_parts *parts,
                            const struct webhook_metrics *metrics);
void webhook_free(struct webhook *w);

// webhook_take answers the request, now or later: 403 without a right signature, 400 for
// a form that kind->read refuses, 503 when Kafka is away or does not confirm in time (the
// record may still be there then: Twilio's repeat makes a second one).
void webhook_take(struct webhook *w, struct http_request *req);

#endif
