// RFC 3339 times: against the C library for every day of 1800 to 2599, and a table of
// edges.
#include "timestamp.h"

#include "buf.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1969-12-31T23:59:59.999999Z", -1 },
        { "2000-02-29T12:00:00Z", 951825600000000 },
        { "2026-11-21T10:00:00.000Z", 1795255200000000 },
        { "2026-11-21t10:00:00z", 1795255200000000 },
        { "2026-11-21T10:00:00.5Z", 1795255200500000 },
        { "2026-11-21T10:00:00.1234567890123456789Z", 1795255200123456 },
        { "2026-11-21T15:30:00+05:30", 1795255200000000 },
        { "2026-11-21T02:00:00-08:00", 1795255200000000 },
        { "2026-11-21T10:00:00-00:00", 1795255200000000 },
        { "2026-11-22T09:59:00+23:59", 1795255200000000 },
        { "1990-12-31T23:59:60Z", 662688000000000 },
        { "1990-12-31T15:59:60-08:00", 662688000000000 },
        { "0000-01-01T00:00:00Z", -62167219200000000 },
        { "9999-12-31T23:59:59.999999Z", 253402300799999999 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us = -7;
        if (!timestamp_parse(&us, cases[i].text, strlen(cases[i].text)) ||
            us != cases[i].us)
            fail_msg("%s: %lld", cases[i].text, (long long)us);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "2026-11-21",
        "2026-11-21T10:00:00",
        "2026-11-21 10:00:00Z",
        "2026-11-21T10:00Z",
        "2026-11-21T10:00:00.Z",
        "2026-11-21T10:00:00,5Z",
        "2026-11-21T10:00:00Zx",
        "2026-11-21T10:00:00+0530",
        "2026-11-21T10:00:00+05",
        "2026-11-21T10:00:00+24:00",
        "2026-11-21T10:00:00+05:60",
        "2026-11-21T24:00:00Z",
        "2026-11-21T10:60:00Z",
        "2026-11-21T10:00:61Z",
        "2026-11-21T10:00:60Z",
        "2026-13-21T10:00:00Z",
        "2026-00-21T10:00:00Z",
        "2026-11-00T10:00:00Z",
        "2026-11-31T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "+026-11-21T10:00:00Z",
        "20261121T100000Z",
        " 2026-11-21T10:00:00Z",
        "1795255200",
        "now",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us = -7;
        if (timestamp_parse(&us, cases[i], strlen(cases[i])))
            fail_msg("\"%s\" was accepted", cases[i]);
        assert_int_equal(us, -7);
    }
}

static void every_day_agrees_with_the_c_library(void **state)
{
    struct buf text = BUF_INIT(32);

    (void)state;
    for (int64_t day = -62091; day <= 230105; day++) {
        int64_t us = -7;
        time_t seconds = (time_t)(day * 86400);
        struct tm tm;
        char wanted[64];
        assert_non_null(gmtime_r(&seconds, &tm));
        (void)snprintf(wanted, sizeof(wanted), "%04d-%02d-%02dT00:00:00.000Z",
                       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
        if (!timestamp_parse(&us, wanted, strlen(wanted)) || us != day * 86400000000)
            fail_msg("%s: %lld", wanted, (long long)us);
        buf_clear(&text);
        buf_add_time(&text, us);
        assert_string_equal(buf_text(&text), wanted);
    }
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
