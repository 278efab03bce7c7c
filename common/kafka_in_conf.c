#include "kafka_in_conf.h"

#include "kafka.h"

enum { HEARTBEAT_MAX_MS = 3000 };

// What is read ahead of each partition, unless kafka.properties says otherwise; kafka_in
// wakes the fetcher when it is used up. Small fetches keep what comes above it, and so
// the memory, small.
static const struct {
    const char *name, *value;
} fetching[] = {
    { "queued.max.messages.kbytes", "768" },
    { "queued.min.messages", "100000" },
    { "fetch.message.max.bytes", "131072" },
    { "fetch.wait.max.ms", "100" },
};

void kafka_in_configure(rd_kafka_conf_t *conf, const struct kafka_in_settings *set)
{
    int64_t heartbeat_ms = set->session_timeout_ms / 3;

    kafka_conf_set(conf, "group.id", set->group);
    kafka_conf_default(conf, set->kafka, "client.id", set->group);  // its name in logs
    kafka_conf_set(conf, "partition.assignment.strategy", "range");
    kafka_conf_set(conf, "enable.auto.offset.store", "false");
    kafka_conf_set(conf, "enable.auto.commit", "true");
    kafka_conf_set(conf, "auto.commit.interval.ms", "1000");
    kafka_conf_set(conf, "auto.offset.reset", "earliest");
    kafka_conf_set_int(conf, "session.timeout.ms", set->session_timeout_ms);
    kafka_conf_set_int(conf, "heartbeat.interval.ms",
                       heartbeat_ms < HEARTBEAT_MAX_MS ? heartbeat_ms : HEARTBEAT_MAX_MS);
    for (size_t i = 0; i < COUNT_OF(fetching); i++)
        kafka_conf_default(conf, set->kafka, fetching[i].name, fetching[i].value);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR |
                                       RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_LOG |
                                       RD_KAFKA_EVENT_STATS);
}
