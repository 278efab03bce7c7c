#include "sim_agenda.h"

#include <stdlib.h>

enum { ROOM_FIRST = 256, BRANCHES = 4 };

void sim_agenda_clear(struct sim_agenda *a)
{
    free(a->heap);
    *a = (struct sim_agenda){ 0 };
}

static bool is_before(const struct sim_entry *a, const struct sim_entry *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void sink(struct sim_agenda *a, size_t at, struct sim_entry entry)
{
    for (;;) {
        size_t first = at * BRANCHES + 1, end = first + BRANCHES;
        size_t least = first;

        if (first >= a->count)
            break;
        if (end > a->count)
            end = a->count;
        for (size_t i = first + 1; i < end; i++)
            if (is_before(&a->heap[i], &a->heap[least]))
                least = i;
        if (is_before(&entry, &a->heap[least]))
            break;
        a->heap[at] = a->heap[least];
        at = least;
    }
    a->heap[at] = entry;
}

void sim_agenda_put(struct sim_agenda *a, const struct sim_entry *entry)
{
    struct sim_entry copy = *entry;

    copy.order = a->order++;
    if (a->count == a->room) {
        a->room = a->room ? a->room * 2 : ROOM_FIRST;
        a->heap = xrealloc(a->heap, a->room * sizeof(*a->heap));
    }
    size_t at = a->count++;
    while (at > 0 && is_before(&copy, &a->heap[(at - 1) / BRANCHES])) {
        a->heap[at] = a->heap[(at - 1) / BRANCHES];
        at = (at - 1) / BRANCHES;
    }
    a->heap[at] = copy;
}

const struct sim_entry *sim_agenda_first(const struct sim_agenda *a)
{
    return a->count ? &a->heap[0] : NULL;
}

void sim_agenda_drop(struct sim_agenda *a)
{
    struct sim_entry last = a->heap[--a->count];

    if (a->count)
        sink(a, 0, last);
}

void sim_agenda_move(struct sim_agenda *a, uint8_t kind, uint8_t step, int64_t by_us,
                     int64_t least_us)
{
    for (size_t i = 0; i < a->count; i++) {
        struct sim_entry *entry = &a->heap[i];
        if (entry->kind != kind || entry->step != step)
            continue;
        entry->due_us += by_us;
        if (entry->due_us < least_us)
            entry->due_us = least_us;
    }
    for (size_t i = a->count; i-- > 0;)
        sink(a, i, a->heap[i]);
}
