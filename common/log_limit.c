#include "log_limit.h"

#include <string.h>

struct event {
    const char *name;
    enum log_level level;
    int64_t began_us;  // of the stretch of LOG_LIMIT_US that is counted
    int written;       // in it
    int64_t left_out;
};

static struct event events[LOG_LIMIT_EVENTS];
static size_t event_count;
static size_t waiting;  // events with lines left out

static struct event *find(enum log_level level, const char *name, int64_t now_us)
{
    for (size_t i = 0; i < event_count; i++)
        if (events[i].level == level && strcmp(events[i].name, name) == 0)
            return &events[i];
    if (event_count == LOG_LIMIT_EVENTS)
        return NULL;
    events[event_count] = (struct event){ name, level, now_us, 0, 0 };
    return &events[event_count++];
}

static int64_t take_left_out(struct event *e)
{
    int64_t count = e->left_out;

    if (count > 0)
        waiting--;
    e->left_out = 0;
    return count;
}

bool log_limit_pass(enum log_level level, const char *event, int64_t now_us,
                    int64_t *repeated)
{
    struct event *e = find(level, event, now_us);

    *repeated = 0;
    if (!e)
        return true;
    if (now_us - e->began_us >= LOG_LIMIT_US) {
        e->began_us = now_us;
        e->written = 0;
    }
    if (e->written == LOG_LIMIT_LINES) {
        if (e->left_out++ == 0)
            waiting++;
        return false;
    }
    e->written++;
    *repeated = take_left_out(e);
    return true;
}

bool log_limit_due(int64_t now_us, enum log_level *level, const char **event,
                   int64_t *repeated)
{
    for (size_t i = 0; waiting > 0 && i < event_count; i++) {
        struct event *e = &events[i];
        if (e->left_out == 0 || now_us - e->began_us < LOG_LIMIT_US)
            continue;
        e->written = 0;
        *level = e->level;
        *event = e->name;
        *repeated = take_left_out(e);
        return true;
    }
    return false;
}

bool log_limit_waits(void)
{
    return waiting > 0;
}
