// Outcomes, allocation, hex, UTF-8, randomness.
#include "base.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

// RFC 3629, section 4, and the edges of each of its forms.
static void utf8_is_judged_as_rfc_3629_says(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        { "", true },
        { "plain", true },
        { "\x01", true },
        { "\x7f", true },
        { "\x80", false },  // lone continuation
        { "\xbf", false },
        { "\xc0\x80", false },  // overlong NUL
        { "\xc0\xaf", false },  // overlong slash
        { "\xc1\xbf", false },
        { "\xc2\x80", true },  // U+0080
        { "\xc2\x7f", false },
        { "\xc2\xc0", false },
        { "\xc2", false },          // cut
        { "\xdf\xbf", true },       // U+07FF
        { "\xe0\x80\x80", false },  // overlong
        { "\xe0\x9f\xbf", false },
        { "\xe0\xa0\x80", true },  // U+0800
        { "\xe0\xa0", false },
        { "\xe0\xa0\x7f", false },
        { "\xe0\xa0\xc0", false },
        { "\xed\x9f\xbf", true },   // U+D7FF
        { "\xed\xa0\x80", false },  // U+D800, a surrogate
        { "\xed\xaf\xbf\xed\xb0\x80", false },
        { "\xed\xbf\xbf", false },      // U+DFFF
        { "\xee\x80\x80", true },       // U+E000
        { "\xef\xbb\xbf", true },       // U+FEFF
        { "\xef\xbf\xbf", true },       // U+FFFF
        { "\xf0\x80\x80\x80", false },  // overlong
        { "\xf0\x8f\xbf\xbf", false },
        { "\xf0\x90\x80\x80", true },  // U+10000
        { "\xf0\x90\x80", false },
        { "\xf0\x90\x80\x7f", false },
        { "\xf3\xbf\xbf\xbf", true },
        { "\xf4\x8f\xbf\xbf", true },   // U+10FFFF
        { "\xf4\x90\x80\x80", false },  // beyond Unicode
        { "\xf5\x80\x80\x80", false },
        { "\xf8\x88\x80\x80\x80", false },
        { "\xfe", false },
        { "\xff", false },
        { "a\xc3\xa9z\xe2\x82\xac\xf0\x9f\x98\x80!", true },
        { "a\xc3\xa9z\xe2\x82", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (utf8_is_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
            fail_msg("case %zu should be %s", i, cases[i].valid ? "valid" : "invalid");
    assert_false(utf8_is_valid("a\0b", 3));
    assert_true(utf8_is_valid(NULL, 0));
}

// Encodes every number from 0 to 0x1fffff and expects the scalar values, no others.
static void every_code_point_is_judged(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x200000; c++) {
        char text[4];
        size_t len;
        if (c < 0x80) {
            text[0] = (char)c;
            len = 1;
        } else if (c < 0x800) {
            text[0] = (char)(0xc0 | c >> 6);
            len = 2;
        } else if (c < 0x10000) {
            text[0] = (char)(0xe0 | c >> 12);
            len = 3;
        } else {
            text[0] = (char)(0xf0 | c >> 18);
            len = 4;
        }
        for (size_t i = 1; i < len; i++)
            text[i] = (char)(0x80 | ((c >> (6 * (len - 1 - i))) & 0x3f));
        bool scalar = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        if (utf8_is_valid(text, len) != scalar)
            fail_msg("U+%04X", c);
    }
}

static void an_error_text_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        struct err err = { 0 };
        char long_text[2 * ERR_TEXT_BYTES] = "";
        size_t len = lead;
        memset(long_text, '-', lead);
        for (; len + 5 < sizeof(long_text); len += 4)
            memcpy(long_text + len, "\xf0\x9f\x98\x80", 4);
        assert_int_equal(err_set(&err, OUTCOME_RETRY, "%s", long_text), OUTCOME_RETRY);
        assert_in_range(strlen(err.text), ERR_TEXT_BYTES - 4, ERR_TEXT_BYTES - 1);
        assert_true(utf8_is_valid(err.text, strlen(err.text)));
    }
}

static void an_error_of_full_length_stays_whole(void **state)
{
    struct err err = { 0 };
    char text[ERR_TEXT_BYTES];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + sizeof(text) - 3, "\xc3\xa9", 3);
    (void)err_set(&err, OUTCOME_OK, "%s", text);
    assert_string_equal(err.text, text);
}

static void context_goes_in_front(void **state)
{
    struct err err = { 0 };
    char text[ERR_TEXT_BYTES];

    (void)state;
    assert_int_equal(err_set(NULL, OUTCOME_REJECT, "x"), OUTCOME_REJECT);
    err_context(NULL, "nobody");
    (void)err_set(&err, OUTCOME_FATAL, "line %d", 7);
    err_context(&err, "file");
    assert_string_equal(err.text, "file: line 7");
    (void)err_set(&err, OUTCOME_FATAL, "again %s", err.text);
    assert_string_equal(err.text, "again file: line 7");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)err_set(&err, OUTCOME_FATAL, "%s", text);
    err_context(&err, "file");
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    assert_memory_equal(err.text, "file: xxx", 9);
}

static void hex_goes_both_ways(void **state)
{
    static const struct {
        const char *hex;
        bool good;
    } cases[] = {
        { "00ff10Ab", true },  { "00ff10a", false },   { "00ff10abc", false },
        { "00ff10ag", false }, { "00ff10a ", false },  { "0x00ff10", false },
        { "", false },         { "00ff10ab0", false }, { "-0ff10ab", false },
    };
    const unsigned char wanted[] = { 0x00, 0xff, 0x10, 0xab };
    char text[9];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned char bytes[4] = { 9, 9, 9, 9 };
        assert_int_equal(hex_decode(bytes, 4, cases[i].hex, strlen(cases[i].hex)),
                         cases[i].good);
        if (cases[i].good)
            assert_memory_equal(bytes, wanted, 4);
        else
            assert_int_equal(bytes[0], 9);
    }
    hex_encode(text, wanted, 4);
    assert_string_equal(text, "00ff10ab");
    hex_encode(text, wanted, 0);
    assert_string_equal(text, "");
}

static void random_numbers_stay_below_and_reach_everything(void **state)
{
    int seen[7] = { 0 };
    unsigned char a[32] = { 0 }, b[32] = { 0 };

    (void)state;
    for (int i = 0; i < 7000; i++) {
        uint64_t n = random_below(7);
        assert_true(n < 7);
        seen[n]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 700, 1300);  // 1000 expected; 10 sigma is 293
    assert_int_equal(random_below(1), 0);
    for (int i = 0; i < 100; i++)
        assert_true(random_below(UINT64_MAX / 2 + 2) <= UINT64_MAX / 2 + 1);
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static void memory_comes_zeroed_and_never_null(void **state)
{
    (void)state;
    unsigned char *zeroed = xcalloc(3, 5);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(zeroed[i], 0);
    free(zeroed);
    void *empty = xcalloc(0, 0);
    assert_non_null(empty);
    empty = xrealloc(empty, 0);
    assert_non_null(empty);
    free(empty);
    char *copy = xmemdup0("a\0b", 3);
    assert_memory_equal(copy, "a\0b\0", 4);
    free(copy);
    copy = xmemdup0(NULL, 0);
    assert_string_equal(copy, "");
    free(copy);
    copy = xstrdup("text");
    assert_string_equal(copy, "text");
    free(copy);
}

static void clocks_are_in_microseconds(void **state)
{
    const struct timespec pause = { 0, 20000000 };
    int64_t wall = clock_wall_us(), boot = clock_boot_us();

    (void)state;
    assert_in_range(wall / 1000000 - time(NULL) + 1, 0, 1);
    assert_int_equal(nanosleep(&pause, NULL), 0);
    assert_true(clock_boot_us() - boot >= 20000);
    assert_true(clock_boot_us() - boot < 20000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_judged_as_rfc_3629_says),
        cmocka_unit_test(every_code_point_is_judged),
        cmocka_unit_test(an_error_text_is_cut_between_characters),
        cmocka_unit_test(an_error_of_full_length_stays_whole),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(random_numbers_stay_below_and_reach_everything),
        cmocka_unit_test(memory_comes_zeroed_and_never_null),
        cmocka_unit_test(clocks_are_in_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
