#include "status_entry.h"

#include "json.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

// A receipt is kept by the month of its record's time, and only months around now have a
// place: a record that claims another would stop its partition for ever.
static enum outcome check_time(int64_t at_ms, struct err *err)
{
    int64_t ahead_ms = at_ms - clock_wall_us() / 1000;

    if (ahead_ms <= STATUS_TIME_OFF_MS && ahead_ms >= -STATUS_TIME_OFF_MS)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT, "the record's time is more than 28 days %s",
                   ahead_ms > 0 ? "ahead" : "ago");
}

static void fill_receipt(struct status_entry *e, const struct kafka_record *rec)
{
    const struct sms_status *record = &e->record;

    e->receipt = (struct receipt){
        .recorded_at_us = rec->at_ms * 1000,
        .partition = rec->origin.partition,
        .offset = rec->origin.offset,
        .turn = record->turn,
        .twilio_sid = record->twilio_sid,
        .word = record->status,
        .status = status_of_provider(record->status),
        .rank = status_rank(record->status),
        .error_code = record->error_code,
        .raw = record->raw,
        .simulated = record->mode != NULL,
        .received_at_us = record->received_at,
    };
    memcpy(e->receipt.message_id, record->message_id, 16);
}

enum outcome status_entry_read(struct status_entry *out, struct json_reader *json,
                               const struct kafka_record *rec, struct err *err)
{
    struct status_entry e = { .origin = rec->origin };

    if (!rec->value)
        return err_set(err, OUTCOME_REJECT, "the record has no value");
    if (check_time(rec->at_ms, err))
        return OUTCOME_REJECT;
    enum outcome rc = wire_decode(&e.record, &e.memory, sms_status_fields, json,
                                  rec->value, rec->value_len, err);
    if (rc)
        return rc;
    fill_receipt(&e, rec);
    *out = e;
    return OUTCOME_OK;
}

void status_entry_free(struct status_entry *e)
{
    wire_free(e->memory);
    *e = (struct status_entry){ 0 };
}

static int compare_receipts(const void *a, const void *b)
{
    const struct receipt *const *x = a, *const *y = b;
    int by_id = memcmp((*x)->message_id, (*y)->message_id, 16);

    if (by_id)
        return by_id;
    if ((*x)->turn != (*y)->turn)
        return (*x)->turn < (*y)->turn ? -1 : 1;
    if ((*x)->simulated != (*y)->simulated)
        return (*x)->simulated ? 1 : -1;
    if ((*x)->rank != (*y)->rank)  // the highest rank of a turn comes first
        return (*x)->rank > (*y)->rank ? -1 : 1;
    return ((*x)->received_at_us > (*y)->received_at_us) -
           ((*x)->received_at_us < (*y)->received_at_us);
}

static bool is_same_turn(const struct receipt *a, const struct receipt *b)
{
    return a->turn == b->turn && a->simulated == b->simulated &&
           memcmp(a->message_id, b->message_id, 16) == 0;
}

static bool can_raise(const struct receipt *r)
{
    static const unsigned char unknown[16];

    return r->rank >= 0 && r->turn > 0 && memcmp(r->message_id, unknown, 16) != 0;
}

size_t status_entry_best(const struct receipt *all, size_t count,
                         const struct receipt **best)
{
    size_t known = 0, kept = 0;

    for (size_t i = 0; i < count; i++)
        if (can_raise(&all[i]))
            best[known++] = &all[i];
    qsort(best, known, sizeof(struct receipt *), compare_receipts);
    for (size_t i = 0; i < known; i++)
        if (kept == 0 || !is_same_turn(best[kept - 1], best[i]))
            best[kept++] = best[i];
    return kept;
}
