#include "state_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOT_NAME_BYTES = 24 };  // "slot-" and an int

struct state_folder {
    int root, own, number;
};

static void slot_name(char name[SLOT_NAME_BYTES], int number)
{
    (void)snprintf(name, SLOT_NAME_BYTES, "slot-%d", number);
}

// Makes the folder and those above it; what is there already is no failure.
static bool make_folders(const char *path)
{
    char *part = xstrdup(path);

    for (char *at = part + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        (void)mkdir(part, 0755);
        *at = '/';
    }
    bool ok = mkdir(part, 0700) == 0 || errno == EEXIST;
    free(part);
    return ok;
}

static int open_locked(int root, const char *name)
{
    int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

static enum outcome lock_lowest(struct state_folder *f, const char *path, struct err *err)
{
    char name[SLOT_NAME_BYTES];

    for (f->number = 0; f->number < STATE_SLOTS_MAX; f->number++) {
        slot_name(name, f->number);
        if (mkdirat(f->root, name, 0700) == 0 || errno == EEXIST)
            f->own = open_locked(f->root, name);
        if (f->own >= 0 && faccessat(f->own, ".", W_OK | X_OK, 0) == 0)
            return OUTCOME_OK;
        if (f->own >= 0 || errno != EWOULDBLOCK)
            return err_set(err, OUTCOME_FATAL,
                           "cannot keep a journal in %s/%s (worker.state_dir): %s", path,
                           name, strerror(errno));
    }
    return err_set(err, OUTCOME_FATAL, "%d workers use %s (worker.state_dir) already",
                   STATE_SLOTS_MAX, path);
}

enum outcome state_folder_open(struct state_folder **out, const char *path,
                               struct err *err)
{
    struct state_folder *f = xcalloc(1, sizeof(*f));

    f->own = -1;
    f->root = make_folders(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    enum outcome rc = f->root < 0
                          ? err_set(err, OUTCOME_FATAL,
                                    "cannot use the folder %s (worker.state_dir): %s",
                                    path, strerror(errno))
                          : lock_lowest(f, path, err);
    if (rc) {
        state_folder_close(f);
        return rc;
    }
    *out = f;
    return OUTCOME_OK;
}

void state_folder_close(struct state_folder *f)
{
    if (!f)
        return;
    if (f->own >= 0)
        close(f->own);
    if (f->root >= 0)
        close(f->root);
    free(f);
}

int state_folder_root(const struct state_folder *f)
{
    return f->root;
}

int state_folder_own(const struct state_folder *f)
{
    return f->own;
}

int state_folder_number(const struct state_folder *f)
{
    return f->number;
}

bool state_folder_has(const struct state_folder *f, int number)
{
    char name[SLOT_NAME_BYTES];

    slot_name(name, number);
    return faccessat(f->root, name, F_OK, 0) == 0;
}

int state_folder_lock(const struct state_folder *f, int number)
{
    char name[SLOT_NAME_BYTES];

    if (number == f->number)
        return -1;
    slot_name(name, number);
    return open_locked(f->root, name);
}
