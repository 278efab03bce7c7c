#include "burials.h"

#include "dead_letters.h"
#include "kafka_in.h"
#include "log.h"
#include "wire.h"

#include <stdlib.h>
#include <sys/queue.h>

struct burial {
    struct kafka_in *in;
    struct kafka_origin origin;
    LIST_ENTRY(burial) next;
};

struct burials {
    struct dead_letters *dead;
    LIST_HEAD(, burial) open;
};

struct burials *burials_new(struct dead_letters *dead)
{
    struct burials *b = xcalloc(1, sizeof(*b));

    b->dead = dead;
    LIST_INIT(&b->open);
    return b;
}

static void forget(struct burial *one)
{
    LIST_REMOVE(one, next);
    free(one);
}

void burials_free(struct burials *b)
{
    if (!b)
        return;
    while (!LIST_EMPTY(&b->open))
        forget(LIST_FIRST(&b->open));
    free(b);
}

static void on_buried(void *arg, const struct sms_dead *letter)
{
    struct burial *one = arg;

    log_line(LOG_LEVEL_WARN, "status_rejected", LOG_T("reason", letter->reason),
             LOG_T("detail", letter->detail), LOG_I("partition", letter->partition),
             LOG_I("offset", letter->offset));
    kafka_in_ack(one->in, &one->origin);
    forget(one);
}

void burials_bury(struct burials *b, struct kafka_in *in, const struct kafka_record *rec,
                  const char *reason, const char *detail)
{
    struct burial *one = xcalloc(1, sizeof(*one));
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

    one->in = in;
    one->origin = rec->origin;
    LIST_INSERT_HEAD(&b->open, one, next);
    dead_letters_bury(b->dead, &letter, on_buried, one);
}
