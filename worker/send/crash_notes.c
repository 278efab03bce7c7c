#include "crash_notes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NOTES_MAX = 64 };

static const int64_t FORGET_US = INT64_C(86400) * 1000000;

struct note {
    int64_t offset, at_us;  // wall clock of the latest crash
    int32_t lane, partition;
    uint32_t crashes;  // 0 = no note
    uint32_t reserved;
};

struct page {
    uint32_t used;  // notes that may stand here
    uint32_t reserved;
    struct note notes[NOTES_MAX];
};

struct crash_notes {
    int fd;
    struct page *page;  // shared with other processes; written under flock
};

enum outcome crash_notes_open(struct crash_notes **out, int folder, struct err *err)
{
    struct crash_notes *c = xcalloc(1, sizeof(*c));
    void *at = MAP_FAILED;

    c->fd = openat(folder, "crashes-1", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int cause = c->fd < 0 ? errno : posix_fallocate(c->fd, 0, sizeof(struct page));
    if (!cause) {
        at =
            mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
        cause = errno;
    }
    if (at == MAP_FAILED) {
        crash_notes_close(c);
        return err_set(err, OUTCOME_FATAL, "cannot keep notes in worker.state_dir: %s",
                       strerror(cause));
    }
    c->page = at;
    *out = c;
    return OUTCOME_OK;
}

void crash_notes_close(struct crash_notes *c)
{
    if (!c)
        return;
    if (c->page)
        (void)munmap(c->page, sizeof(*c->page));
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

// The note of that record, or NULL. Another process may be writing: what comes of that is
// one crash more or less.
static struct note *find(const struct crash_notes *c, int lane, int32_t partition,
                         int64_t offset)
{
    int64_t now_us = clock_wall_us();

    for (size_t i = 0; i < NOTES_MAX; i++) {
        struct note *n = &c->page->notes[i];
        if (n->crashes > 0 && n->lane == lane && n->partition == partition &&
            n->offset == offset && now_us - n->at_us < FORGET_US)
            return n;
    }
    return NULL;
}

static struct note *oldest(const struct crash_notes *c)
{
    struct note *found = &c->page->notes[0];

    for (size_t i = 1; i < NOTES_MAX; i++) {
        struct note *n = &c->page->notes[i];
        if (found->crashes > 0 && (n->crashes == 0 || n->at_us < found->at_us))
            found = n;
    }
    return found;
}

uint32_t crash_notes_add(struct crash_notes *c, int lane, int32_t partition,
                         int64_t offset)
{
    (void)flock(c->fd, LOCK_EX);
    struct note *n = find(c, lane, partition, offset);
    if (!n) {
        n = oldest(c);
        *n = (struct note){ .offset = offset, .lane = lane, .partition = partition };
    }
    n->at_us = clock_wall_us();
    uint32_t crashes = ++n->crashes;
    c->page->used = 1;
    (void)flock(c->fd, LOCK_UN);
    return crashes;
}

void crash_notes_forget(struct crash_notes *c, int lane, int32_t partition,
                        int64_t offset)
{
    bool any = false;

    if (c->page->used == 0)
        return;
    (void)flock(c->fd, LOCK_EX);
    struct note *n = find(c, lane, partition, offset);
    if (n)
        n->crashes = 0;
    for (size_t i = 0; i < NOTES_MAX; i++)
        any = any || c->page->notes[i].crashes > 0;
    c->page->used = any;
    (void)flock(c->fd, LOCK_UN);
}

uint32_t crash_notes_count(const struct crash_notes *c, int lane, int32_t partition,
                           int64_t offset)
{
    if (!c || c->page->used == 0)
        return 0;
    const struct note *n = find(c, lane, partition, offset);
    return n ? n->crashes : 0;
}
