// kafka_ends.h: asks the broker, on a thread of its own, where partitions end. A fetch
// tells that too, but librdkafka stops fetching while nobody takes its records: just when
// the lag grows. Only kafka_in includes it.
#ifndef KAFKA_ENDS_H
#define KAFKA_ENDS_H

#include "base.h"

#include <librdkafka/rdkafka.h>

struct kafka_ends;

// kafka_ends_open borrows rk and topic. The thread starts with the first question.
struct kafka_ends *kafka_ends_open(rd_kafka_t *rk, const char *topic);

// kafka_ends_close waits for the thread, at most as long as one question may take (1 s).
// Close it before rk. Accepts NULL.
void kafka_ends_close(struct kafka_ends *e);

// kafka_ends_ask wants the end of a partition; it is asked about soon, and once.
void kafka_ends_ask(struct kafka_ends *e, int32_t partition);

// kafka_ends_get returns the last answer, -1 without one.
int64_t kafka_ends_get(struct kafka_ends *e, int32_t partition);

#endif
