// When a doubt ends and how, and which message of a list is ours.
#include "doubt_policy.h"

#include "provider_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S(seconds) ((int64_t)(seconds)*1000000)
#define SINCE      S(1000000)

static const struct doubt_settings policy = {
    .wait_us = { [DOUBT_OTP] = S(90),
                 [DOUBT_EMERGENCY] = S(30),
                 [DOUBT_TRANSACTIONAL] = S(1200),
                 [DOUBT_MARKETING] = S(1800) },
    .first_look_us = S(60),
    .list_interval_us = S(300),
    .list_lag_us = S(900),
    .empty_lists = 3,
    .resends = 9,
};

// now, last_empty, expires and at are seconds after the doubt began; 0 = none.
static const struct {
    enum doubt_class class;
    int now, looks, empty, last_empty, expires, resends;
    bool ambiguous, wants_resend;
    enum doubt_verdict verdict;
    int at;
} rows[] = {
    // Codes: one look at half of the time and one at its end, answered or not.
    { DOUBT_OTP, 0, 0, 0, 0, 600, 0, false, false, DOUBT_WAIT, 45 },
    { DOUBT_OTP, 45, 0, 0, 0, 600, 0, false, false, DOUBT_LOOK, 45 },
    { DOUBT_OTP, 46, 1, 0, 0, 600, 0, false, false, DOUBT_WAIT, 90 },
    { DOUBT_OTP, 91, 1, 1, 45, 600, 0, false, false, DOUBT_LOOK, 0 },
    { DOUBT_OTP, 92, 2, 2, 91, 600, 0, false, false, DOUBT_EXPIRED, 0 },
    { DOUBT_OTP, 92, 2, 0, 0, 600, 0, false, false, DOUBT_EXPIRED, 0 },
    { DOUBT_OTP, 600, 0, 0, 0, 600, 0, false, false, DOUBT_EXPIRED, 0 },
    { DOUBT_OTP, 300, 0, 0, 0, 600, 0, false, false, DOUBT_LOOK, 0 },
    // Emergencies: one look, answered or not, and 30 s.
    { DOUBT_EMERGENCY, 14, 0, 0, 0, 3600, 0, false, false, DOUBT_WAIT, 15 },
    { DOUBT_EMERGENCY, 16, 1, 0, 0, 3600, 0, false, false, DOUBT_WAIT, 30 },
    { DOUBT_EMERGENCY, 30, 0, 0, 0, 3600, 0, false, false, DOUBT_LOOK, 0 },
    { DOUBT_EMERGENCY, 30, 1, 0, 0, 3600, 0, false, false, DOUBT_RESEND, 0 },
    { DOUBT_EMERGENCY, 30, 1, 1, 20, 3600, 8, true, false, DOUBT_RESEND, 0 },
    { DOUBT_EMERGENCY, 30, 1, 1, 20, 3600, 9, false, false, DOUBT_UNKNOWN, 0 },
    { DOUBT_EMERGENCY, 30, 1, 1, 20, 34, 0, false, false, DOUBT_EXPIRED, 0 },
    // Transactional: 20 minutes, three lists, the last one later than lists lag.
    { DOUBT_TRANSACTIONAL, 61, 1, 1, 61, 86400, 0, false, false, DOUBT_WAIT, 360 },
    { DOUBT_TRANSACTIONAL, 961, 4, 4, 960, 86400, 0, false, false, DOUBT_WAIT, 1200 },
    { DOUBT_TRANSACTIONAL, 1201, 5, 5, 1200, 86400, 0, false, false, DOUBT_UNKNOWN, 0 },
    { DOUBT_TRANSACTIONAL, 1201, 5, 2, 1200, 86400, 0, false, false, DOUBT_WAIT, 1560 },
    { DOUBT_TRANSACTIONAL, 1501, 3, 3, 800, 86400, 0, false, false, DOUBT_LOOK, 1100 },
    { DOUBT_TRANSACTIONAL, 1201, 5, 5, 1200, 86400, 0, false, true, DOUBT_RESEND, 0 },
    { DOUBT_TRANSACTIONAL, 1201, 5, 5, 1200, 86400, 1, false, true, DOUBT_UNKNOWN, 0 },
    { DOUBT_TRANSACTIONAL, 1201, 5, 5, 1200, 86400, 0, true, true, DOUBT_UNKNOWN, 0 },
    { DOUBT_TRANSACTIONAL, 1201, 5, 5, 1200, 1203, 0, false, true, DOUBT_UNKNOWN, 0 },
    // After an outage of ours it is looked for before it is given up.
    { DOUBT_TRANSACTIONAL, 40000, 0, 0, 0, 86400, 0, false, false, DOUBT_LOOK, 900 },
    { DOUBT_MARKETING, 1201, 5, 5, 1200, 86400, 0, false, false, DOUBT_WAIT, 1560 },
    { DOUBT_MARKETING, 1801, 7, 7, 1800, 86400, 0, false, false, DOUBT_UNKNOWN, 0 },
};

static void each_class_ends_in_its_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct doubt_facts facts = {
            .class = rows[i].class,
            .is_ambiguous = rows[i].ambiguous,
            .wants_resend = rows[i].wants_resend,
            .resends = rows[i].resends,
            .since_us = SINCE,
            .expires_us = SINCE + S(rows[i].expires),
            .looks = rows[i].looks,
            .empty_lists = rows[i].empty,
            .last_empty_us = rows[i].last_empty ? SINCE + S(rows[i].last_empty) : 0,
            .now_us = SINCE + S(rows[i].now),
        };
        const char *why;
        int64_t at_us;
        enum doubt_verdict verdict = doubt_judge(&policy, &facts, &at_us, &why);
        int64_t wanted_us = rows[i].at ? SINCE + S(rows[i].at) : 0;
        if (verdict != rows[i].verdict || at_us != wanted_us)
            fail_msg("row %zu: %d at %lld", i, verdict, (long long)(at_us - SINCE));
        assert_true((verdict > DOUBT_LOOK) == (why != NULL));
    }
}

static void a_message_is_ours_by_all_that_is_known(void **state)
{
    const struct doubt_post post = { "+15005550006", false, "Hi", S(100), S(200) };
    struct provider_message m = { .from = "+15005550006",
                                  .is_outbound = true,
                                  .created_us = S(150),
                                  .body = (char *)(uintptr_t) "Hi" };

    (void)state;
    assert_true(doubt_matches(&post, &m));
    m.created_us = S(99);
    assert_false(doubt_matches(&post, &m));
    m.created_us = S(201);
    assert_false(doubt_matches(&post, &m));
    m.created_us = S(200);
    m.is_outbound = false;
    assert_false(doubt_matches(&post, &m));
    m.is_outbound = true;
    m.body = (char *)(uintptr_t) "Hi ";
    assert_false(doubt_matches(&post, &m));
    m.body = NULL;
    assert_false(doubt_matches(&post, &m));
    m.body = (char *)(uintptr_t) "Hi";
    m.from[1] = '2';
    assert_false(doubt_matches(&post, &m));

    // A service picks the sender later: then only the service tells.
    const struct doubt_post served = { "MG1", true, "Hi", S(100), S(200) };
    assert_false(doubt_matches(&served, &m));
    memcpy(m.service_sid, "MG1", 4);
    m.from[0] = '\0';
    assert_true(doubt_matches(&served, &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_ends_in_its_way),
        cmocka_unit_test(a_message_is_ours_by_all_that_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
