// provider.h: asks Twilio, or the simulator for what was simulated, what it knows of
// messages. Calls wait in one queue per share and account and go out by a budget, one
// queue after the other; an account that refuses us or wants us to slow down is left
// alone for a while.
#ifndef PROVIDER_H
#define PROVIDER_H

#include "base.h"
#include "provider_read.h"

struct accounts;
struct metrics;
struct provider;
struct reactor;

// Who asks: each has its part of the budget.
enum provider_share { PROVIDER_DOUBTS, PROVIDER_STATUS, PROVIDER_PRICE };
enum { PROVIDER_SHARE_COUNT = PROVIDER_PRICE + 1 };

enum provider_result {
    PROVIDER_OK,
    PROVIDER_MISSING,     // Twilio has no such message
    PROVIDER_FAILED,      // no answer that says anything: ask later
    PROVIDER_NO_ACCOUNT,  // messages of this mode have no account here
};

struct provider_answer {
    enum provider_result result;
    struct provider_page *page;  // PROVIDER_OK: borrowed during done
    const char *reason;          // else: a few words for the log
};

typedef void provider_done(void *arg, const struct provider_answer *answer);

struct provider_settings {
    const struct accounts *accounts;
    const int64_t *calls_per_second;  // read at each call
    size_t in_flight_max;             // of each account
    struct metrics *metrics;
};

//   OUTCOME_FATAL  the HTTP client refused to start.
MUST_CHECK enum outcome provider_open(struct provider **out, struct reactor *r,
                                      const struct provider_settings *set,
                                      struct err *err);

// provider_close ends what is in flight and in the queues without calling done.
void provider_close(struct provider *p);

// provider_fetch asks for one message, provider_list for those to a number, newest first,
// or, with next_uri, for the next page of such a list. mode is the message's. done runs
// exactly once, later, from the loop. Texts are copied.
void provider_fetch(struct provider *p, enum provider_share share, const char *mode,
                    const char *sid, provider_done *done, void *arg);
void provider_list(struct provider *p, enum provider_share share, const char *mode,
                   const char *to, const char *next_uri, provider_done *done, void *arg);

// provider_list_sent asks for all that was sent in that time, newest first, in pages of
// PROVIDER_PAGE_MAX.
struct provider_span {
    int64_t from_us, to_us;
};
void provider_list_sent(struct provider *p, enum provider_share share, const char *mode,
                        const struct provider_span *span, const char *next_uri,
                        provider_done *done, void *arg);

// provider_line_count: how many accounts there are to ask, 0 to 2.
size_t provider_line_count(const struct provider *p);

#endif
