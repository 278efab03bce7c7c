// retry_policy.h: whether a message whose POST came to nothing gets another turn, and
// when. Pure. The status consumer says the same in SQL (store_receipts.c).
#ifndef RETRY_POLICY_H
#define RETRY_POLICY_H

#include "base.h"

struct error_code;

enum { RETRY_CLASS_COUNT = 4 };

struct retry_settings {
    int64_t delay_s;      // retry.delay_s
    int64_t delay_max_s;  // retry.delay_max_s
    // retry.tries_otp, _emergency, _transactional, _marketing, in this order.
    int64_t tries[RETRY_CLASS_COUNT];
};

#define RETRY_SETTINGS(base)                                                             \
    { "retry.delay_s",                                                                   \
      SETTING_COUNT | SETTING_LIVE,                                                      \
      (base) + offsetof(struct retry_settings, delay_s),                                 \
      "60",                                                                              \
      1,                                                                                 \
      86400,                                                                             \
      "RETRY_DELAY",                                                                     \
      "seconds: after a first failure a message waits a random time up to this, then "   \
      "up to twice as long each time" },                                                 \
        { "retry.delay_max_s",                                                           \
          SETTING_COUNT | SETTING_LIVE,                                                  \
          (base) + offsetof(struct retry_settings, delay_max_s),                         \
          "3600",                                                                        \
          1,                                                                             \
          604800,                                                                        \
          NULL,                                                                          \
          "seconds: that wait grows no longer than this" },                              \
        RETRY_TRIES(base, 0, "retry.tries_otp", "3", NULL),                              \
        RETRY_TRIES(base, 1, "retry.tries_emergency", "10", NULL),                       \
        RETRY_TRIES(base, 2, "retry.tries_transactional", "8", "MAX_RETRY_ATTEMPTS"),    \
        RETRY_TRIES(base, 3, "retry.tries_marketing", "5", NULL)

#define RETRY_TRIES(base, class, name, count, alias)                                     \
    {                                                                                    \
        name, SETTING_COUNT | SETTING_LIVE,                                              \
            (base) + offsetof(struct retry_settings, tries) + (class) * sizeof(int64_t), \
            count, 1, 100, alias, "after so many failures a message of this class ends"  \
    }

enum retry_reason {
    RETRY_PAUSE,      // nothing left us, or Twilio did nothing: no failure
    RETRY_COMPLAINT,  // Twilio is not content with us, or a breaker holds: no failure
    RETRY_FAILURE,
};

struct retry_case {
    enum retry_reason reason;
    const char *message_class;
    int32_t tries;                  // failures before this one
    int32_t turn;                   // of the POST
    int64_t retry_after_us;         // as Twilio or a breaker told, -1 = none did
    const struct error_code *code;  // NULL = none, or unknown
    int64_t expires_at_us;          // end of its useful time
};

enum retry_next { RETRY_AGAIN, RETRY_TRIES_USED_UP, RETRY_TOO_LATE };

// retry_decide tells what comes next, now_us being the wall clock; due_us is set with
// RETRY_AGAIN. Waits are random between nothing and a limit that doubles (full jitter),
// so that many messages do not come back together; Retry-After and a code's least wait go
// in front of that. Where nobody asked for the wait, it is cut to what is left of the
// useful time rather than given up.
enum retry_next retry_decide(int64_t *due_us, const struct retry_settings *set,
                             const struct retry_case *c, int64_t now_us);

// retry_tries_max is the class's, or the code's where that is less.
int64_t retry_tries_max(const struct retry_settings *set, const char *message_class,
                        const struct error_code *code);

#endif
