// kafka_in.h: reads topics as a member of a consumer group, on the reactor. Records are
// pulled, so a full window simply stops pulling; offsets advance over acknowledged
// records in arrival order (a watermark per partition).
#ifndef KAFKA_IN_H
#define KAFKA_IN_H

#include "base.h"

struct kafka_in;
struct kafka_settings;
struct metrics;
struct reactor;

// Where a record came from; hand it back to kafka_in_ack.
struct kafka_origin {
    int32_t partition;
    int64_t offset;
    uint32_t generation;  // of the assignment: acks of an older one are ignored
    uint32_t lane;        // index of the partition in the assignment
    uint32_t place;       // among the partition's unacknowledged records
};

struct kafka_record {
    struct kafka_origin origin;
    const char *topic;  // as long as the kafka_in
    const char *key;    // borrowed until kafka_in_done_with; may be NULL
    size_t key_len;
    const char *value;  // borrowed likewise; NULL for a tombstone
    size_t value_len;
    int64_t at_ms;  // record time, UTC
    void *event;    // librdkafka's; NULL once given back
    struct kafka_in *from;
};

struct kafka_in_settings {
    const struct kafka_settings *kafka;
    const char *topic;
    const char *group;  // consumer group id
    int64_t session_timeout_ms;
    size_t unacked_max;  // per partition: a full ring stops that partition
};

// kafka_in_open joins the group. ready(arg) runs, from the loop, whenever kafka_in_next
// may return true again after it returned false, after each assignment, and each second
// once kafka_in_is_fatal. metrics may be NULL.
//   OUTCOME_REJECT  a bad property (kafka_conf_new).
//   OUTCOME_FATAL   librdkafka or the kernel refused to start.
MUST_CHECK enum outcome kafka_in_open(struct kafka_in **out, struct reactor *r,
                                      const struct kafka_in_settings *set,
                                      void (*ready)(void *arg), void *arg,
                                      struct metrics *metrics, struct err *err);

// kafka_in_next takes the next record, fair between partitions. Returns false when none
// is here now. kafka_in_done_with gives the record's memory back, at any time: after a
// revocation and after kafka_in_close too.
MUST_CHECK bool kafka_in_next(struct kafka_in *k, struct kafka_record *out);
void kafka_in_done_with(struct kafka_record *rec);

// kafka_in_ack says that the record is owned elsewhere now. In any order; late acks of a
// revoked partition are ignored (the next owner reads those records again).
void kafka_in_ack(struct kafka_in *k, const struct kafka_origin *origin);

// kafka_in_is_assigned: the group gave us its answer (maybe no partition). For readyz.
bool kafka_in_is_assigned(const struct kafka_in *k);

// kafka_in_error says why no records come, or NULL. Borrowed until the next turn of the
// loop. kafka_in_is_fatal: they never will again, the process must be started anew.
const char *kafka_in_error(const struct kafka_in *k);
bool kafka_in_is_fatal(const struct kafka_in *k);

// kafka_in_stop_reading makes kafka_in_next return false from now on; acks still count.
void kafka_in_stop_reading(struct kafka_in *k);

// kafka_in_close commits what was acknowledged and leaves the group, at most 5 s. It
// blocks meanwhile; kafka_in_ack must not come later.
void kafka_in_close(struct kafka_in *k);

#endif
