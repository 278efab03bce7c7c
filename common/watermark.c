#include "watermark.h"

#include <assert.h>
#include <stdlib.h>

void watermark_init(struct watermark *w, size_t room)
{
    assert(room > 0 && room < WATERMARK_NOWHERE);
    *w = (struct watermark){ .room = room, .last = -1, .next = -1 };
    w->ring = xcalloc(room, sizeof(*w->ring));
}

void watermark_free(struct watermark *w)
{
    free(w->ring);
    *w = (struct watermark){ .last = -1, .next = -1 };
}

bool watermark_is_full(const struct watermark *w)
{
    return w->count == w->room;
}

uint32_t watermark_add(struct watermark *w, int64_t offset)
{
    assert(offset > w->last && !watermark_is_full(w));

    size_t place = w->head + w->count;
    if (place >= w->room)
        place -= w->room;
    w->ring[place] = offset;
    w->count++;
    w->last = offset;
    return (uint32_t)place;
}

bool watermark_done(struct watermark *w, uint32_t place, int64_t offset)
{
    if (place >= w->room || w->ring[place] != offset || offset < w->next || !w->count)
        return false;

    w->ring[place] = ~offset;
    if (place != w->head)
        return false;
    while (w->count > 0 && w->ring[w->head] < 0) {
        w->next = ~w->ring[w->head] + 1;
        w->head = w->head + 1 < w->room ? w->head + 1 : 0;
        w->count--;
    }
    return true;
}

int64_t watermark_at(const struct watermark *w)
{
    return w->count > 0 ? w->ring[w->head] : w->next;
}
