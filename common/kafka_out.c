#include "kafka_out.h"

#include "kafka.h"
#include "kafka_client.h"
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_US = 1000000,      // the queue is polled this often, whatever the events say
    DISTRUST_US = 5000000,  // not up for so long after a record ran out of time
    CLOSE_US = 5000000,     // kafka_out_close waits so long for reports
    CLOSE_POLL_MS = 50,
    DESTROY_MS = 5000,
};

struct pending {
    kafka_out_done *done;  // NULL while free
    void *arg;
    int64_t at_us;
    struct pending *next_free;
};

struct topic {
    char *name;
    rd_kafka_topic_t *handle;
};

struct kafka_out {
    struct kafka_client client;
    struct topic *topics;
    size_t topic_count;
    struct pending *pending;  // queue_max of them; those from touched on were never used
    struct pending *free;
    size_t pending_max, touched, in_flight;
    int64_t timed_out_us;  // when a record ran out of time last; 0 none since a good one
    bool is_closing;
    rd_kafka_resp_err_t refusal;  // the latest REJECT
    struct reactor_timer *tick;
    struct metrics *metrics;  // NULL = not measured
    struct metric *published, *failed, *gauge, *latency;
};

static struct pending *take_pending(struct kafka_out *k)
{
    struct pending *p = k->free;

    if (p)
        k->free = p->next_free;
    else if (k->touched < k->pending_max)
        p = &k->pending[k->touched++];
    return p;
}

static void give_pending(struct kafka_out *k, struct pending *p)
{
    p->done = NULL;
    p->next_free = k->free;
    k->free = p;
}

// A handle is made once per name and makes librdkafka ask for the topic's leaders.
static rd_kafka_topic_t *topic_handle(struct kafka_out *k, const char *name)
{
    for (size_t i = 0; i < k->topic_count; i++)
        if (strcmp(k->topics[i].name, name) == 0)
            return k->topics[i].handle;

    rd_kafka_topic_t *handle = rd_kafka_topic_new(k->client.rk, name, NULL);
    if (!handle)
        return NULL;
    k->topics = xrealloc(k->topics, (k->topic_count + 1) * sizeof(*k->topics));
    k->topics[k->topic_count++] = (struct topic){ xstrdup(name), handle };
    return handle;
}

static enum outcome outcome_of(struct kafka_out *k, rd_kafka_resp_err_t code)
{
    k->refusal = code;
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return OUTCOME_OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
        return OUTCOME_REJECT;
    default:
        return OUTCOME_RETRY;
    }
}

static void count_report(struct kafka_out *k, enum outcome rc, int64_t waited_us)
{
    if (!k->published)
        return;
    metric_add(rc ? k->failed : k->published, 1);
    if (!rc)
        metric_observe_us(k->latency, waited_us);
}

static void on_report(struct kafka_out *k, const rd_kafka_message_t *message,
                      int64_t now_us)
{
    struct pending *p = message->_private;
    kafka_out_done *done = p->done;
    void *arg = p->arg;
    enum outcome rc = outcome_of(k, message->err);

    if (rc == OUTCOME_OK) {
        kafka_client_answered(&k->client);
        k->timed_out_us = 0;
    } else if (rc == OUTCOME_RETRY) {
        k->timed_out_us = now_us;
    }
    count_report(k, rc, now_us - p->at_us);
    give_pending(k, p);
    k->in_flight--;
    done(arg, rc, rc ? rd_kafka_err2str(message->err) : NULL);
}

static void on_event(struct kafka_out *k, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message;

    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
        int64_t now_us = clock_boot_us();
        while ((message = rd_kafka_event_message_next(event)))
            on_report(k, message, now_us);
    } else {
        kafka_client_take(&k->client, event);
    }
    rd_kafka_event_destroy(event);
}

static void on_events(void *arg)
{
    struct kafka_out *k = arg;
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(k->client.queue, 0)))
        on_event(k, event);
}

static void on_tick(void *arg)
{
    struct kafka_out *k = arg;

    reactor_timer_set(k->tick, TICK_US);
    on_events(k);
}

static void set_gauge(void *arg)
{
    struct kafka_out *k = arg;
    metric_set(k->gauge, (double)k->in_flight);
}

static void declare_metrics(struct kafka_out *k, struct metrics *m)
{
    if (!m)
        return;
    k->metrics = m;
    k->published = metrics_counter(m, "smsq_kafka_records_published_total", NULL,
                                   "Records that all in-sync replicas have.");
    k->failed = metrics_counter(m, "smsq_kafka_publish_failures_total", NULL,
                                "Records that Kafka refused or did not confirm in time.");
    k->gauge = metrics_gauge(m, "smsq_kafka_publishing", NULL,
                             "Records that wait for Kafka's confirmation.");
    k->latency = metrics_latencies(m, "smsq_kafka_confirm_seconds", NULL,
                                   "From submitting a record to Kafka's confirmation.");
    metrics_before_render(m, set_gauge, k);
    kafka_client_measure(&k->client, m, "out");
}

static void set_properties(rd_kafka_conf_t *conf, const struct kafka_out_settings *set)
{
    char linger_ms[32];

    (void)snprintf(linger_ms, sizeof(linger_ms), "%" PRId64 ".%03" PRId64,
                   set->linger_us / 1000, set->linger_us % 1000);
    kafka_conf_set(conf, "acks", "all");
    kafka_conf_set(conf, "enable.idempotence", "false");
    kafka_conf_default(conf, set->kafka, "linger.ms", linger_ms);
    kafka_conf_set_int(conf, "message.timeout.ms", set->timeout_ms);
    kafka_conf_set_int(conf, "queue.buffering.max.messages", set->queue_max);
    kafka_conf_default(conf, set->kafka, "compression.type", "lz4");
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR |
                                       RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS);
}

enum outcome kafka_out_open(struct kafka_out **out, struct reactor *r,
                            const struct kafka_out_settings *set, struct metrics *metrics,
                            struct err *err)
{
    rd_kafka_conf_t *conf;

    if (kafka_conf_new(&conf, set->kafka, err))
        return OUTCOME_REJECT;
    set_properties(conf, set);

    struct kafka_out *k = xcalloc(1, sizeof(*k));
    k->client = (struct kafka_client){ .reactor = r, .on_events = on_events, .arg = k };
    k->pending_max = (size_t)set->queue_max;
    k->pending = xcalloc(k->pending_max, sizeof(*k->pending));
    k->tick = reactor_timer_new(r, on_tick, k);
    if (kafka_client_open_take(&k->client, RD_KAFKA_PRODUCER, conf, err)) {
        kafka_out_close(k);
        return OUTCOME_FATAL;
    }
    for (size_t i = 0; set->topics && set->topics[i]; i++)
        (void)topic_handle(k, set->topics[i]);
    declare_metrics(k, metrics);
    reactor_timer_set(k->tick, TICK_US);
    *out = k;
    return OUTCOME_OK;
}

static enum outcome produce(struct kafka_out *k, const struct kafka_out_record *rec,
                            struct pending *p, struct err *err)
{
    rd_kafka_topic_t *topic = topic_handle(k, rec->topic);

    // The cast drops const only: with F_COPY librdkafka reads the value.
    if (topic && rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                  (void *)(uintptr_t)rec->value, rec->value_len, rec->key,
                                  rec->key_len, p) == 0)
        return OUTCOME_OK;

    rd_kafka_resp_err_t code = rd_kafka_last_error();
    return err_set(err, outcome_of(k, code), "could not publish to %s: %s", rec->topic,
                   rd_kafka_err2str(code));
}

enum outcome kafka_out_submit(struct kafka_out *k, const struct kafka_out_record *rec,
                              kafka_out_done *done, void *arg, struct err *err)
{
    if (k->is_closing)
        return err_set(err, OUTCOME_RETRY, "the Kafka client is closing");
    struct pending *p = take_pending(k);
    if (!p)
        return err_set(err, OUTCOME_RETRY, "%zu records already wait for Kafka",
                       k->in_flight);

    p->done = done;
    p->arg = arg;
    p->at_us = clock_boot_us();
    enum outcome rc = produce(k, rec, p, err);
    if (rc)
        give_pending(k, p);
    else
        k->in_flight++;
    return rc;
}

bool kafka_out_blames_record(const struct kafka_out *k)
{
    return k->refusal == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
           k->refusal == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

size_t kafka_out_in_flight(const struct kafka_out *k)
{
    return k->in_flight;
}

bool kafka_out_is_up(const struct kafka_out *k)
{
    return !kafka_out_error(k);
}

const char *kafka_out_error(const struct kafka_out *k)
{
    if (k->timed_out_us && clock_boot_us() - k->timed_out_us < DISTRUST_US)
        return "Kafka did not confirm a record in time";
    return kafka_client_error(&k->client);
}

static void wait_for_reports(struct kafka_out *k)
{
    int64_t until_us = clock_boot_us() + CLOSE_US;

    while (k->in_flight > 0 && clock_boot_us() < until_us) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(k->client.queue, CLOSE_POLL_MS);
        if (event)
            on_event(k, event);
    }
}

static void drop_pending(struct kafka_out *k)
{
    for (size_t i = 0; i < k->touched; i++)
        if (k->pending[i].done)
            k->pending[i].done(k->pending[i].arg, OUTCOME_RETRY,
                               "closed before Kafka confirmed the record");
    k->in_flight = 0;
}

void kafka_out_close(struct kafka_out *k)
{
    if (!k)
        return;
    k->is_closing = true;
    if (k->metrics)
        metrics_forget(k->metrics, k);
    if (k->client.rk)
        wait_for_reports(k);
    drop_pending(k);
    kafka_client_unhook(&k->client);
    for (size_t i = 0; i < k->topic_count; i++) {
        rd_kafka_topic_destroy(k->topics[i].handle);
        free(k->topics[i].name);
    }
    if (k->client.rk)
        rd_kafka_purge(k->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    kafka_client_destroy(&k->client, DESTROY_MS);
    reactor_timer_free(k->tick);
    free(k->topics);
    free(k->pending);
    free(k);
}
