// kafka.h: settings that all Kafka clients of a program share, and the topic names.
#ifndef KAFKA_H
#define KAFKA_H

#include "base.h"

struct setting;
struct settings_part;

#define TOPIC_JOBS_URGENT "sms.jobs.urgent"
#define TOPIC_JOBS_NORMAL "sms.jobs.normal"
#define TOPIC_JOBS_BULK   "sms.jobs.bulk"
#define TOPIC_STATUS      "sms.status"
#define TOPIC_INBOUND     "sms.inbound"
#define TOPIC_REQUESTS    "sms.requests"
#define TOPIC_DEAD        "sms.dead"

struct kafka_settings {
    char *brokers;     // kafka.brokers
    char *properties;  // kafka.properties: properties.h, for librdkafka; or NULL
};

// The rows for a struct kafka_settings that sits at this offset in a settings struct.
#define KAFKA_SETTINGS(base)                                                             \
    { "kafka.brokers",                                                                   \
      SETTING_TEXT,                                                                      \
      (base) + offsetof(struct kafka_settings, brokers),                                 \
      "127.0.0.1:9092",                                                                  \
      1,                                                                                 \
      1024,                                                                              \
      "SMSQ_BROKERS",                                                                    \
      "Kafka bootstrap servers, host:port with commas" },                                \
    {                                                                                    \
        "kafka.properties", SETTING_PROPERTIES,                                          \
            (base) + offsetof(struct kafka_settings, properties), NULL, 0, 65536, NULL,  \
            "further librdkafka properties (TLS, SASL): a group, or key=value;key=value" \
    }

struct rd_kafka_conf_s;

// kafka_conf_new returns a configuration with our common defaults, brokers, log routing
// and, above the defaults, the pass-through properties; the caller owns it.
//   OUTCOME_REJECT  a property that librdkafka refuses or that smsq needs as it is; the
//                   text names it.
MUST_CHECK enum outcome kafka_conf_new(struct rd_kafka_conf_s **out,
                                       const struct kafka_settings *set, struct err *err);

// kafka_settings_part refuses what kafka_conf_new does, and what contradicts or names
// files that are not there. It warns of brokers on other machines without TLS.
extern const struct settings_part kafka_settings_part;

// kafka_conf_set sets one property of ours; a refusal is a bug and asserts.
// kafka_conf_set_int is the same for numbers.
void kafka_conf_set(struct rd_kafka_conf_s *conf, const char *name, const char *value);
void kafka_conf_set_int(struct rd_kafka_conf_s *conf, const char *name, int64_t value);

// kafka_conf_default is kafka_conf_set, unless kafka.properties names the property.
void kafka_conf_default(struct rd_kafka_conf_s *conf, const struct kafka_settings *set,
                        const char *name, const char *value);

#endif
