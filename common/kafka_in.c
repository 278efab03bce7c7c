#include "kafka_in.h"

#include "kafka.h"
#include "kafka_client.h"
#include "kafka_ends.h"
#include "kafka_in_conf.h"
#include "kafka_lane.h"
#include "log.h"
#include "metrics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_US = 1000000,   // every queue is polled this often, whatever the events say
    STORE_US = 200000,   // acknowledged offsets reach librdkafka this much later
    CLOSE_US = 5000000,  // the whole of kafka_in_close
    CLOSE_POLL_MS = 50,
    WAKE_US = 20000,     // between two wake-ups of librdkafka's fetcher
    LABELS_BYTES = 320,  // a topic's name has up to 249
};

struct kafka_in {
    struct kafka_client client;
    char *topic;
    size_t unacked_max;
    void (*ready)(void *arg);
    void *arg;
    struct reactor_timer *tick, *store, *wake;
    struct kafka_lane *lanes;  // the assignment
    size_t lane_count;
    size_t turn;  // lane that is asked next
    uint32_t generation;
    size_t lent;  // records that are not given back
    bool is_assigned, is_hungry, is_stopped, is_closed;
    struct kafka_ends *ends;
    int64_t woken_us;         // boot clock
    struct metrics *metrics;  // NULL = not measured
    struct metric *records, *rebalances, *unacked, *head_age;
};

// librdkafka commits what is stored each second, and at an unassign.
static void store_offsets(void *arg)
{
    struct kafka_in *k = arg;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)k->lane_count);

    for (size_t i = 0; i < k->lane_count; i++) {
        struct kafka_lane *lane = &k->lanes[i];
        if (lane->watermark.next == lane->stored)
            continue;
        rd_kafka_topic_partition_list_add(list, k->topic, lane->partition)->offset =
            lane->watermark.next;
        lane->stored = lane->watermark.next;
    }
    if (list->cnt > 0)  // an error means "not ours any more": the next owner reads again
        (void)rd_kafka_offsets_store(k->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void drop_lanes(struct kafka_in *k)
{
    for (size_t i = 0; i < k->lane_count; i++) {
        struct kafka_lane *lane = &k->lanes[i];
        if (lane->peeked.event)
            kafka_in_done_with(&lane->peeked);
        kafka_lane_close(lane);
    }
    free(k->lanes);
    k->lanes = NULL;
    k->lane_count = 0;
    k->turn = 0;
    k->generation++;
    k->is_assigned = false;
}

static void on_assign(struct kafka_in *k, rd_kafka_topic_partition_list_t *partitions)
{
    drop_lanes(k);
    k->lanes = xcalloc((size_t)partitions->cnt, sizeof(*k->lanes));
    k->lane_count = (size_t)partitions->cnt;
    for (size_t i = 0; i < k->lane_count; i++) {
        struct kafka_lane *lane = &k->lanes[i];
        lane->client = &k->client;
        lane->topic = k->topic;
        lane->partition = partitions->elems[i].partition;
        kafka_lane_open(lane, k->unacked_max);
    }
    k->is_assigned = !rd_kafka_assign(k->client.rk, partitions);
    kafka_client_answered(&k->client);
    k->is_hungry = true;
    if (k->rebalances)
        metric_add(k->rebalances, 1);
}

static void on_revoke(struct kafka_in *k)
{
    if (!rd_kafka_assignment_lost(k->client.rk))
        store_offsets(k);
    rd_kafka_assign(k->client.rk, NULL);  // commits what was stored
    drop_lanes(k);
}

static void on_commit(struct kafka_in *k, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    if (code && code != RD_KAFKA_RESP_ERR__NO_OFFSET)
        log_line(LOG_LEVEL_WARN, "kafka_commit_failed",
                 LOG_T("client", rd_kafka_name(k->client.rk)), LOG_T("topic", k->topic),
                 LOG_T("text", rd_kafka_err2str(code)));
}

static void on_group_event(struct kafka_in *k, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_REBALANCE:
        if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
            on_assign(k, rd_kafka_event_topic_partition_list(event));
        else
            on_revoke(k);
        break;
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
        on_commit(k, event);
        break;
    case RD_KAFKA_EVENT_FETCH:
        assert(0 && "a record came past its lane");  // dropping it would lose it
        break;
    default:
        kafka_client_take(&k->client, event);
        break;
    }
}

static void serve_group(struct kafka_in *k)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(k->client.queue, 0))) {
        on_group_event(k, event);
        rd_kafka_event_destroy(event);
    }
}

static void tell_ready(void *arg)
{
    struct kafka_in *k = arg;

    if (k->is_stopped || (!k->is_hungry && !k->client.is_fatal))
        return;
    k->is_hungry = false;
    k->ready(k->arg);
}

// One eventfd serves all queues, so any lane may be the one that it means.
static void on_events(void *arg)
{
    struct kafka_in *k = arg;

    serve_group(k);
    for (size_t i = 0; i < k->lane_count; i++)
        k->lanes[i].may_have = true;
    tell_ready(k);
}

// Once all partitions have read enough ahead, librdkafka 2.0.2 looks again after a
// second, or when its thread for the broker has something else to do. So it gets
// something: to ask where a partition ends.
static void wake_fetcher(struct kafka_in *k, const struct kafka_lane *lane)
{
    int64_t now_us = clock_boot_us();

    if (now_us - k->woken_us < WAKE_US || !kafka_lane_is_behind(lane))
        return;
    k->woken_us = now_us;
    kafka_ends_ask(k->ends, lane->partition);
}

static bool pull(struct kafka_in *k, struct kafka_lane *lane, struct kafka_record *out)
{
    if (!kafka_lane_pull(lane, out)) {
        wake_fetcher(k, lane);
        return false;
    }
    out->origin.generation = k->generation;
    out->origin.lane = (uint32_t)(lane - k->lanes);
    out->from = k;
    k->lent++;
    return true;
}

// A record in hand tells where we stand and how old the oldest is, although nobody reads.
// A lane at which nobody looked since the last tick is not fetched any more, maybe.
static void look_at_lane(struct kafka_in *k, struct kafka_lane *lane)
{
    if (lane->may_have && lane->watermark.last >= 0)
        kafka_ends_ask(k->ends, lane->partition);
    lane->may_have = true;
    if (lane->watermark.count == 0 && !lane->peeked.event)
        (void)!pull(k, lane, &lane->peeked);
}

static void on_tick(void *arg)
{
    struct kafka_in *k = arg;

    reactor_timer_set(k->tick, TICK_US);
    serve_group(k);
    for (size_t i = 0; i < k->lane_count; i++)
        look_at_lane(k, &k->lanes[i]);
    tell_ready(k);
}

static void sample_lag(void *arg, struct metrics_samples *to)
{
    struct kafka_in *k = arg;
    char labels[LABELS_BYTES];

    for (size_t i = 0; i < k->lane_count; i++) {
        const struct kafka_lane *lane = &k->lanes[i];
        int64_t end = kafka_ends_get(k->ends, lane->partition);
        (void)snprintf(labels, sizeof(labels), "topic=\"%s\",partition=\"%d\"", k->topic,
                       lane->partition);
        metrics_sample(to, labels, (double)kafka_lane_lag(lane, end));
    }
}

static void set_gauges(void *arg)
{
    struct kafka_in *k = arg;
    int64_t now_s = clock_wall_us() / 1000000, oldest_s = 0;
    size_t unacked = 0;

    for (size_t i = 0; i < k->lane_count; i++) {
        int64_t age_s = kafka_lane_head_age_s(&k->lanes[i], now_s);
        oldest_s = age_s > oldest_s ? age_s : oldest_s;
        unacked += k->lanes[i].watermark.count;
    }
    metric_set(k->head_age, (double)oldest_s);
    metric_set(k->unacked, (double)unacked);
}

static void declare_metrics(struct kafka_in *k, struct metrics *m)
{
    char labels[LABELS_BYTES];

    if (!m)
        return;
    k->metrics = m;
    (void)snprintf(labels, sizeof(labels), "topic=\"%s\"", k->topic);
    k->records = metrics_counter(m, "smsq_kafka_records_read_total", labels,
                                 "Records taken from Kafka.");
    k->rebalances = metrics_counter(m, "smsq_kafka_assignments_total", labels,
                                    "Partition assignments that the group gave us.");
    k->unacked = metrics_gauge(m, "smsq_kafka_unacked_records", labels,
                               "Records handed out and not passed by the offset yet.");
    k->head_age = metrics_gauge(m, "smsq_kafka_head_age_seconds", labels,
                                "Age of the oldest record that is not done.");
    metrics_sampled(m, "smsq_kafka_lag_records",
                    "Records in our partitions that are not acknowledged yet.",
                    sample_lag, k);
    metrics_before_render(m, set_gauges, k);
    kafka_client_measure(&k->client, m, k->topic);
}

static enum outcome subscribe(struct kafka_in *k, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, k->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(k->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code)
        return err_set(err, OUTCOME_FATAL, "cannot subscribe to %s: %s", k->topic,
                       rd_kafka_err2str(code));
    return OUTCOME_OK;
}

enum outcome kafka_in_open(struct kafka_in **out, struct reactor *r,
                           const struct kafka_in_settings *set, void (*ready)(void *arg),
                           void *arg, struct metrics *metrics, struct err *err)
{
    rd_kafka_conf_t *conf;

    if (kafka_conf_new(&conf, set->kafka, err))
        return OUTCOME_REJECT;
    kafka_in_configure(conf, set);

    struct kafka_in *k = xcalloc(1, sizeof(*k));
    k->client = (struct kafka_client){ .reactor = r, .on_events = on_events, .arg = k };
    k->topic = xstrdup(set->topic);
    k->unacked_max = set->unacked_max;
    k->ready = ready;
    k->arg = arg;
    k->is_hungry = true;
    k->tick = reactor_timer_new(r, on_tick, k);
    k->store = reactor_timer_new(r, store_offsets, k);
    k->wake = reactor_timer_new(r, tell_ready, k);
    if (kafka_client_open_take(&k->client, RD_KAFKA_CONSUMER, conf, err) ||
        subscribe(k, err)) {
        kafka_in_close(k);
        return OUTCOME_FATAL;
    }
    k->ends = kafka_ends_open(k->client.rk, k->topic);
    declare_metrics(k, metrics);
    reactor_timer_set(k->tick, TICK_US);
    *out = k;
    return OUTCOME_OK;
}

bool kafka_in_next(struct kafka_in *k, struct kafka_record *out)
{
    for (size_t tried = 0; tried < k->lane_count && !k->is_stopped; tried++) {
        struct kafka_lane *lane = &k->lanes[k->turn];
        k->turn = k->turn + 1 < k->lane_count ? k->turn + 1 : 0;
        if (lane->peeked.event) {
            *out = lane->peeked;
            lane->peeked.event = NULL;
        } else if (!lane->may_have || watermark_is_full(&lane->watermark) ||
                   !pull(k, lane, out)) {
            continue;
        }
        if (k->records)
            metric_add(k->records, 1);
        return true;
    }
    k->is_hungry = true;
    return false;
}

static void let_go(struct kafka_in *k)
{
    kafka_client_destroy(&k->client, CLOSE_US / 1000);
    free(k->topic);
    free(k);
}

void kafka_in_done_with(struct kafka_record *rec)
{
    struct kafka_in *k = rec->from;

    if (!rec->event)
        return;
    rd_kafka_event_destroy(rec->event);
    rec->event = NULL;
    if (--k->lent == 0 && k->is_closed)
        let_go(k);
}

void kafka_in_ack(struct kafka_in *k, const struct kafka_origin *origin)
{
    if (origin->generation != k->generation || origin->lane >= k->lane_count)
        return;

    struct watermark *w = &k->lanes[origin->lane].watermark;
    bool was_full = watermark_is_full(w);
    if (!watermark_done(w, origin->place, origin->offset))
        return;
    if (!reactor_timer_is_set(k->store))
        reactor_timer_set(k->store, STORE_US);
    if (was_full && k->is_hungry)
        reactor_timer_set(k->wake, 0);
}

bool kafka_in_is_assigned(const struct kafka_in *k)
{
    return k->is_assigned;
}

const char *kafka_in_error(const struct kafka_in *k)
{
    const char *error = kafka_client_error(&k->client);

    if (error || k->is_assigned)
        return error;
    return k->client.reason[0] ? k->client.reason
                               : "the group has not given an answer yet";
}

bool kafka_in_is_fatal(const struct kafka_in *k)
{
    return k->client.is_fatal;
}

void kafka_in_stop_reading(struct kafka_in *k)
{
    k->is_stopped = true;
}

// leave_group answers the last revocation, which commits. Returns false when librdkafka
// did not finish in time; then its handle can only be left behind.
static bool leave_group(struct kafka_in *k)
{
    int64_t until_us = clock_boot_us() + CLOSE_US;
    rd_kafka_error_t *error =
        rd_kafka_consumer_close_queue(k->client.rk, k->client.queue);

    rd_kafka_error_destroy(error);  // NULL is fine; a fatal error closes at once
    while (!rd_kafka_consumer_closed(k->client.rk) && clock_boot_us() < until_us) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(k->client.queue, CLOSE_POLL_MS);
        if (!event)
            continue;
        on_group_event(k, event);
        rd_kafka_event_destroy(event);
    }
    return rd_kafka_consumer_closed(k->client.rk);
}

void kafka_in_close(struct kafka_in *k)
{
    if (!k)
        return;
    if (k->metrics)
        metrics_forget(k->metrics, k);
    reactor_timer_free(k->tick);
    reactor_timer_free(k->store);
    reactor_timer_free(k->wake);
    k->is_stopped = true;
    kafka_ends_close(k->ends);
    if (k->client.rk && !leave_group(k))
        k->client.rk = NULL;
    drop_lanes(k);
    kafka_client_unhook(&k->client);
    k->is_closed = true;
    if (k->lent == 0)
        let_go(k);
}
