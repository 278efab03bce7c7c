#include "topics.h"

#include "kafka.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

enum { TOPICS_MAX = 7, POLL_MS = 100 };

struct plan {
    const char *name;
    size_t partitions;  // where the count stands in struct topics_settings
};

#define PARTITIONS(field) offsetof(struct topics_settings, field)

static const struct plan plans[TOPICS_MAX] = {
    { TOPIC_JOBS_URGENT, PARTITIONS(lane_partitions) },
    { TOPIC_JOBS_NORMAL, PARTITIONS(lane_partitions) },
    { TOPIC_JOBS_BULK, PARTITIONS(lane_partitions) },
    { TOPIC_STATUS, PARTITIONS(status_partitions) },
    { TOPIC_INBOUND, PARTITIONS(inbound_partitions) },
    { TOPIC_REQUESTS, PARTITIONS(requests_partitions) },
    { TOPIC_DEAD, PARTITIONS(dead_partitions) },
};

struct admin {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    const char *brokers;
    int64_t until_us;  // clock_boot_us of the deadline
    int64_t limit_ms;  // the deadline, for the error text
    char reason[256];  // of the last connection error
    struct topics_row rows[TOPICS_MAX];
};

static int left_ms(const struct admin *a)
{
    int64_t left_us = a->until_us - clock_boot_us();
    return left_us > 0 ? (int)(left_us / 1000) : 0;
}

static enum outcome admin_open(struct admin *a, const struct kafka_settings *kafka,
                               int64_t deadline_us, struct err *err)
{
    rd_kafka_conf_t *conf;
    char reason[256];

    if (kafka_conf_new(&conf, kafka, err))
        return OUTCOME_REJECT;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR);
    *a = (struct admin){ .brokers = kafka->brokers,
                         .until_us = clock_boot_us() + deadline_us,
                         .limit_ms = deadline_us / 1000 };
    a->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (!a->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, OUTCOME_REJECT, "cannot start the Kafka client: %s", reason);
    }
    a->queue = rd_kafka_queue_get_main(a->rk);
    return OUTCOME_OK;
}

static void admin_close(struct admin *a)
{
    if (!a->rk)
        return;
    rd_kafka_queue_destroy(a->queue);
    rd_kafka_destroy(a->rk);
}

// What librdkafka met while it tried to connect is only told by events.
static void read_errors(struct admin *a)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(a->queue, 0))) {
        const char *text = rd_kafka_event_error_string(event);
        if (text && rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
            (void)snprintf(a->reason, sizeof(a->reason), "%s", text);
        rd_kafka_event_destroy(event);
    }
}

static enum outcome no_answer(struct admin *a, struct err *err)
{
    read_errors(a);
    return err_set(err, OUTCOME_RETRY,
                   "no Kafka broker at %s answered within %" PRId64 ".%03" PRId64
                   " s%s%s",
                   a->brokers, a->limit_ms / 1000, a->limit_ms % 1000,
                   a->reason[0] ? ": " : "", a->reason);
}

static void read_topic(struct topics_row *row, const rd_kafka_metadata_topic_t *topic)
{
    if (topic->err || topic->partition_cnt == 0)
        return;
    row->state = TOPICS_EXISTS;
    row->partitions = topic->partition_cnt;
    row->replication = topic->partitions[0].replica_cnt;
}

// read_rows fills a->rows with what Kafka has. Asking for all topics creates none.
static enum outcome read_rows(struct admin *a, struct err *err)
{
    const rd_kafka_metadata_t *metadata;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TRANSPORT;

    while (code && left_ms(a) > 0)
        code = rd_kafka_metadata(a->rk, 1, NULL, &metadata, left_ms(a));
    if (code)
        return no_answer(a, err);

    for (size_t i = 0; i < TOPICS_MAX; i++) {
        a->rows[i] = (struct topics_row){ plans[i].name, TOPICS_MISSING, 0, 0 };
        for (int j = 0; j < metadata->topic_cnt; j++)
            if (strcmp(metadata->topics[j].topic, plans[i].name) == 0)
                read_topic(&a->rows[i], &metadata->topics[j]);
    }
    rd_kafka_metadata_destroy(metadata);
    return OUTCOME_OK;
}

static int64_t wanted(const struct topics_settings *set, const struct plan *plan)
{
    int64_t partitions;

    memcpy(&partitions, (const char *)set + plan->partitions, sizeof(partitions));
    return partitions;
}

int64_t topics_wanted(const struct topics_settings *set, const char *name)
{
    for (size_t i = 0; i < TOPICS_MAX; i++)
        if (strcmp(plans[i].name, name) == 0)
            return wanted(set, &plans[i]);
    return 0;
}

static rd_kafka_NewTopic_t *new_topic(const struct plan *plan,
                                      const struct topics_settings *set, struct err *err)
{
    char number[24], reason[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(plan->name, (int)wanted(set, plan), (int)set->replication,
                              reason, sizeof(reason));
    if (!topic) {
        err_set(err, OUTCOME_REJECT, "cannot create %s: %s", plan->name, reason);
        return NULL;
    }
    (void)snprintf(number, sizeof(number), "%" PRId64, set->retention_us / 1000);
    rd_kafka_NewTopic_set_config(topic, "retention.ms", number);
    (void)snprintf(number, sizeof(number), "%" PRId64, set->min_insync);
    rd_kafka_NewTopic_set_config(topic, "min.insync.replicas", number);
    return topic;
}

// A topic that somebody else made meanwhile exists: fine.
static enum outcome read_result(struct admin *a, const rd_kafka_topic_result_t *result,
                                struct err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
    const char *name = rd_kafka_topic_result_name(result);
    const char *text = rd_kafka_topic_result_error_string(result);

    if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return err_set(err, OUTCOME_REJECT, "Kafka refuses to create %s: %s", name,
                       text ? text : rd_kafka_err2str(code));
    for (size_t i = 0; i < TOPICS_MAX && !code; i++)
        if (strcmp(a->rows[i].name, name) == 0)
            a->rows[i].state = TOPICS_CREATED;
    return OUTCOME_OK;
}

static enum outcome read_results(struct admin *a, rd_kafka_event_t *event,
                                 struct err *err)
{
    const rd_kafka_CreateTopics_result_t *answer =
        rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **results;
    enum outcome rc = OUTCOME_OK;
    size_t count;

    if (rd_kafka_event_error(event))
        return err_set(err, OUTCOME_RETRY, "could not create the topics: %s",
                       rd_kafka_event_error_string(event));
    results = rd_kafka_CreateTopics_result_topics(answer, &count);
    for (size_t i = 0; i < count; i++)
        if (!rc)  // the first complaint is the one to show
            rc = read_result(a, results[i], err);
    return rc;
}

static enum outcome send_create(struct admin *a, rd_kafka_NewTopic_t **topics,
                                size_t count, struct err *err)
{
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(a->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(a->rk);
    int wait_ms = left_ms(a) > POLL_MS ? left_ms(a) : POLL_MS;

    rd_kafka_AdminOptions_set_request_timeout(options, wait_ms, NULL, 0);
    rd_kafka_AdminOptions_set_operation_timeout(options, wait_ms, NULL, 0);
    rd_kafka_CreateTopics(a->rk, topics, count, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, wait_ms + POLL_MS);
    enum outcome rc = event ? read_results(a, event, err) : no_answer(a, err);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return rc;
}

static enum outcome create_missing(struct admin *a, const struct topics_settings *set,
                                   struct err *err)
{
    rd_kafka_NewTopic_t *topics[TOPICS_MAX];
    enum outcome rc = OUTCOME_OK;
    size_t count = 0;

    for (size_t i = 0; i < TOPICS_MAX && !rc; i++) {
        if (a->rows[i].state != TOPICS_MISSING)
            continue;
        topics[count] = new_topic(&plans[i], set, err);
        if (topics[count])
            count++;
        else
            rc = OUTCOME_REJECT;
    }
    if (!rc && count > 0)
        rc = send_create(a, topics, count, err);
    rd_kafka_NewTopic_destroy_array(topics, count);
    return rc;
}

// A fresh topic may be missing in the metadata for a moment. Until it is there we know
// what we asked for, but not what Kafka has.
static enum outcome await_created(struct admin *a, struct err *err)
{
    struct topics_row before[TOPICS_MAX];
    enum outcome rc;
    bool is_missing;

    memcpy(before, a->rows, sizeof(before));
    do {
        is_missing = false;
        rc = read_rows(a, err);
        for (size_t i = 0; i < TOPICS_MAX && !rc; i++)
            is_missing = is_missing || a->rows[i].state == TOPICS_MISSING;
        if (is_missing) {
            rd_kafka_event_t *event = rd_kafka_queue_poll(a->queue, POLL_MS);
            if (event)
                rd_kafka_event_destroy(event);
        }
    } while (!rc && is_missing);
    for (size_t i = 0; i < TOPICS_MAX && !rc; i++)
        if (before[i].state == TOPICS_CREATED)
            a->rows[i].state = TOPICS_CREATED;
    if (rc)
        err_context(err, "the topics are made but do not show yet");
    return rc;
}

static void report_rows(const struct admin *a, topics_report *report, void *arg)
{
    for (size_t i = 0; i < TOPICS_MAX; i++)
        report(arg, &a->rows[i]);
}

enum outcome topics_create(const struct kafka_settings *kafka,
                           const struct topics_settings *set, topics_report *report,
                           void *arg, struct err *err)
{
    struct admin a;

    if (set->min_insync > set->replication)
        return err_set(err, OUTCOME_REJECT,
                       "topics.min_insync (%" PRId64
                       ") is above topics.replication (%" PRId64 ")",
                       set->min_insync, set->replication);
    enum outcome rc = admin_open(&a, kafka, set->deadline_us, err);
    if (rc)
        return rc;
    rc = read_rows(&a, err);
    if (!rc)
        rc = create_missing(&a, set, err);
    if (!rc)
        rc = await_created(&a, err);
    if (!rc)
        report_rows(&a, report, arg);
    admin_close(&a);
    return rc;
}

enum outcome topics_list(const struct kafka_settings *kafka, int64_t deadline_us,
                         topics_report *report, void *arg, struct err *err)
{
    struct admin a;
    enum outcome rc = admin_open(&a, kafka, deadline_us, err);

    if (rc)
        return rc;
    rc = read_rows(&a, err);
    if (!rc)
        report_rows(&a, report, arg);
    admin_close(&a);
    return rc;
}
