// watermark.h: the offsets of one partition that were handed out and not yet all done,
// in order of arrival. Work ends in any order; the offset to commit moves only over
// records that are done without a gap. Offsets need not follow each other: compaction
// and control records leave holes.
#ifndef WATERMARK_H
#define WATERMARK_H

#include "base.h"

// A place that no entry has: done ignores it.
#define WATERMARK_NOWHERE UINT32_MAX

struct watermark {
    int64_t *ring;       // offset, or ~offset when done
    size_t room;         // handed out and not passed at most
    size_t head, count;  // oldest entry, entries
    int64_t last;        // highest offset added; -1 before one
    int64_t next;        // offset to commit: behind the last one passed; -1 before one
};

void watermark_init(struct watermark *w, size_t room);
void watermark_free(struct watermark *w);

bool watermark_is_full(const struct watermark *w);

// watermark_add appends an offset above all added before, while there is room, and
// returns its place.
uint32_t watermark_add(struct watermark *w, int64_t offset);

// watermark_done says that the offset at that place is done; a repeat, or one that is
// not there any more, is ignored. Returns true when w->next moved.
bool watermark_done(struct watermark *w, uint32_t place, int64_t offset);

// watermark_at is the lowest offset that is not done yet; -1 before the first one came.
int64_t watermark_at(const struct watermark *w);

#endif
