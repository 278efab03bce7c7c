#include "sim_queue.h"

#include <stdlib.h>

enum { ROOM_FIRST = 256 };

void sim_queue_free(struct sim_queue *q)
{
    free(q->ring);
    *q = (struct sim_queue){ 0 };
}

static void grow(struct sim_queue *q)
{
    struct sim_queue bigger = { .room = q->room ? q->room * 2 : ROOM_FIRST,
                                .count = q->count };

    bigger.ring = xcalloc(bigger.room, sizeof(*bigger.ring));
    for (size_t i = 0; i < q->count; i++)
        bigger.ring[i] = q->ring[(q->first + i) & (q->room - 1)];
    free(q->ring);
    *q = bigger;
}

void sim_queue_push(struct sim_queue *q, const struct sim_callback *cb)
{
    struct sim_callback copy = *cb;

    if (q->count == q->room)
        grow(q);
    q->ring[(q->first + q->count++) & (q->room - 1)] = copy;
}

const struct sim_callback *sim_queue_peek(const struct sim_queue *q)
{
    return q->count ? &q->ring[q->first] : NULL;
}

void sim_queue_drop(struct sim_queue *q)
{
    q->first = (q->first + 1) & (q->room - 1);
    q->count--;
}
