// kafka_lane.h: one partition that a kafka_in reads: its own queue and its watermark.
// Only kafka_in includes it.
#ifndef KAFKA_LANE_H
#define KAFKA_LANE_H

#include "kafka_client.h"
#include "kafka_in.h"
#include "watermark.h"

struct kafka_lane {
    struct kafka_client *client;
    const char *topic;  // borrowed
    int32_t partition;
    rd_kafka_queue_t *queue;
    struct watermark watermark;
    uint32_t *at_s;  // time of the record at each place of the watermark, since 1970
    int64_t stored;  // offset last given to librdkafka; -1 none
    bool may_have;   // false after the queue was found empty
    // A record pulled before anybody asked for it; event is NULL when there is none.
    struct kafka_record peeked;
};

// kafka_lane_open fills *lane, of which client, topic and partition are set. Call it
// before rd_kafka_assign, so that not one record passes through the common queue.
void kafka_lane_open(struct kafka_lane *lane, size_t unacked_max);

// kafka_lane_close frees all but a peeked record.
void kafka_lane_close(struct kafka_lane *lane);

// kafka_lane_pull takes the next record; the watermark must have room. It leaves
// origin.generation, origin.lane and from to the caller.
MUST_CHECK bool kafka_lane_pull(struct kafka_lane *lane, struct kafka_record *out);

// kafka_lane_is_behind: the last fetch told of records after the last one that was
// pulled.
bool kafka_lane_is_behind(const struct kafka_lane *lane);

// kafka_lane_lag counts what the partition holds and nobody has acknowledged, up to the
// end that the last fetch told, or end (-1 = not known) where that is higher; 0 while no
// record has come.
int64_t kafka_lane_lag(const struct kafka_lane *lane, int64_t end);

// kafka_lane_head_age_s is how long ago the oldest record that was handed out and is not
// acknowledged was written; 0 when there is none.
int64_t kafka_lane_head_age_s(const struct kafka_lane *lane, int64_t now_s);

#endif
