// The dates of filters and of SendAt, in every form that a library sends.
#include "sim_dates.h"
#include "test.h"

#include <string.h>

static const struct {
    const char *text;
    bool is_good, is_day;
    int64_t utc_s;
} cases[] = {
    { "2026-11-20", true, true, 1795132800 },
    { "2026-11-20T06:56:24Z", true, false, 1795157784 },
    { "2026-11-20T06:56:24", true, false, 1795157784 },
    { "2026-11-20T08:56:24+02:00", true, false, 1795157784 },
    { "2026-11-20 06:56:24.123", true, false, 1795157784 },
    { "Fri, 20 Nov 2026 06:56:24 +0000", true, false, 1795157784 },
    { "20 Nov 2026 06:56:24 GMT", true, false, 1795157784 },
    { "", false, false, 0 },
    { "soon", false, false, 0 },
    { "2026-13-20", false, false, 0 },
    { "2026-02-30", false, false, 0 },
    { ">=2019-08-08", false, false, 0 },
    { "2026-11-20T06:56", false, false, 0 },
    { "2026-11-20T06:56:24Zx", false, false, 0 },
    { "Fri, 20 Nov 2026 06:56:24 +9999", false, false, 0 },
    { "2026-11-20T06:56:24.000000000000000000000000000000000000000000000000000000Z",
      false, false, 0 },
};

static void reads_what_libraries_send(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t utc_us = 0;
        bool is_day = false;

        print_message("%s\n", cases[i].text);
        assert_int_equal(sim_dates_parse(&utc_us, &is_day, cases[i].text,
                                         strlen(cases[i].text)),
                         cases[i].is_good);
        if (!cases[i].is_good)
            continue;
        assert_int_equal(is_day, cases[i].is_day);
        assert_int_equal(utc_us / 1000000, cases[i].utc_s);
    }
}

static void writes_days(void **state)
{
    char day[SIM_DATES_DAY_BYTES];

    (void)state;
    sim_dates_day(day, 1795157784);
    assert_string_equal(day, "2026-11-20");
    sim_dates_day(day, 0);
    assert_string_equal(day, "1970-01-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_libraries_send),
        cmocka_unit_test(writes_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
