#include "dead_letters.h"

#include "buf.h"
#include "kafka.h"
#include "kafka_in.h"
#include "kafka_out.h"
#include "metric_words.h"
#include "metrics.h"
#include "reactor.h"
#include "wire.h"

#include <assert.h>
#include <stdlib.h>

enum {
    RETRY_AFTER_US = 1000000,
    LETTER_MAX_BYTES = 900000,
    LINGER_US = 500,
    TIMEOUT_MS = 30000,
    QUEUE_MAX = 10000,
};

struct letter {
    struct dead_letters *owner;
    struct letter *previous, *next;  // in the owner's list
    struct sms_dead dead;            // texts are the caller's literals or ours
    char *detail;
    struct buf encoded;
    struct reactor_timer *retry;
    dead_letters_done *done;
    void *arg;
};

struct dead_letters {
    struct reactor *reactor;
    struct kafka_out *out;
    const char *program;
    struct letter *letters;
    size_t pending;
    struct metric_words *buried;
};

static const char *const reasons[] = { "bad_record",          "bad_id",
                                       "cannot_open",         "no_row",
                                       "refused_by_database", NULL };

static void submit(void *arg);

enum outcome dead_letters_open_out(struct kafka_out **out, struct reactor *r,
                                   const struct kafka_settings *kafka,
                                   struct metrics *metrics, struct err *err)
{
    static const char *const topics[] = { TOPIC_DEAD, NULL };
    const struct kafka_out_settings set = {
        .kafka = kafka,
        .topics = topics,
        .linger_us = LINGER_US,
        .timeout_ms = TIMEOUT_MS,
        .queue_max = QUEUE_MAX,
    };
    return kafka_out_open(out, r, &set, metrics, err);
}

struct dead_letters *dead_letters_new(struct reactor *r, struct kafka_out *out,
                                      const char *program, struct metrics *metrics)
{
    struct dead_letters *d = xcalloc(1, sizeof(*d));

    d->reactor = r;
    d->out = out;
    d->program = program;
    const struct metric_words_settings buried = {
        .name = "smsq_dead_letters_total",
        .label = "reason",
        .help = "Records put into sms.dead, by the reason.",
        .max = METRIC_WORDS_MAX,
        .first = reasons,
        .declare = metrics_counter,
    };
    d->buried = metric_words_new(metrics, &buried);
    return d;
}

static void letter_free(struct letter *l)
{
    struct dead_letters *d = l->owner;

    if (l->previous)
        l->previous->next = l->next;
    else
        d->letters = l->next;
    if (l->next)
        l->next->previous = l->previous;
    d->pending--;
    reactor_timer_free(l->retry);
    buf_free(&l->encoded);
    free(l->detail);
    free(l);
}

static void on_report(void *arg, enum outcome rc, const char *reason)
{
    struct letter *l = arg;

    (void)reason;
    if (rc) {
        reactor_timer_set(l->retry, RETRY_AFTER_US);
        return;
    }
    metric_add(metric_words_find(l->owner->buried, l->dead.reason), 1);
    l->done(l->arg, &l->dead);
    letter_free(l);
}

static void submit(void *arg)
{
    struct letter *l = arg;
    const struct kafka_out_record rec = {
        .topic = TOPIC_DEAD,
        .value = l->encoded.bytes,
        .value_len = l->encoded.len,
    };

    if (kafka_out_submit(l->owner->out, &rec, on_report, l, NULL))
        reactor_timer_set(l->retry, RETRY_AFTER_US);
}

static void cut(struct sms_dead *dead, struct wire_bytes *bytes, size_t max,
                const char *what, struct buf *detail)
{
    if (bytes->len <= max)
        return;
    dead->cut_bytes += (int32_t)(bytes->len - max);
    buf_addf(detail, " (%s cut from %zu to %zu bytes)", what, bytes->len, max);
    bytes->len = max;
}

// Only what done may want later is kept: the place of origin and the reason.
static void encode(struct letter *l, const struct sms_dead *dead)
{
    struct sms_dead whole = *dead;
    struct buf detail = BUF_INIT(2 * ERR_TEXT_BYTES);
    bool is_told = dead->detail && dead->detail[0];

    buf_addf(&detail, "%.*s", ERR_TEXT_BYTES, is_told ? dead->detail : dead->reason);
    cut(&whole, &whole.key, DEAD_KEY_MAX_BYTES, "key", &detail);
    cut(&whole, &whole.value, DEAD_VALUE_MAX_BYTES, "value", &detail);
    l->detail = detail.bytes;
    whole.detail = l->detail;
    whole.program = l->owner->program;
    buf_init(&l->encoded, LETTER_MAX_BYTES);
    wire_encode(&whole, sms_dead_fields, &l->encoded);
    assert(!l->encoded.failed);  // all its parts are limited above
    l->dead = whole;
    l->dead.key = l->dead.value = (struct wire_bytes){ NULL, 0 };
}

void dead_letters_bury(struct dead_letters *d, const struct sms_dead *letter,
                       dead_letters_done *done, void *arg)
{
    struct letter *l = xcalloc(1, sizeof(*l));

    l->owner = d;
    l->done = done;
    l->arg = arg;
    l->retry = reactor_timer_new(d->reactor, submit, l);
    encode(l, letter);
    l->next = d->letters;
    if (l->next)
        l->next->previous = l;
    d->letters = l;
    d->pending++;
    submit(l);
}

void dead_letters_bury_record(struct dead_letters *d, const struct kafka_record *rec,
                              const char *reason, const char *detail,
                              dead_letters_done *done, void *arg)
{
    const struct sms_dead letter = {
        .reason = reason,
        .detail = detail,
        .topic = rec->topic,
        .partition = rec->origin.partition,
        .offset = rec->origin.offset,
        .record_at = rec->at_ms > 0 ? rec->at_ms * 1000 : 0,
        .key = { (const unsigned char *)rec->key, rec->key_len },
        .value = { (const unsigned char *)rec->value, rec->value_len },
    };
    dead_letters_bury(d, &letter, done, arg);
}

size_t dead_letters_pending(const struct dead_letters *d)
{
    return d->pending;
}

bool dead_letters_have_room(const struct dead_letters *d)
{
    return d->pending < DEAD_PENDING_MAX;
}

void dead_letters_free(struct dead_letters *d)
{
    if (!d)
        return;
    while (d->letters)
        letter_free(d->letters);
    metric_words_free(d->buried);
    free(d);
}
