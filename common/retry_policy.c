#include "retry_policy.h"

#include "error_codes.h"

#include <string.h>

enum {
    PAUSE_FIRST_US = 500000,
    PAUSE_MAX_US = 300000000,
    COMPLAINT_US = 60000000,
    RETRY_AFTER_MAX_US = 1000000000,  // the longest that Twilio can make us wait
    USEFUL_MIN_US = 6000000,          // under 5 s of useful time nothing is claimed
    CUT_MIN_US = 1000000,             // a shorter rest is not worth a turn
};

static int64_t doubled(int64_t first_us, int32_t times, int64_t max_us)
{
    int64_t limit = first_us;

    for (int32_t i = 0; i < times && limit < max_us; i++)
        limit *= 2;
    return limit < max_us ? limit : max_us;
}

static int64_t jitter(int64_t limit_us)
{
    return (int64_t)random_below((uint64_t)limit_us);
}

static int64_t pause_us(const struct retry_case *c)
{
    if (c->retry_after_us >= RETRY_AFTER_MAX_US)
        return RETRY_AFTER_MAX_US;
    if (c->retry_after_us >= 0)
        return c->retry_after_us + jitter(PAUSE_FIRST_US);
    return jitter(doubled(PAUSE_FIRST_US, c->turn - 1, PAUSE_MAX_US));
}

// A code with a wait of its own doubles that one.
static int64_t failure_us(const struct retry_settings *set, const struct retry_case *c,
                          int32_t times)
{
    int64_t least_s = c->code ? c->code->least_wait_s : 0;
    int64_t max_s = set->delay_max_s > least_s ? set->delay_max_s : least_s;
    int64_t first_s = least_s ? least_s : set->delay_s;

    return least_s * 1000000 + jitter(doubled(first_s * 1000000, times, max_s * 1000000));
}

static int64_t wait_us(const struct retry_settings *set, const struct retry_case *c)
{
    switch (c->reason) {
    case RETRY_COMPLAINT:
        return c->retry_after_us >= 0 ? pause_us(c)
                                      : COMPLAINT_US + jitter(COMPLAINT_US / 10);
    case RETRY_FAILURE:
        return failure_us(set, c, c->tries);
    default:
        if (c->code && c->code->least_wait_s && c->retry_after_us < 0)
            return failure_us(set, c, c->turn - 1);
        return pause_us(c);
    }
}

static bool is_told(const struct retry_case *c)
{
    if (c->reason == RETRY_COMPLAINT)
        return false;
    if (c->reason == RETRY_PAUSE && c->retry_after_us >= 0)
        return true;
    return c->code && c->code->least_wait_s;
}

int64_t retry_tries_max(const struct retry_settings *set, const char *message_class,
                        const struct error_code *code)
{
    static const char *const classes[RETRY_CLASS_COUNT] = { "otp", "emergency",
                                                            "transactional",
                                                            "marketing" };
    int64_t max = set->tries[2];  // a class of its own has the default's

    for (size_t i = 0; i < RETRY_CLASS_COUNT; i++)
        if (strcmp(message_class, classes[i]) == 0)
            max = set->tries[i];
    return code && code->tries_max && code->tries_max < max ? code->tries_max : max;
}

enum retry_next retry_decide(int64_t *due_us, const struct retry_settings *set,
                             const struct retry_case *c, int64_t now_us)
{
    int64_t last_us = c->expires_at_us - USEFUL_MIN_US;

    if (c->reason == RETRY_FAILURE &&
        c->tries + 1 >= retry_tries_max(set, c->message_class, c->code))
        return RETRY_TRIES_USED_UP;
    *due_us = now_us + wait_us(set, c);
    if (*due_us <= last_us)
        return RETRY_AGAIN;
    if (is_told(c) || last_us - now_us < CUT_MIN_US)
        return RETRY_TOO_LATE;
    *due_us = last_us;
    return RETRY_AGAIN;
}
