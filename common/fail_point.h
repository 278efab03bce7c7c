// fail_point.h: places where the crash bench (./dev chaos) ends this very process as kill
// -9 would. Only the CMake preset "chaos" has them; in every other build nothing is left
// of a call.
#ifndef FAIL_POINT_H
#define FAIL_POINT_H

#include <stddef.h>

#ifdef SMSQ_FAIL_POINTS

enum { FAIL_POINTS = 1 };

// fail_point says that the program passes this place with so many messages in its hands.
// SMSQ_FAIL_POINT="name:n:ms" lets the nth pass of that place raise SIGKILL, where passes
// count from so many milliseconds after the first pass of any place. SMSQ_FAIL_NOTE names
// a file of FAIL_NOTE_BYTES that always shows, to whoever kills the program at another
// moment, the last place passed (words of 8 bytes: messages in hand, passes of the armed
// place, 1 once it bit; then the name of the place). Only the thread of the loop may call
// it.
void fail_point(const char *name, size_t in_hand);

#else

enum { FAIL_POINTS = 0 };

static inline void fail_point(const char *name, size_t in_hand)
{
    (void)name;
    (void)in_hand;
}

#endif

enum { FAIL_NAME_BYTES = 40, FAIL_NOTE_BYTES = 64 };

#endif
