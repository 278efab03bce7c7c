#include "kafka_mock.h"

#include "reactor.h"

#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 20000 };

static rd_kafka_t *client_new(rd_kafka_type_t type, const char *const *properties)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];

    for (; *properties; properties += 2)
        if (rd_kafka_conf_set(conf, properties[0], properties[1], reason, sizeof(reason)))
            fail_msg("%s", reason);
    rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (!rk)
        fail_msg("%s", reason);
    return rk;
}

void kafka_mock_open(struct kafka_mock *m, const char *topic, int partitions)
{
    const char *const properties[] = { "test.mock.num.brokers", "1", "log_level", "0",
                                       NULL };
    struct err err = { 0 };

    *m = (struct kafka_mock){ .rk = client_new(RD_KAFKA_PRODUCER, properties) };
    m->cluster = rd_kafka_handle_mock_cluster(m->rk);
    m->settings.brokers = xstrdup(rd_kafka_mock_cluster_bootstraps(m->cluster));
    assert_int_equal(rd_kafka_mock_topic_create(m->cluster, topic, partitions, 1), 0);
    if (reactor_open(&m->reactor, &err))
        fail_msg("%s", err.text);
}

void kafka_mock_close(struct kafka_mock *m)
{
    reactor_close(m->reactor);
    rd_kafka_destroy(m->rk);
    free(m->settings.brokers);
}

void kafka_mock_put(struct kafka_mock *m, const char *topic, int32_t partition,
                    const char *key, const char *value)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        m->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value ? strlen(value) : 0),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

    assert_int_equal(code, 0);
    assert_int_equal(rd_kafka_flush(m->rk, PATIENCE_MS), 0);
}

int64_t kafka_mock_count(struct kafka_mock *m, const char *topic, int32_t partition)
{
    int64_t low = 0, high = 0;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(m->rk, topic, partition,
                                                                &low, &high, PATIENCE_MS);

    assert_int_equal(code, 0);
    return high;
}

int64_t kafka_mock_committed(struct kafka_mock *m, const char *group, const char *topic,
                             int32_t partition)
{
    const char *const properties[] = { "bootstrap.servers",
                                       m->settings.brokers,
                                       "group.id",
                                       group,
                                       "log_level",
                                       "0",
                                       NULL };
    rd_kafka_t *rk = client_new(RD_KAFKA_CONSUMER, properties);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition);
    assert_int_equal(rd_kafka_committed(rk, list, PATIENCE_MS), 0);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset;
}
