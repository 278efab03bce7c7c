#include "status_consumer.h"

#include "buf.h"
#include "burials.h"
#include "dead_letters.h"
#include "fail_point.h"
#include "json.h"
#include "kafka_in.h"
#include "kafka_out.h"
#include "letter_keeper.h"
#include "message_id.h"
#include "metrics.h"
#include "readiness.h"
#include "reconciler.h"
#include "rescuer.h"
#include "status_entry.h"
#include "status_join.h"
#include "status_report.h"
#include "store_receipts.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    BATCH_MAX = 1000,
    UNACKED_MAX = 16384,
    SESSION_TIMEOUT_MS = 10000,
};

struct status_consumer {
    const struct status_consumer_settings *set;
    struct service *service;
    struct db *db;
    struct kafka_in *in;
    struct kafka_out *out;
    struct dead_letters *dead;
    struct burials *burials;
    struct letter_keeper *keeper;
    struct reconciler *reconciler;
    struct accounts accounts;
    struct rescuer *rescuer;
    struct keys keys;
    struct json_reader *json;
    struct status_join *join;
    LIST_HEAD(, batch) batches;  // in PostgreSQL's hands
    struct metric *receipts, *batch_size;
    struct metric *received_to_applied;
    struct status_report *report;
};

struct batch {
    struct status_consumer *owner;
    LIST_ENTRY(batch) next;
    size_t count;
    struct status_entry entries[BATCH_MAX];
};

static void fill(void *arg);
static void submit(struct batch *b);

static void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        status_entry_free(&b->entries[i]);
    free(b);
}

// A batch that PostgreSQL will never take is halved until the bad row stands alone.
static void split(struct batch *b)
{
    struct batch *other = xcalloc(1, sizeof(*other));

    other->owner = b->owner;
    other->count = b->count / 2;
    b->count -= other->count;
    memcpy(other->entries, b->entries + b->count, other->count * sizeof(*other->entries));
    submit(b);
    submit(other);
}

static void bury_entry(struct status_consumer *c, const struct status_entry *e,
                       const char *reason)
{
    struct buf value = BUF_INIT(WIRE_RECORD_MAX_BYTES);
    char id[MESSAGE_ID_TEXT_BYTES];
    const char *key = e->record.twilio_sid;

    if (e->record.turn > 0) {
        message_id_format(id, e->record.message_id);
        key = id;
    }
    wire_encode(&e->record, sms_status_fields, &value);
    const struct kafka_record rec = {
        .origin = e->origin,
        .topic = TOPIC_STATUS,
        .key = key,
        .key_len = strlen(key),
        .value = value.bytes,
        .value_len = value.len,
        .at_ms = e->receipt.recorded_at_us / 1000,
    };
    burials_bury(c->burials, c->in, &rec, "refused_by_database", reason);
    buf_free(&value);
}

static void acknowledge(struct batch *b)
{
    struct status_consumer *c = b->owner;
    int64_t now_us = clock_wall_us();

    metric_add(c->receipts, b->count);
    for (size_t i = 0; i < b->count; i++) {
        metric_observe_us(c->received_to_applied,
                          now_us - b->entries[i].receipt.received_at_us);
        kafka_in_ack(c->in, &b->entries[i].origin);
    }
    batch_free(b);
    fill(c);
}

static void on_stored(void *arg, const struct db_answer *answer)
{
    struct batch *b = arg;
    struct status_consumer *c = b->owner;

    LIST_REMOVE(b, next);
    fail_point("status_after_store", b->count);
    if (!answer->rc) {
        status_report_applied(c->report, b->entries, b->count, answer->rows);
        acknowledge(b);
        return;
    }
    if (db_blames_data(answer) && b->count > 1) {
        split(b);
        return;
    }
    if (db_blames_data(answer))
        bury_entry(c, &b->entries[0], answer->reason);
    else
        service_fail(c->service, answer->reason);
    batch_free(b);
    fail_point("status_rest", 0);
    fill(c);
}

static bool simulates(const struct status_consumer *c)
{
    return c->accounts.mode == ACCOUNT_SIMULATE;
}

static void submit(struct batch *b)
{
    struct receipt all[BATCH_MAX];
    const struct receipt *best[BATCH_MAX];

    for (size_t i = 0; i < b->count; i++)
        all[i] = b->entries[i].receipt;
    const struct receipt_batch receipts = { all, b->count, best,
                                            status_entry_best(all, b->count, best),
                                            simulates(b->owner) };
    LIST_INSERT_HEAD(&b->owner->batches, b, next);
    metric_observe(b->owner->batch_size, (int64_t)b->count);
    fail_point("status_before_store", b->count);
    store_receipts(b->owner->db, &receipts, &b->owner->set->retry, on_stored, b);
}

// Returns false when the record went to sms.dead.
static bool read_entry(struct status_consumer *c, struct status_entry *e,
                       const struct kafka_record *rec)
{
    struct err err = { 0 };

    if (!status_entry_read(e, c->json, rec, &err))
        return true;
    burials_bury(c->burials, c->in, rec, "bad_record", err.text);
    return false;
}

// While one batch is written the next one gathers in Kafka's queues.
static void fill(void *arg)
{
    struct status_consumer *c = arg;
    struct kafka_record rec;
    struct batch *b = NULL;

    if (!LIST_EMPTY(&c->batches))
        return;
    while ((!b || b->count < BATCH_MAX) && dead_letters_have_room(c->dead) &&
           kafka_in_next(c->in, &rec)) {
        if (!b) {
            b = xcalloc(1, sizeof(*b));
            b->owner = c;
        }
        if (read_entry(c, &b->entries[b->count], &rec))
            b->count++;
        kafka_in_done_with(&rec);
    }
    if (b && b->count > 0)
        submit(b);
    else if (b)
        batch_free(b);
}

static void on_kafka(void *arg)
{
    struct status_consumer *c = arg;

    if (kafka_in_is_fatal(c->in))
        service_fail(c->service, kafka_in_error(c->in));
    fill(c);
}

static void on_stop(void *arg)
{
    struct status_consumer *c = arg;
    kafka_in_stop_reading(c->in);
    letter_keeper_stop_reading(c->keeper);
    reconciler_stop(c->reconciler);
    rescuer_stop(c->rescuer);
}

static bool is_drained(void *arg)
{
    const struct status_consumer *c = arg;
    return LIST_EMPTY(&c->batches) && dead_letters_pending(c->dead) == 0 &&
           letter_keeper_is_drained(c->keeper) && reconciler_is_drained(c->reconciler) &&
           rescuer_is_idle(c->rescuer);
}

static void say_ready(void *arg, struct readiness *parts)
{
    const struct status_consumer *c = arg;

    readiness_db(parts, "postgresql", c->db);
    readiness_db(parts, "postgresql_rescuer", rescuer_db(c->rescuer));
    readiness_kafka_in(parts, "kafka_in", c->in);
    readiness_kafka_out(parts, "kafka_out", c->out);
    reconciler_say_ready(c->reconciler, parts);
}

static void declare_metrics(struct status_consumer *c)
{
    struct metrics *m = service_metrics(c->service);

    c->receipts = metrics_counter(m, "smsq_receipts_total", NULL, "Callbacks stored.");
    c->report = status_report_new(m);
    c->batch_size = metrics_sizes(m, "smsq_receipt_batch_rows", NULL,
                                  "Callbacks in one batch for PostgreSQL.");
    c->received_to_applied =
        metrics_latencies(m, "smsq_callback_to_applied_seconds", NULL,
                          "From a callback at the receiver to its rows.");
}

static enum outcome open_connections(struct status_consumer *c,
                                     const struct status_consumer_settings *set,
                                     struct err *err)
{
    struct reactor *loop = service_reactor(c->service);
    struct metrics *metrics = service_metrics(c->service);
    const struct kafka_in_settings in = {
        .kafka = &set->kafka,
        .topic = TOPIC_STATUS,
        .group = "smsq-status-consumer",
        .session_timeout_ms = SESSION_TIMEOUT_MS,
        .unacked_max = UNACKED_MAX,
    };

    enum outcome rc =
        db_open(&c->db, loop, &set->db, "smsq-status-consumer", metrics, err);
    if (!rc)
        rc = rescuer_open(&c->rescuer, loop, &set->db, set->lease_us, metrics, err);
    if (!rc)
        rc = dead_letters_open_out(&c->out, loop, &set->kafka, metrics, err);
    if (rc)
        return rc;
    c->dead = dead_letters_new(loop, c->out, "smsq-status-consumer", metrics);
    c->burials = burials_new(c->dead, fill, c);
    rc = kafka_in_open(&c->in, loop, &in, on_kafka, c, metrics, err);
    if (!rc)
        rc =
            letter_keeper_open(&c->keeper, c->service, c->db, &set->kafka, &c->keys, err);
    const struct reconciler_parts parts = {
        .set = &set->reconcile,
        .retry = &set->retry,
        .lease_us = set->lease_us,
        .accounts = &c->accounts,
        .db = &set->db,
        .keys = &c->keys,
        .service = c->service,
    };
    return rc ? rc : reconciler_open(&c->reconciler, &parts, err);
}

enum outcome status_consumer_open(struct status_consumer **out,
                                  const struct status_consumer_settings *set,
                                  struct err *err)
{
    struct status_consumer *c = xcalloc(1, sizeof(*c));
    const struct service_hooks hooks = { "smsq-status-consumer", on_stop, is_drained,
                                         say_ready, c };

    c->set = set;
    enum outcome rc = keys_open(&c->keys, &set->keys, err);
    if (!rc)
        rc = accounts_open(&c->accounts, &set->account, err);
    if (!rc)
        rc = service_open(&c->service, &set->service, &hooks, err);
    if (!rc) {
        c->json = json_reader_new();
        declare_metrics(c);
        rc = open_connections(c, set, err);
    }
    if (rc) {
        status_consumer_close(c);
        return rc;
    }
    c->join = status_join_new(service_reactor(c->service), c->db, set, simulates(c),
                              service_metrics(c->service));
    *out = c;
    return OUTCOME_OK;
}

enum outcome status_consumer_run(struct status_consumer *c, struct err *err)
{
    return service_run(c->service, err);
}

void status_consumer_close(struct status_consumer *c)
{
    if (!c)
        return;
    if (c->in)
        kafka_in_stop_reading(c->in);
    kafka_out_close(c->out);  // its last reports still acknowledge records
    dead_letters_free(c->dead);
    burials_free(c->burials);
    kafka_in_close(c->in);
    db_close(c->db);
    rescuer_close(c->rescuer);
    letter_keeper_close(c->keeper);
    reconciler_close(c->reconciler);
    while (!LIST_EMPTY(&c->batches)) {
        struct batch *b = LIST_FIRST(&c->batches);
        LIST_REMOVE(b, next);
        batch_free(b);
    }
    status_join_free(c->join);
    status_report_free(c->report);
    json_reader_free(c->json);
    service_close(c->service);
    keys_close(&c->keys);
    accounts_close(&c->accounts);
    free(c);
}
