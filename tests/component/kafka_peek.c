#include "kafka_peek.h"

#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

char *kafka_peek(const char *brokers, const char *topic, int64_t offset, size_t *len)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason,
                                       sizeof(reason)),
                     RD_KAFKA_CONF_OK);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    assert_int_equal(rd_kafka_consume_start(handle, 0, offset), 0);
    rd_kafka_message_t *m = rd_kafka_consume(handle, 0, PATIENCE_MS);
    assert_non_null(m);
    assert_int_equal(m->err, 0);
    char *value = xmemdup0(m->payload, m->len);
    *len = m->len;
    rd_kafka_message_destroy(m);
    assert_int_equal(rd_kafka_consume_stop(handle, 0), 0);
    rd_kafka_topic_destroy(handle);
    rd_kafka_destroy(rk);
    return value;
}
