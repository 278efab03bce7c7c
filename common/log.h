// log.h: one JSON object per line on standard error. Only the edges of a program log:
// mains, consumers, HTTP handlers.
#ifndef LOG_H
#define LOG_H

#include "base.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum { LOG_LINE_MAX = 4096, LOG_FIELDS_MAX = 16 };

enum log_kind { LOG_TEXT, LOG_INT, LOG_ID, LOG_TRACE };

// One field of a line. Never make one of a body, a token, a signature or a full number.
struct log_field {
    const char *name;
    enum log_kind kind;
    const char *text;  // LOG_TEXT; cut to fit the line; NULL prints null
                       // LOG_TRACE: TRACE_ID_DIGITS digits; NULL = no such field
    int64_t integer;
    const unsigned char *id;  // LOG_ID: 16 bytes, printed as a UUID
};

#define LOG_T(name, value) ((struct log_field){ (name), LOG_TEXT, (value), 0, NULL })
#define LOG_I(name, value) ((struct log_field){ (name), LOG_INT, NULL, (value), NULL })
#define LOG_U(name, value) ((struct log_field){ (name), LOG_ID, NULL, 0, (value) })

// LOG_C is the field trace_id of lines about one message; id as trace.h gives it.
#define LOG_C(id) ((struct log_field){ "trace_id", LOG_TRACE, (id), 0, NULL })

// log_init names the process and sets the level to info. log_level_set changes it;
// log_level_parse reads "error", "warn", "info" or "debug".
void log_init(const char *process);
void log_level_set(enum log_level level);
MUST_CHECK bool log_level_parse(const char *text, enum log_level *out);
bool log_is_on(enum log_level level);

// log_event writes {"time":…,"level":…,"process":…,"event":…, fields…} in one write(2).
// Invalid UTF-8 is replaced, control characters are escaped, a line longer than
// LOG_LINE_MAX loses the end of its texts but stays valid JSON. Warnings and errors of
// one event that come too often are counted instead (log_limit.h): the next line that is
// written has the field repeated.
void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

// log_gather makes lines below error wait for log_flush, so that many go out in one
// write(2): for a loop that calls log_flush in each turn. Turning it off flushes.
void log_gather(bool on);
void log_flush(void);

// log_line(LOG_LEVEL_INFO, "job_sent", LOG_U("message_id", id), LOG_I("turn", 1));
#define log_line(level, event, ...)                                                      \
    do {                                                                                 \
        if (log_is_on(level))                                                            \
            log_event(level, event, (const struct log_field[]){ __VA_ARGS__ },           \
                      sizeof((const struct log_field[]){ __VA_ARGS__ }) /                \
                          sizeof(struct log_field));                                     \
    } while (0)

#endif
