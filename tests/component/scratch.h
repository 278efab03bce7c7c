// scratch.h: a temporary folder for one test.
#ifndef SCRATCH_H
#define SCRATCH_H

enum { SCRATCH_BYTES = 64 };

// scratch_make makes an empty folder and writes its path. scratch_remove removes it with
// all that is in it.
void scratch_make(char path[SCRATCH_BYTES]);
void scratch_remove(const char *path);

#endif
