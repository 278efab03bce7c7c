// What is an identity of Twilio's, and of which kind.
#include "sid.h"

#include "test.h"

#define HEX "0123456789abcdefABCDEF0123456789"

static void a_sid_is_its_kind_and_32_hex_digits(void **state)
{
    static const struct {
        const char *text, *kind;
        bool is;
    } cases[] = {
        { "AC" HEX, "AC", true },   { "SK" HEX, "AC", false },
        { "ac" HEX, "AC", false },  { "AC" HEX "0", "AC", false },
        { "AC", "AC", false },      { "A", "AC", false },
        { "", "AC", false },        { "ACg123456789abcdef0123456789abcdef", "AC", false },
        { " AC" HEX, "AC", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].text);
        assert_int_equal(sid_is(cases[i].text, cases[i].kind), cases[i].is);
    }
}

static void a_message_has_one_of_two_kinds(void **state)
{
    (void)state;
    assert_true(sid_is_message("SM" HEX));
    assert_true(sid_is_message("MM" HEX));
    assert_false(sid_is_message("MG" HEX));
    assert_false(sid_is_message("SM"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sid_is_its_kind_and_32_hex_digits),
        cmocka_unit_test(a_message_has_one_of_two_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
