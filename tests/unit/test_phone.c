#include "phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum outcome parse(struct phone *out, const char *text, const char *region,
                          struct err *err)
{
    return phone_parse(out, text, strlen(text), region, err);
}

struct row {
    const char *text, *region, *e164, *country;
    int calling_code;
    bool valid;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        // The second time, a number in E.164 comes out of the cache.
        for (int pass = 0; pass < 2; pass++) {
            struct phone p;

            print_message("%s in %s\n", rows[i].text, rows[i].region);
            assert_int_equal(parse(&p, rows[i].text, rows[i].region, NULL), OUTCOME_OK);
            assert_string_equal(p.e164, rows[i].e164);
            assert_string_equal(p.country, rows[i].country);
            assert_int_equal(p.calling_code, rows[i].calling_code);
            assert_int_equal(p.valid, rows[i].valid);
            assert_true(phone_is_e164(p.e164));
        }
    }
}

static const struct row written[] = {
    { "1234567890", "US", "+11234567890", "US", 1, false },
    { "(123) 456-7890", "US", "+11234567890", "US", 1, false },
    { "123-456-7890", "US", "+11234567890", "US", 1, false },
    { "2125552368", "US", "+12125552368", "US", 1, true },
    { "1 (212) 555-2368", "US", "+12125552368", "US", 1, true },
    { "1-800-FLOWERS", "US", "+18003569377", "US", 1, true },
    { "9876543210", "IN", "+919876543210", "IN", 91, true },
    { "09876543210", "IN", "+919876543210", "IN", 91, true },
    { "044 668 18 00", "CH", "+41446681800", "CH", 41, true },
    { "011 44 20 7946 0000", "US", "+442079460000", "GB", 44, true },
    { "tel:+1-212-555-2368", "CH", "+12125552368", "US", 1, true },
    { " +41 79 123 45 67 ", "US", "+41791234567", "CH", 41, true },
    { "+44 (0)20 7946 0000", "US", "+442079460000", "GB", 44, true },
    { "+4402079460000", "US", "+442079460000", "GB", 44, true },
};

static void reads_numbers_as_people_write_them(void **state)
{
    (void)state;
    check_rows(written, COUNT_OF(written));
}

static const struct row countries[] = {
    { "+12125552368", "US", "+12125552368", "US", 1, true },
    { "+16045552368", "US", "+16045552368", "CA", 1, true },
    { "+12423456789", "US", "+12423456789", "BS", 1, true },
    { "+447911123456", "US", "+447911123456", "GG", 44, true },
    { "+77012345678", "US", "+77012345678", "KZ", 7, true },
    { "+390236618300", "US", "+390236618300", "IT", 39, true },
    { "+448001111", "US", "+448001111", "GB", 44, true },
    { "+80012345678", "US", "+80012345678", "", 800, true },    // belongs to no country
    { "+870773111632", "US", "+870773111632", "", 870, true },  // satellite
};

static void tells_the_country_of_a_valid_number(void **state)
{
    (void)state;
    check_rows(countries, COUNT_OF(countries));
}

static const struct row possible[] = {
    { "+11234567890", "US", "+11234567890", "US", 1, false },
    { "+15551234567", "US", "+15551234567", "US", 1, false },
    { "+15551234567", "CH", "+15551234567", "US", 1, false },
    { "+448002222", "US", "+448002222", "GB", 44, false },
    { "+12421111111", "US", "+12421111111", "US", 1, false },  // 242 is of the Bahamas
    { "+88213123456", "US", "+88213123456", "", 882, false },
};

static void accepts_what_is_possible_and_not_valid_as_the_main_country(void **state)
{
    (void)state;
    check_rows(possible, COUNT_OF(possible));
}

static const struct row foreign_digits[] = {
    { "\xef\xbc\x8b\xef\xbc\x91\xef\xbc\x92\xef\xbc\x91\xef\xbc\x92 555 2368", "US",
      "+12125552368", "US", 1, true },  // full-width +1212
    { "+\xd9\xa4\xd9\xa1 79 123 45 67", "US", "+41791234567", "CH", 41, true },  // Arabic
};

static void digits_of_other_scripts_become_ascii(void **state)
{
    (void)state;
    check_rows(foreign_digits, COUNT_OF(foreign_digits));
}

static const struct {
    const char *text, *region, *complaint;
} refused[] = {
    { "", "US", "not a number" },
    { "+", "US", "not a number" },
    { "+1", "US", "not a number" },
    { "hello", "US", "not a number" },
    { "12", "US", "too short" },
    { "+1212", "US", "too short" },
    { "+29045", "US", "too short" },
    { "011 44", "US", "too short after the international prefix" },
    { "555-2368", "US", "without its area code" },
    { "+1212555236812", "US", "too long" },
    { "+12125552368123456789", "US", "too long" },
    { "+8100777777777777777", "US", "too long" },  // in Japan, 17 digits; E.164 has 15
    { "+999123456789", "US", "invalid country code" },
    { "+0123456789", "US", "invalid country code" },
    { "2125552368", "XX", "invalid country code" },
    { "2125552368", "us", "invalid country code" },
    { "2125552368", "", "invalid country code" },
    { "212 555 2368 ext. 5", "US", "a number with an extension" },
    { "+12125552368x12", "US", "a number with an extension" },
    { "+4471234\xff", "US", "not a number: NUL, or bytes that are no UTF-8" },
};

static void refuses_impossible_numbers_and_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct err err = { 0 };
        struct phone p = { .calling_code = 7 };

        print_message("%s in %s\n", refused[i].text, refused[i].region);
        assert_int_equal(parse(&p, refused[i].text, refused[i].region, &err),
                         OUTCOME_REJECT);
        assert_string_equal(err.text, refused[i].complaint);
        assert_int_equal(p.calling_code, 7);  // written on success only
    }
}

static void a_number_with_a_country_code_needs_no_region(void **state)
{
    struct phone p;

    (void)state;
    assert_int_equal(parse(&p, "+41 79 123 45 67", "", NULL), OUTCOME_OK);
    assert_string_equal(p.country, "CH");
}

static void text_above_64_bytes_is_refused_unread(void **state)
{
    char text[65];
    struct err err = { 0 };
    struct phone p;

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "+12125552368", strlen("+12125552368"));
    assert_int_equal(phone_parse(&p, text, 64, "US", &err), OUTCOME_OK);
    assert_int_equal(phone_parse(&p, text, 65, "US", &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "longer than 64 bytes");
}

static void a_nul_in_the_text_is_refused(void **state)
{
    static const char text[] = "+12125552368\0"
                               "1";
    struct err err = { 0 };
    struct phone p;

    (void)state;
    assert_int_equal(phone_parse(&p, text, sizeof(text) - 1, "US", &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "not a number: NUL, or bytes that are no UTF-8");
}

// Numbers of two kinds, so many that some share a slot of the cache.
static void many_numbers_in_turn_do_not_mix_up(void **state)
{
    (void)state;
    for (int i = 0; i < 4000; i++) {
        char swiss[] = "+4179xxxx567", fictive[] = "+1555xxxx567";
        struct phone p;

        for (int at = 8, rest = i % 2000; at > 4; at--, rest /= 10)
            swiss[at] = fictive[at] = (char)('0' + rest % 10);
        assert_int_equal(parse(&p, swiss, "US", NULL), OUTCOME_OK);
        assert_string_equal(p.e164, swiss);
        assert_string_equal(p.country, "CH");
        assert_int_equal(p.calling_code, 41);
        assert_true(p.valid);
        assert_int_equal(parse(&p, fictive, "US", NULL), OUTCOME_OK);
        assert_string_equal(p.e164, fictive);
        assert_string_equal(p.country, "US");
        assert_int_equal(p.calling_code, 1);
        assert_false(p.valid);
    }
}

static const struct row neighbours[] = {
    { "+576010555099", "US", "+576010555099", "CO", 57, true },
    { "+576010555199", "US", "+576010555199", "CO", 57, false },
    { "+37281000012", "US", "+37281000012", "EE", 372, true },
    { "+37281000112", "US", "+37281000112", "EE", 372, false },
    { "+448001111", "US", "+448001111", "GB", 44, true },
    { "+448001112", "US", "+448001112", "GB", 44, false },
};

static void neighbours_keep_their_own_verdicts(void **state)
{
    (void)state;
    check_rows(neighbours, COUNT_OF(neighbours));
}

// The blank makes the library read what the cache answers otherwise.
static void check_against_library(const char *digits)
{
    char e164[20], loose[20];
    struct phone cached, fresh;
    struct err err = { 0 };

    snprintf(e164, sizeof(e164), "+%s", digits);
    snprintf(loose, sizeof(loose), "+%s ", digits);
    enum outcome rc = parse(&cached, e164, "US", NULL);
    assert_int_equal(rc, parse(&fresh, loose, "US", &err));
    if (rc)
        return;
    assert_string_equal(cached.e164, fresh.e164);
    assert_string_equal(cached.country, fresh.country);
    assert_int_equal(cached.calling_code, fresh.calling_code);
    assert_int_equal(cached.valid, fresh.valid);
}

// Fails when newer metadata divide numbers finer than the cache assumes.
static void the_cache_says_what_the_library_says(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (int code = 1; code < 1000; code++) {
        for (int len = 11; len <= 13; len++) {
            char digits[20];
            int at = snprintf(digits, sizeof(digits), "%d", code);

            for (; at < len; at++)
                digits[at] =
                    (char)('0' + (random = random * 1103515245 + 12345) / 65536 % 10);
            digits[at] = '\0';
            for (int i = 0; i < 3; i++) {
                digits[len - 3] = (char)('0' + 4 * i);
                check_against_library(digits);
            }
        }
    }
}

static void e164_is_a_plus_and_7_to_15_digits(void **state)
{
    static const struct {
        const char *text;
        bool is_e164;
    } rows[] = {
        { "+1234567", true },   { "+123456789012345", true },
        { "+123456", false },   { "+1234567890123456", false },
        { "+0234567", false },  { "1234567", false },
        { "+12345 67", false }, { "+1234567 ", false },
        { "+1234567x", false }, { "++1234567", false },
        { "+", false },         { "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        print_message("\"%s\"\n", rows[i].text);
        assert_int_equal(phone_is_e164(rows[i].text), rows[i].is_e164);
    }
}

static void a_region_is_two_capital_letters_of_a_country(void **state)
{
    static const struct {
        const char *region;
        bool is_known;
    } rows[] = {
        { "US", true },  { "CH", true },   { "IN", true },     { "us", false },
        { "XX", false }, { "ZZ", false },  { "001", false },   { "U", false },
        { "", false },   { "USA", false }, { "C\xff", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        print_message("\"%s\"\n", rows[i].region);
        assert_int_equal(phone_region_is_known(rows[i].region), rows[i].is_known);
    }
}

static void a_hint_shows_the_country_and_three_digits(void **state)
{
    static const struct {
        const char *country, *e164, *hint;
    } rows[] = {
        { "CH", "+41791234567", "CH\u2026567" },
        { "", "+870773111632", "\u2026632" },
        { "US", "12", "US\u202612" },
        { "", "", "\u2026" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char hint[PHONE_HINT_BYTES];

        phone_hint(hint, rows[i].country, rows[i].e164);
        assert_string_equal(hint, rows[i].hint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers_as_people_write_them),
        cmocka_unit_test(tells_the_country_of_a_valid_number),
        cmocka_unit_test(accepts_what_is_possible_and_not_valid_as_the_main_country),
        cmocka_unit_test(digits_of_other_scripts_become_ascii),
        cmocka_unit_test(refuses_impossible_numbers_and_says_why),
        cmocka_unit_test(a_number_with_a_country_code_needs_no_region),
        cmocka_unit_test(text_above_64_bytes_is_refused_unread),
        cmocka_unit_test(a_nul_in_the_text_is_refused),
        cmocka_unit_test(many_numbers_in_turn_do_not_mix_up),
        cmocka_unit_test(neighbours_keep_their_own_verdicts),
        cmocka_unit_test(the_cache_says_what_the_library_says),
        cmocka_unit_test(e164_is_a_plus_and_7_to_15_digits),
        cmocka_unit_test(a_region_is_two_capital_letters_of_a_country),
        cmocka_unit_test(a_hint_shows_the_country_and_three_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
