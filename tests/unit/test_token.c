#include "token.h"

#include "test.h"

#include <string.h>

// Written by a second hand: python3 -c with zlib.crc32 and base 62.
#define LIVE "smsq_live_0123456789Ab_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4DN4Wd"

static void a_token_of_another_hand_is_read(void **state)
{
    (void)state;
    struct token_name name;

    assert_true(token_parse(&name, LIVE, strlen(LIVE)));
    assert_int_equal(name.mode, ACCOUNT_LIVE);
    assert_string_equal(name.key_id, "0123456789Ab");
}

static void a_new_token_is_read_again_and_never_the_same(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_BYTES], other[TOKEN_TEXT_BYTES];
    struct token_name made, found;

    for (int mode = ACCOUNT_SIMULATE; mode <= ACCOUNT_LIVE; mode++) {
        token_make(text, &made, (enum account_mode)mode);
        assert_true(token_parse(&found, text, strlen(text)));
        assert_int_equal(found.mode, mode);
        assert_string_equal(found.key_id, made.key_id);
        token_make(other, &found, (enum account_mode)mode);
        assert_string_not_equal(text, other);
        assert_string_not_equal(made.key_id, found.key_id);
    }
    assert_int_equal(strlen("smsq_live__") + 12 + 43 + 6, strlen(LIVE));
}

// Every change of one character, and every shorter or longer text.
static void a_mistyped_token_is_refused(void **state)
{
    (void)state;
    struct token_name name;
    char text[sizeof(LIVE) + 1] = LIVE;
    size_t len = strlen(LIVE);

    for (size_t i = 0; i < len; i++) {
        for (const char *c = "0aZ_ -\x7f\xc3"; *c; c++) {
            if (*c == LIVE[i])
                continue;
            text[i] = *c;
            assert_false(token_parse(&name, text, len));
        }
        text[i] = LIVE[i];
        assert_false(token_parse(&name, text, i));
        if (i + 1 < len && LIVE[i] != LIVE[i + 1]) {  // two swapped
            text[i] = LIVE[i + 1];
            text[i + 1] = LIVE[i];
            assert_false(token_parse(&name, text, len));
            text[i] = LIVE[i];
            text[i + 1] = LIVE[i + 1];
        }
    }
    text[len] = '0';
    assert_false(token_parse(&name, text, len + 1));
    assert_true(token_parse(&name, text, len));
    assert_false(token_parse(&name, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_of_another_hand_is_read),
        cmocka_unit_test(a_new_token_is_read_again_and_never_the_same),
        cmocka_unit_test(a_mistyped_token_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
