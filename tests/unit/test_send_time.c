// Until when, and from when on, a message can be wanted.
#include "send_time.h"

#include "send_request.h"
#include "test.h"

#define S_US INT64_C(1000000)
#define DAY  (86400 * S_US)
#define NOW  INT64_C(1795284000000000)

static const struct {
    int64_t send_at;
    const char *code;  // NULL = fine
} cases[] = {
    { NOW, NULL },
    { NOW + 1, NULL },
    { NOW + 35 * DAY, NULL },
    { NOW + 35 * DAY + 1, "too_far_ahead" },
    { INT64_C(253402300799000000), "too_far_ahead" },
    { NOW - 300 * S_US, NULL },
    { NOW - 300 * S_US - 1, "in_the_past" },
    { 1, "in_the_past" },
};

static void a_message_is_wanted_from_now_to_35_days_ahead(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct complaint c = { 0 };
        enum outcome rc = send_time_check(cases[i].send_at, NOW, &c);

        print_message("%lld\n", (long long)(cases[i].send_at - NOW));
        assert_int_equal(rc, cases[i].code ? OUTCOME_REJECT : OUTCOME_OK);
        if (!cases[i].code)
            continue;
        assert_string_equal(c.code, cases[i].code);
        assert_string_equal(c.field, "send_at");
        assert_int_equal(c.status, 422);
        assert_true(c.detail.text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_wanted_from_now_to_35_days_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
