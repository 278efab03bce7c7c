// provider_line.h: one account that is asked about messages: its connections, and how
// long it is left alone. Used by provider.c only.
#ifndef PROVIDER_LINE_H
#define PROVIDER_LINE_H

#include "base.h"

struct account;
struct http_answer;
struct http_client;
struct metric;
struct provider_settings;
struct reactor;

struct provider_line {
    const char *name;  // of the label
    const struct account *account;
    struct http_client *http;  // NULL: there is no such account
    int64_t pause_us;          // how long the latest pause was; 0 = none
    int64_t paused_until_us;   // boot clock
    struct metric *paused;
};

//   OUTCOME_FATAL  the HTTP client refused to start.
MUST_CHECK enum outcome provider_line_open(struct provider_line *line, struct reactor *r,
                                           const char *name,
                                           const struct account *account,
                                           const struct provider_settings *set,
                                           struct err *err);

// provider_line_pause leaves the account alone after an answer that says nothing: for a
// minute when it refuses us, for Retry-After, or for twice as long as the last time.
void provider_line_pause(struct provider_line *line, const struct http_answer *http);

#endif
