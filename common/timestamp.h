// timestamp.h: reads times as RFC 3339 writes them. Writing is buf_add_time.
#ifndef TIMESTAMP_H
#define TIMESTAMP_H

#include "base.h"

// timestamp_parse reads "2026-11-21T10:00:00Z": any fraction of a second (cut to
// microseconds), Z or an offset like +05:30, years 0000 to 9999. out is UTC in
// microseconds since 1970, negative before. Returns false for anything else, also for
// days that do not exist.
MUST_CHECK bool timestamp_parse(int64_t *out, const char *text, size_t len);

#endif
