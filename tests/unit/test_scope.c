// Names of what a token may be used for.
#include "scope.h"

#include "test.h"

#include <string.h>

static void names_and_scopes_belong_together(void **state)
{
    static const struct {
        const char *name;
        unsigned scope;
    } cases[] = {
        { "send_sms", SCOPE_SEND_SMS },
        { "view_sms_history", SCOPE_VIEW_SMS_HISTORY },
        { "view_dashboard", SCOPE_VIEW_DASHBOARD },
        { "admin", SCOPE_ADMIN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(scope_find(cases[i].name, strlen(cases[i].name)),
                         cases[i].scope);
        assert_string_equal(scope_name(cases[i].scope), cases[i].name);
        assert_int_equal(scope_find(cases[i].name, strlen(cases[i].name) - 1), 0);
    }
    assert_int_equal(scope_find("Admin", 5), 0);
    assert_int_equal(scope_find("", 0), 0);
    assert_string_equal(scope_name(SCOPE_ADMIN | SCOPE_VIEW_DASHBOARD), "view_dashboard");
    assert_string_equal(scope_name(0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_scopes_belong_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
