// kafka_out.h: publishes records on the reactor, acks=all. done runs once per record,
// with Kafka's delivery report. librdkafka repeats a produce inside its time limit, so a
// record may land twice: every consumer of ours is idempotent.
#ifndef KAFKA_OUT_H
#define KAFKA_OUT_H

#include "base.h"

struct kafka_out;
struct kafka_settings;
struct metrics;
struct reactor;

struct kafka_out_settings {
    const struct kafka_settings *kafka;
    int64_t linger_us;   // 500
    int64_t timeout_ms;  // give up on a record after this long: OUTCOME_RETRY
    int64_t queue_max;   // records waiting at most; 1 to 10 million
    // NULL-ended, or NULL: asked about at start, so that the first record to one of them
    // does not wait for its leader. Other topics work too.
    const char *const *topics;
};

struct kafka_out_record {
    const char *topic;
    const void *key;  // NULL = none
    size_t key_len;
    const void *value;  // copied
    size_t value_len;
};

// rc is OUTCOME_OK once all in-sync replicas have the record, OUTCOME_RETRY when Kafka
// did not say so in time (it may still be there), OUTCOME_REJECT when it never takes it
// (too large, unknown topic).
typedef void kafka_out_done(void *arg, enum outcome rc, const char *reason);

// metrics may be NULL.
//   OUTCOME_REJECT  a bad property (kafka_conf_new).
//   OUTCOME_FATAL   librdkafka or the kernel refused to start.
MUST_CHECK enum outcome kafka_out_open(struct kafka_out **out, struct reactor *r,
                                       const struct kafka_out_settings *set,
                                       struct metrics *metrics, struct err *err);

// kafka_out_submit copies the record and queues it; done runs exactly once, from the
// loop, never from inside submit.
//   OUTCOME_RETRY   the queue is full, or closing; done will not run.
//   OUTCOME_REJECT  it can never be sent (too large, topic known not to exist); done will
//                   not run.
MUST_CHECK enum outcome kafka_out_submit(struct kafka_out *k,
                                         const struct kafka_out_record *rec,
                                         kafka_out_done *done, void *arg,
                                         struct err *err);

// kafka_out_blames_record tells of the latest REJECT, in done or after submit, that it is
// about what was in the record: too large, malformed. Else the topic is not there, and
// another record would fare no better. A broker refuses a whole batch for one bad record:
// only one that was alone in flight is surely the culprit.
bool kafka_out_blames_record(const struct kafka_out *k);

// kafka_out_in_flight counts records without a report.
size_t kafka_out_in_flight(const struct kafka_out *k);

// kafka_out_is_up: a broker answers, and no record ran out of time in the last 5 s (a
// record that Kafka took since ends that). kafka_out_error says what is wrong, or NULL;
// borrowed until the next turn of the loop.
bool kafka_out_is_up(const struct kafka_out *k);
const char *kafka_out_error(const struct kafka_out *k);

// kafka_out_close waits up to 5 s for reports (done runs), then drops the rest with
// OUTCOME_RETRY.
void kafka_out_close(struct kafka_out *k);

#endif
