// log_limit.h: which warnings and errors are written, and which only counted: an outage
// must not fill the disk. Only log.c includes it. One state per process.
#ifndef LOG_LIMIT_H
#define LOG_LIMIT_H

#include "log.h"

// Of one event this many lines are written in any LOG_LIMIT_US; more are counted.
enum { LOG_LIMIT_LINES = 20, LOG_LIMIT_US = 10000000, LOG_LIMIT_EVENTS = 64 };

// log_limit_pass says whether this line is written; *repeated is how many of its event
// were left out since the last one. now_us is clock_boot_us; event is a literal. Events
// beyond LOG_LIMIT_EVENTS are not limited.
MUST_CHECK bool log_limit_pass(enum log_level level, const char *event, int64_t now_us,
                               int64_t *repeated);

// log_limit_due takes the next event whose time is over, with lines left out that nobody
// told; false when there is none. INT64_MAX is the end of all times.
MUST_CHECK bool log_limit_due(int64_t now_us, enum log_level *level, const char **event,
                              int64_t *repeated);

// log_limit_waits says whether anything was left out and is not told yet.
bool log_limit_waits(void);

#endif
