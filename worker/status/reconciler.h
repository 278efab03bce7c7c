// reconciler.h: what the status consumer does besides callbacks: it asks Twilio about
// messages in doubt, and about statuses and prices that never came.
#ifndef RECONCILER_H
#define RECONCILER_H

#include "account.h"
#include "base.h"
#include "db.h"
#include "doubt_policy.h"
#include "settings.h"
#include "sweeps.h"

struct retry_settings;
struct keys;
struct readiness;
struct reconciler;
struct service;

struct reconcile_settings {
    int64_t interval_us;       // reconcile.interval
    int64_t calls_per_second;  // reconcile.calls_per_second
    int64_t in_flight;         // reconcile.in_flight
    struct doubt_settings doubts;
    struct sweep_settings sweeps;
};

#define RECONCILE_US(name, base, field, value, low, text)                                \
    {                                                                                    \
        "reconcile." name, SETTING_US | SETTING_LIVE,                                    \
            (base) + offsetof(struct reconcile_settings, field), value, low,             \
            INT64_C(2592000000000), NULL, text                                           \
    }

#define RECONCILE_AGE(name, base, field, value, text)                                    \
    {                                                                                    \
        "reconcile." name, SETTING_US,                                                   \
            (base) + offsetof(struct reconcile_settings, field), value, 10000,           \
            INT64_C(2592000000000), NULL, text                                           \
    }

#define RECONCILE_TEXT(name, base, field, value, text)                                   \
    {                                                                                    \
        "reconcile." name, SETTING_TEXT,                                                 \
            (base) + offsetof(struct reconcile_settings, field), value, 2, 100, NULL,    \
            text                                                                         \
    }

#define RECONCILE_COUNT(name, base, field, value, low, high, live, text)                 \
    {                                                                                    \
        "reconcile." name, SETTING_COUNT | (live),                                       \
            (base) + offsetof(struct reconcile_settings, field), value, low, high, NULL, \
            text                                                                         \
    }

#define RECONCILE_SETTINGS(base)                                                         \
    RECONCILE_US("interval", base, interval_us, "1s", 10000,                             \
                 "how often messages in doubt are judged"),                              \
        RECONCILE_COUNT("calls_per_second", base, calls_per_second, "10", 1, 1000,       \
                        SETTING_LIVE, "how often Twilio may be asked about messages"),   \
        RECONCILE_COUNT("in_flight", base, in_flight, "4", 1, 100, 0,                    \
                        "questions to Twilio at a time, to each account"),               \
        RECONCILE_US("otp_doubt", base, doubts.wait_us[DOUBT_OTP], "90s", 100000,        \
                     "a code in doubt ends as expired no sooner than that"),             \
        RECONCILE_US("emergency_doubt", base, doubts.wait_us[DOUBT_EMERGENCY], "30s",    \
                     100000, "an emergency in doubt for so long is sent again"),         \
        RECONCILE_US("transactional_doubt", base, doubts.wait_us[DOUBT_TRANSACTIONAL],   \
                     "20m", 100000,                                                      \
                     "a transactional message in doubt ends no sooner than that"),       \
        RECONCILE_US("marketing_doubt", base, doubts.wait_us[DOUBT_MARKETING], "30m",    \
                     100000, "a marketing message in doubt ends no sooner than that"),   \
        RECONCILE_US("first_look", base, doubts.first_look_us, "1m", 10000,              \
                     "when Twilio's list is asked for first; at half of the class's "    \
                     "time if that is sooner"),                                          \
        RECONCILE_US("list_interval", base, doubts.list_interval_us, "5m", 10000,        \
                     "from one list to the next about one message"),                     \
        RECONCILE_US("list_lag", base, doubts.list_lag_us, "15m", 0,                     \
                     "how late Twilio's list may show a message: only later lists "      \
                     "prove that it is not there"),                                      \
        RECONCILE_US("clock_margin", base, doubts.margin_us, "5s", 0,                    \
                     "how far Twilio's clock may be from ours"),                         \
        RECONCILE_COUNT("empty_lists", base, doubts.empty_lists, "3", 1, 100,            \
                        SETTING_LIVE, "so many lists without it before it is given up"), \
        RECONCILE_COUNT("resends", base, doubts.resends, "9", 0, 100, SETTING_LIVE,      \
                        "how often an emergency is sent again at most"),                 \
        RECONCILE_US("sweep_interval", base, sweeps.rest_us, "10s", 10000,               \
                     "how often sweeps for statuses and prices look for more"),          \
        RECONCILE_TEXT("status_ages", base, sweeps.status_ages, "5m,1h,6h,24h",          \
                       "ages at which a message without a final status is asked about"), \
        RECONCILE_TEXT("price_ages", base, sweeps.price_ages, "1m,10m,1h,24h,48h",       \
                       "ages at which a message without a price is asked about"),        \
        RECONCILE_AGE("time_out", base, sweeps.time_out_us, "72h",                       \
                      "a message without a final status at this age has timed out"),     \
        RECONCILE_AGE("otp_time_out", base, sweeps.otp_time_out_us, "15m",               \
                      "the same for codes")

// reconcile_settings_part checks the ages.
extern const struct settings_part reconcile_settings_part;

struct reconciler_parts {
    const struct reconcile_settings *set;  // kept: most of it is read at each use
    const struct retry_settings *retry;    // likewise
    int64_t lease_us;                      // of each of its leases
    const struct accounts *accounts;
    const struct db_settings *db;
    const struct keys *keys;
    struct service *service;
};

//   OUTCOME_REJECT, OUTCOME_FATAL  as db_open and http_client_open.
MUST_CHECK enum outcome reconciler_open(struct reconciler **out,
                                        const struct reconciler_parts *parts,
                                        struct err *err);
void reconciler_close(struct reconciler *r);

// reconciler_stop begins nothing new; reconciler_is_drained tells when all is written.
void reconciler_stop(struct reconciler *r);
bool reconciler_is_drained(const struct reconciler *r);

void reconciler_say_ready(const struct reconciler *r, struct readiness *parts);

#endif
