// topics.h: "smsq topics create" and "smsq topics list": makes and shows the topics of
// kafka.h. Blocks; a tool for operators.
#ifndef TOPICS_H
#define TOPICS_H

#include "base.h"

struct kafka_settings;

struct topics_settings {
    int64_t lane_partitions;      // topics.lane_partitions: of each sms.jobs topic
    int64_t status_partitions;    // topics.status_partitions
    int64_t inbound_partitions;   // topics.inbound_partitions
    int64_t requests_partitions;  // topics.requests_partitions
    int64_t dead_partitions;      // topics.dead_partitions
    int64_t replication;          // topics.replication
    int64_t min_insync;           // topics.min_insync: at most replication
    int64_t retention_us;         // topics.retention
    int64_t deadline_us;          // topics.deadline: for the whole command
};

#define TOPICS_COUNT(base, key, field, fallback, max, help)                              \
    {                                                                                    \
        "topics." key, SETTING_COUNT, (base) + offsetof(struct topics_settings, field),  \
            fallback, 1, max, NULL, help                                                 \
    }

#define TOPICS_US(base, key, field, fallback, min, max, help)                            \
    {                                                                                    \
        "topics." key, SETTING_US, (base) + offsetof(struct topics_settings, field),     \
            fallback, min, max, NULL, help                                               \
    }

// The rows for a struct topics_settings that sits at this offset in a settings struct.
#define TOPICS_SETTINGS(base)                                                            \
    TOPICS_COUNT(base, "lane_partitions", lane_partitions, "6", 1000,                    \
                 "partitions of each job topic"),                                        \
        TOPICS_COUNT(base, "status_partitions", status_partitions, "6", 1000,            \
                     "partitions of the topic of callbacks"),                            \
        TOPICS_COUNT(base, "inbound_partitions", inbound_partitions, "3", 1000,          \
                     "partitions of the topic of inbound messages"),                     \
        TOPICS_COUNT(base, "requests_partitions", requests_partitions, "6", 1000,        \
                     "partitions of the topic of other services' requests"),             \
        TOPICS_COUNT(base, "dead_partitions", dead_partitions, "3", 1000,                \
                     "partitions of the topic of dead letters"),                         \
        TOPICS_COUNT(base, "replication", replication, "1", 32,                          \
                     "copies of each record; 3 in production"),                          \
        TOPICS_COUNT(base, "min_insync", min_insync, "1", 32,                            \
                     "copies that must exist before Kafka confirms; 2 in production"),   \
        TOPICS_US(base, "retention", retention_us, "168h", INT64_C(60000000),            \
                  INT64_C(31536000000000), "how long Kafka keeps a record"),             \
        TOPICS_US(base, "deadline", deadline_us, "15s", INT64_C(100000),                 \
                  INT64_C(600000000), "how long to wait for Kafka")

enum topics_state { TOPICS_CREATED, TOPICS_EXISTS, TOPICS_MISSING };

struct topics_row {
    const char *name;
    enum topics_state state;
    int partitions, replication;  // as Kafka has them; 0 while missing
};

// Runs once per topic of ours, in the order of kafka.h.
typedef void topics_report(void *arg, const struct topics_row *row);

// topics_create makes the missing topics and reports all; one that exists stays as it is.
//   OUTCOME_RETRY   no broker answered within the deadline.
//   OUTCOME_REJECT  the settings contradict each other, or Kafka refuses a topic.
MUST_CHECK enum outcome topics_create(const struct kafka_settings *kafka,
                                      const struct topics_settings *set,
                                      topics_report *report, void *arg, struct err *err);

// topics_wanted is how many partitions the settings want of a topic of ours.
int64_t topics_wanted(const struct topics_settings *set, const char *name);

// topics_list reports all and changes nothing. Outcomes as above.
MUST_CHECK enum outcome topics_list(const struct kafka_settings *kafka,
                                    int64_t deadline_us, topics_report *report, void *arg,
                                    struct err *err);

#endif
