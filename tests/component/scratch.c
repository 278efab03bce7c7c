#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scratch_make(char path[SCRATCH_BYTES])
{
    (void)snprintf(path, SCRATCH_BYTES, "/tmp/smsq-test-XXXXXX");
    if (!mkdtemp(path))
        abort();
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void scratch_remove(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
