// prefer.h: the preferences of a request: Prefer (RFC 7240). One is known: wait=N.
#ifndef PREFER_H
#define PREFER_H

#include "base.h"

enum { PREFER_WAIT_MAX_S = 30 };

// prefer_wait_s returns the seconds of the first wait=N in the values of all Prefer
// fields, in their order, PREFER_WAIT_MAX_S at most. 0 = none, or one that is no whole
// number. Other preferences, and what is none at all, are ignored as the RFC wants.
int prefer_wait_s(const char *const *values, size_t count);

#endif
