#include "letter_keeper.h"

#include "buf.h"
#include "json.h"
#include "kafka.h"
#include "kafka_in.h"
#include "keys.h"
#include "log.h"
#include "message_id.h"
#include "metrics.h"
#include "seal.h"
#include "service.h"
#include "store_dead_letters.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MAX = 50,  // a letter has up to 900 kB
    UNACKED_MAX = 1024,
    SESSION_TIMEOUT_MS = 10000,
    LETTER_MAX_BYTES = 1048576,  // ours are smaller
    PLACE_MAX_BYTES = 320,
};

// A letter in hand, with what its row points to.
struct entry {
    struct kafka_origin origin;
    struct sms_dead letter;
    struct wire_memory *memory;
    struct buf sealed;
    unsigned char content_hash[KEY_BYTES];
    char detail[ERR_TEXT_BYTES];  // of one that cannot be read
};

struct letter_keeper {
    struct service *service;
    struct db *db;
    const struct keys *keys;
    struct kafka_in *in;
    struct json_reader *json;
    struct metric *kept;
    size_t count;  // in PostgreSQL's hands; the next ones wait in Kafka
    struct entry entries[BATCH_MAX];
    struct dead_letter rows[BATCH_MAX];
};

static void fill(void *arg);

// A record's time is what its writer says. Beyond the year 9999 it is no time.
static int64_t time_us(const struct kafka_record *rec)
{
    return rec->at_ms > 0 && rec->at_ms < INT64_C(253402300800000) ? rec->at_ms * 1000
                                                                   : 0;
}

static void entry_free(struct entry *e)
{
    wire_free(e->memory);
    buf_free(&e->sealed);
    *e = (struct entry){ 0 };
}

// Takes message and client from a record that is an object and has them.
static enum outcome read_member(void *arg, const char *name, size_t len,
                                const struct json_value *value, struct err *err)
{
    struct dead_letter *row = arg;
    unsigned char id[MESSAGE_ID_BYTES];

    (void)err;
    if (len == 10 && memcmp(name, "message_id", len) == 0 && value->kind == JSON_STRING &&
        message_id_parse(id, value->text, value->len))
        memcpy(row->message_id, id, sizeof(id));
    if (len == 6 && memcmp(name, "client", len) == 0 && value->kind == JSON_INTEGER &&
        value->integer > 0 && value->integer <= INT32_MAX)
        row->client = (int32_t)value->integer;
    return OUTCOME_OK;
}

static void read_origin(struct letter_keeper *k, struct dead_letter *row,
                        const struct sms_dead *letter)
{
    *row = (struct dead_letter){
        .topic = letter->topic,
        .partition = letter->partition,
        .offset = letter->offset,
        .record_at_us = letter->record_at,
        .reason = letter->reason,
        .detail = letter->detail,
        .program = letter->program,
        .is_whole = letter->cut_bytes == 0,
    };
    if (letter->value.len > 0 && json_read(k->json, (const char *)letter->value.bytes,
                                           letter->value.len, read_member, row, NULL))
        return;  // it is no object: that may be why it is here
}

// What somebody else put into sms.dead is kept too.
static void read_foreign(struct entry *e, struct dead_letter *row,
                         const struct kafka_record *rec, const struct err *why)
{
    memcpy(e->detail, why->text, sizeof(e->detail));
    *row = (struct dead_letter){
        .topic = TOPIC_DEAD,
        .partition = rec->origin.partition,
        .offset = rec->origin.offset,
        .record_at_us = time_us(rec),
        .reason = "bad_letter",
        .detail = e->detail,
    };
    e->letter.key = (struct wire_bytes){ (const unsigned char *)rec->key, rec->key_len };
    e->letter.value =
        (struct wire_bytes){ (const unsigned char *)rec->value, rec->value_len };
}

static void seal(struct letter_keeper *k, struct entry *e, struct dead_letter *row,
                 const struct kafka_record *rec)
{
    struct buf place = BUF_INIT(PLACE_MAX_BYTES);

    size_t len = rec->value_len < LETTER_MAX_BYTES ? rec->value_len : LETTER_MAX_BYTES;

    buf_init(&e->sealed, LETTER_MAX_BYTES + SEAL_OVERHEAD_BYTES);
    buf_addf(&place, "%s/%" PRId32 "/%" PRId64, row->topic, row->partition, row->offset);
    seal_close(k->keys->seal, row->buried_at_us, place.bytes, place.len,
               rec->value ? rec->value : "", len, &e->sealed);
    keys_content_hash(k->keys, row->topic, e->letter.key.bytes, e->letter.key.len,
                      e->letter.value.bytes, e->letter.value.len, e->content_hash);
    row->sealed =
        (struct wire_bytes){ (const unsigned char *)e->sealed.bytes, e->sealed.len };
    row->content_hash = (struct wire_bytes){ e->content_hash, sizeof(e->content_hash) };
    buf_free(&place);
}

static void read_letter(struct letter_keeper *k, const struct kafka_record *rec)
{
    struct entry *e = &k->entries[k->count];
    struct dead_letter *row = &k->rows[k->count];
    struct err err = { 0 };

    *e = (struct entry){ .origin = rec->origin };
    if (rec->value && !wire_decode(&e->letter, &e->memory, sms_dead_fields, k->json,
                                   rec->value, rec->value_len, &err)) {
        read_origin(k, row, &e->letter);
    } else {
        if (!rec->value)
            err_set(&err, OUTCOME_REJECT, "the record has no value");
        read_foreign(e, row, rec, &err);
    }
    row->buried_at_us = time_us(rec) ? time_us(rec) : clock_wall_us();
    seal(k, e, row, rec);
    k->count++;
}

static void settle(struct letter_keeper *k)
{
    for (size_t i = 0; i < k->count; i++) {
        log_line(LOG_LEVEL_INFO, "dead_letter_kept", LOG_T("topic", k->rows[i].topic),
                 LOG_I("partition", k->rows[i].partition),
                 LOG_I("offset", k->rows[i].offset), LOG_T("reason", k->rows[i].reason));
        kafka_in_ack(k->in, &k->entries[i].origin);
        entry_free(&k->entries[i]);
    }
    metric_add(k->kept, k->count);
    k->count = 0;
}

// What we write is checked before, so a refusal is about the schema or about rights.
static void on_kept(void *arg, const struct db_answer *answer)
{
    struct letter_keeper *k = arg;

    if (answer->rc) {
        service_fail(k->service, answer->reason);
        return;
    }
    settle(k);
    fill(k);
}

static void fill(void *arg)
{
    struct letter_keeper *k = arg;
    struct kafka_record rec;

    if (k->count > 0)
        return;
    while (k->count < BATCH_MAX && kafka_in_next(k->in, &rec)) {
        read_letter(k, &rec);
        kafka_in_done_with(&rec);
    }
    if (k->count > 0)
        store_dead_letters(k->db, k->rows, k->count, on_kept, k);
}

static void on_kafka(void *arg)
{
    struct letter_keeper *k = arg;

    if (kafka_in_is_fatal(k->in))
        service_fail(k->service, kafka_in_error(k->in));
    fill(k);
}

enum outcome letter_keeper_open(struct letter_keeper **out, struct service *service,
                                struct db *db, const struct kafka_settings *kafka,
                                const struct keys *keys, struct err *err)
{
    struct letter_keeper *k = xcalloc(1, sizeof(*k));
    struct metrics *metrics = service_metrics(service);
    const struct kafka_in_settings in = {
        .kafka = kafka,
        .topic = TOPIC_DEAD,
        .group = "smsq-dead-letters",
        .session_timeout_ms = SESSION_TIMEOUT_MS,
        .unacked_max = UNACKED_MAX,
    };

    k->service = service;
    k->db = db;
    k->keys = keys;
    k->json = json_reader_new();
    k->kept = metrics_counter(metrics, "smsq_dead_letters_kept_total", NULL,
                              "Dead letters that PostgreSQL has.");
    enum outcome rc =
        kafka_in_open(&k->in, service_reactor(service), &in, on_kafka, k, metrics, err);
    if (rc)
        letter_keeper_close(k);
    else
        *out = k;
    return rc;
}

void letter_keeper_stop_reading(struct letter_keeper *k)
{
    kafka_in_stop_reading(k->in);
}

bool letter_keeper_is_drained(const struct letter_keeper *k)
{
    return k->count == 0;
}

void letter_keeper_close(struct letter_keeper *k)
{
    if (!k)
        return;
    kafka_in_close(k->in);
    for (size_t i = 0; i < k->count; i++)
        entry_free(&k->entries[i]);
    json_reader_free(k->json);
    free(k);
}
