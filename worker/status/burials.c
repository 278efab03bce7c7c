#include "burials.h"

#include "dead_letters.h"
#include "kafka_in.h"
#include "log.h"
#include "wire.h"

#include <stdlib.h>
#include <sys/queue.h>

struct burial {
    struct burials *owner;
    struct kafka_in *in;
    struct kafka_origin origin;
    LIST_ENTRY(burial) next;
};

struct burials {
    struct dead_letters *dead;
    void (*on_room)(void *arg);
    void *arg;
    LIST_HEAD(, burial) open;
};

struct burials *burials_new(struct dead_letters *dead, void (*on_room)(void *arg),
                            void *arg)
{
    struct burials *b = xcalloc(1, sizeof(*b));

    b->dead = dead;
    b->on_room = on_room;
    b->arg = arg;
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
    struct burials *b = one->owner;

    log_line(LOG_LEVEL_WARN, "status_rejected", LOG_T("reason", letter->reason),
             LOG_T("detail", letter->detail), LOG_I("partition", letter->partition),
             LOG_I("offset", letter->offset));
    kafka_in_ack(one->in, &one->origin);
    forget(one);
    b->on_room(b->arg);
}

void burials_bury(struct burials *b, struct kafka_in *in, const struct kafka_record *rec,
                  const char *reason, const char *detail)
{
    struct burial *one = xcalloc(1, sizeof(*one));

    one->owner = b;
    one->in = in;
    one->origin = rec->origin;
    LIST_INSERT_HEAD(&b->open, one, next);
    dead_letters_bury_record(b->dead, rec, reason, detail, on_buried, one);
}
