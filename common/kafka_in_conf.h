// kafka_in_conf.h: how our consumers read: librdkafka's properties. Only kafka_in
// includes it.
#ifndef KAFKA_IN_CONF_H
#define KAFKA_IN_CONF_H

#include "kafka_client.h"
#include "kafka_in.h"

// kafka_in_configure sets what kafka_in relies on; speed and sizes only where the
// operator's own properties leave them out.
void kafka_in_configure(rd_kafka_conf_t *conf, const struct kafka_in_settings *set);

#endif
