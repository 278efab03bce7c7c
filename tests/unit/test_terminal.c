// What smsq prints for people: nothing in data can command a terminal.
#include "terminal.h"

#include "buf.h"
#include "test.h"

#include <string.h>

static const struct {
    const char *what, *text, *shown;
} texts[] = {
    { "plain", "Hello, 17 %", "Hello, 17 %" },
    { "letters of all kinds", "Grüezi 你好 🙂", "Grüezi 你好 🙂" },
    { "an escape sequence", "a\033[2Jb", "a\\u001b[2Jb" },
    { "lines", "a\nb\tc\r", "a\\nb\\tc\\u000d" },
    { "delete", "\x7f", "\\u007f" },
    { "a control of the second kind",
      "\xc2\x9b"
      "31m",
      "\\u009b31m" },
    { "text that turns around",
      "a\xe2\x80\xae"
      "b\xe2\x81\xa9",
      "a\\u202eb\\u2069" },
    { "what cannot be seen",
      "a\xe2\x80\x8b\xef\xbb\xbf"
      "b",
      "a\\u200b\\ufeffb" },
    { "a tag", "\xf3\xa0\x81\x81", "\\ue0041" },
    { "no UTF-8", "a\xff\xc3(", "a\\xff\\xc3(" },
    { "cut UTF-8", "\xe2\x82", "\\xe2\\x82" },
    { "overlong", "\xc0\x80", "\\xc0\\x80" },
};

static void what_could_command_a_terminal_is_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct buf out = BUF_INIT(256);

        print_message("%s\n", texts[i].what);
        terminal_add(&out, texts[i].text, strlen(texts[i].text));
        assert_string_equal(buf_text(&out), texts[i].shown);
        buf_free(&out);
    }
}

static void a_nul_is_escaped(void **state)
{
    struct buf out = BUF_INIT(64);

    (void)state;
    terminal_add(&out, "a\0b", 3);
    assert_string_equal(buf_text(&out), "a\\u0000b");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_command_a_terminal_is_escaped),
        cmocka_unit_test(a_nul_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
