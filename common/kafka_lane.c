#include "kafka_lane.h"

#include <assert.h>
#include <stdlib.h>

void kafka_lane_open(struct kafka_lane *lane, size_t unacked_max)
{
    lane->stored = -1;
    lane->may_have = true;
    watermark_init(&lane->watermark, unacked_max);
    lane->at_s = xcalloc(unacked_max, sizeof(*lane->at_s));
    lane->queue =
        rd_kafka_queue_get_partition(lane->client->rk, lane->topic, lane->partition);
    assert(lane->queue);
    rd_kafka_queue_forward(lane->queue, NULL);
    kafka_client_watch(lane->client, lane->queue);
}

void kafka_lane_close(struct kafka_lane *lane)
{
    kafka_client_unwatch(lane->queue);
    rd_kafka_queue_destroy(lane->queue);
    watermark_free(&lane->watermark);
    free(lane->at_s);
}

static void fill_record(struct kafka_lane *lane, rd_kafka_event_t *event,
                        const rd_kafka_message_t *message, struct kafka_record *out)
{
    rd_kafka_timestamp_type_t type;

    *out = (struct kafka_record){
        .origin = { .partition = lane->partition, .offset = message->offset },
        .topic = lane->topic,
        .key = message->key,
        .key_len = message->key_len,
        .value = message->payload,
        .value_len = message->len,
        .at_ms = rd_kafka_message_timestamp(message, &type),
        .event = event,
    };
    // An offset that is not above the last one: librdkafka fetched again, or the log went
    // back (a topic made anew, an unclean election) and this is another record. Both are
    // handed out, as repeats harm nobody; the watermark stays.
    out->origin.place = message->offset > lane->watermark.last
                            ? watermark_add(&lane->watermark, message->offset)
                            : WATERMARK_NOWHERE;
    if (out->origin.place != WATERMARK_NOWHERE)
        lane->at_s[out->origin.place] =
            out->at_ms > 0 ? (uint32_t)(out->at_ms / 1000) : UINT32_MAX;
}

bool kafka_lane_pull(struct kafka_lane *lane, struct kafka_record *out)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(lane->queue, 0))) {
        const rd_kafka_message_t *message = NULL;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH)
            message = rd_kafka_event_message_next(event);
        else
            kafka_client_take(lane->client, event);
        if (message) {
            fill_record(lane, event, message, out);
            return true;
        }
        rd_kafka_event_destroy(event);
    }
    lane->may_have = false;
    return false;
}

// Asks nobody: sets the end that the last fetch told; false when none did.
static bool told_end(const struct kafka_lane *lane, int64_t *end)
{
    int64_t low;

    return rd_kafka_get_watermark_offsets(lane->client->rk, lane->topic, lane->partition,
                                          &low, end) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool kafka_lane_is_behind(const struct kafka_lane *lane)
{
    int64_t last = lane->watermark.last, end = 0;

    return last >= 0 && told_end(lane, &end) && end > last + 1;
}

int64_t kafka_lane_lag(const struct kafka_lane *lane, int64_t end)
{
    int64_t at = watermark_at(&lane->watermark), high = 0;

    if (at < 0 || !told_end(lane, &high))
        return 0;
    if (end > high)
        high = end;
    return high > at ? high - at : 0;
}

int64_t kafka_lane_head_age_s(const struct kafka_lane *lane, int64_t now_s)
{
    const struct watermark *w = &lane->watermark;

    if (w->count == 0 || lane->at_s[w->head] > now_s)
        return 0;
    return now_s - lane->at_s[w->head];
}
