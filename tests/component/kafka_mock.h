// kafka_mock.h: for tests of what talks to Kafka: librdkafka's mock brokers in this
// process, a reactor, and records put in and counted from outside.
#ifndef KAFKA_MOCK_H
#define KAFKA_MOCK_H

#include "kafka.h"
#include "loop.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MOCK_BROKER = 1 };  // the only one

struct kafka_mock {
    rd_kafka_t *rk;  // a producer of its own
    rd_kafka_mock_cluster_t *cluster;
    struct reactor *reactor;
    struct kafka_settings settings;  // tests may set the properties
};

// kafka_mock_open starts one broker with one topic.
void kafka_mock_open(struct kafka_mock *m, const char *topic, int partitions);
void kafka_mock_close(struct kafka_mock *m);

// kafka_mock_put adds a record and waits until it is there. NULL value: a tombstone.
void kafka_mock_put(struct kafka_mock *m, const char *topic, int32_t partition,
                    const char *key, const char *value);

// kafka_mock_count is the number of records that a partition ever got.
int64_t kafka_mock_count(struct kafka_mock *m, const char *topic, int32_t partition);

// kafka_mock_committed is the group's offset; RD_KAFKA_OFFSET_INVALID without one.
int64_t kafka_mock_committed(struct kafka_mock *m, const char *group, const char *topic,
                             int32_t partition);

#endif
