// kafka_peek.h: reads one record of a topic's partition 0 from outside, for tests.
#ifndef KAFKA_PEEK_H
#define KAFKA_PEEK_H

#include "base.h"

// kafka_peek returns the value, NUL-ended; the caller frees it. It waits for the record,
// and fails the test when it does not come.
char *kafka_peek(const char *brokers, const char *topic, int64_t offset, size_t *len);

#endif
