// fuzz.h: what the fuzzers share. Each gives one parser any bytes: it must neither crash
// nor trip a sanitizer, and what it accepts must keep the parser's own contract.
#ifndef FUZZ_H
#define FUZZ_H

#include "base.h"

#include <stdlib.h>

struct keys;

// libFuzzer calls it with each input; the result is always 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Unlike assert it is there in every build.
#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition))                                                                \
            abort();                                                                     \
    } while (0)

// fuzz_keys returns keys that never change.
const struct keys *fuzz_keys(void);

// fuzz_text returns a copy with a NUL behind it, so that reading beyond is seen; free it.
char *fuzz_text(const uint8_t *data, size_t size);

// fuzz_cut returns the length up to the first newline (all when there is none) and moves
// data and size behind it: for inputs of several parts.
size_t fuzz_cut(const uint8_t **data, size_t *size);

#endif
