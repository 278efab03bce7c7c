#include "form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAIRS_MAX = 2 };

struct text {
    const char *bytes;
    size_t len;
};

#define TEXT(literal)                                                                    \
    {                                                                                    \
        literal, sizeof(literal) - 1                                                     \
    }
#define PAIR(name, value)                                                                \
    {                                                                                    \
        TEXT(name), TEXT(value)                                                          \
    }

static const struct {
    const char *what;
    struct text form;
    size_t count;
    struct {
        struct text name, value;
    } pairs[PAIRS_MAX];
} decoded[] = {
    { "nothing", TEXT(""), 0, { PAIR("", "") } },
    { "one pair", TEXT("To=1"), 1, { PAIR("To", "1") } },
    { "two pairs", TEXT("To=1&From=2"), 2, { PAIR("To", "1"), PAIR("From", "2") } },
    { "a repeated name", TEXT("a=2&a=1"), 2, { PAIR("a", "2"), PAIR("a", "1") } },
    { "a name without '='", TEXT("a"), 1, { PAIR("a", "") } },
    { "an empty value", TEXT("a="), 1, { PAIR("a", "") } },
    { "an empty name", TEXT("=b"), 1, { PAIR("", "b") } },
    { "only '='", TEXT("="), 1, { PAIR("", "") } },
    { "the first '=' divides", TEXT("a=b=c"), 1, { PAIR("a", "b=c") } },
    { "empty sequences vanish",
      TEXT("&&a=1&&&b=2&"),
      2,
      { PAIR("a", "1"), PAIR("b", "2") } },
    { "plus is a blank", TEXT("a+b=+c+"), 1, { PAIR("a b", " c ") } },
    { "an escaped plus stays", TEXT("a=%2B41"), 1, { PAIR("a", "+41") } },
    { "escapes in either case", TEXT("a=%c3%A9"), 1, { PAIR("a", "\xc3\xa9") } },
    { "escaped separators do not divide", TEXT("a%3Db=%26c"), 1, { PAIR("a=b", "&c") } },
    { "escapes are decoded once", TEXT("a=%2541"), 1, { PAIR("a", "%41") } },
    { "an escaped NUL is a byte", TEXT("a=x%00y"), 1, { PAIR("a", "x\0y") } },
    { "a plain NUL is a byte", TEXT("a=x\0y"), 1, { PAIR("a", "x\0y") } },
    { "bytes that are no UTF-8", TEXT("a=%ff\xfe"), 1, { PAIR("a", "\xff\xfe") } },
    { "an escape without hex stays", TEXT("a=%zz%4g"), 1, { PAIR("a", "%zz%4g") } },
    { "a cut escape stays", TEXT("a=%4"), 1, { PAIR("a", "%4") } },
    { "a lone percent sign stays", TEXT("a=50%"), 1, { PAIR("a", "50%") } },
    { "an escape ends at '&'", TEXT("a=%4&1=b"), 2, { PAIR("a", "%4"), PAIR("1", "b") } },
    { "an escape ends at '='", TEXT("a%4=1"), 1, { PAIR("a%4", "1") } },
    { "percent before an escape", TEXT("a=%%41"), 1, { PAIR("a", "%A") } },
    { "white space is not trimmed", TEXT(" a = b\r\n"), 1, { PAIR(" a ", " b\r\n") } },
};

static void assert_bytes(const char *bytes, size_t len, struct text wanted)
{
    assert_int_equal(len, wanted.len);
    assert_memory_equal(bytes, wanted.bytes, len);
}

static void decodes_pairs_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(decoded); i++) {
        struct form f;

        print_message("%s\n", decoded[i].what);
        assert_int_equal(form_parse(&f, decoded[i].form.bytes, decoded[i].form.len, NULL),
                         OUTCOME_OK);
        assert_int_equal(f.count, decoded[i].count);
        for (size_t k = 0; k < f.count; k++) {
            const struct form_pair *pair = &f.pairs[k];
            assert_bytes(pair->name, pair->name_len, decoded[i].pairs[k].name);
            assert_bytes(pair->value, pair->value_len, decoded[i].pairs[k].value);
        }
        form_free(&f);
    }
}

static void accepts_no_text_at_all(void **state)
{
    struct form f;

    (void)state;
    assert_int_equal(form_parse(&f, NULL, 0, NULL), OUTCOME_OK);
    assert_int_equal(f.count, 0);
    assert_null(form_find(&f, "a"));
    form_free(&f);
    form_free(&f);  // the first left an empty form behind
}

static void keeps_its_own_copy_of_the_text(void **state)
{
    char text[] = "a=1";
    struct form f;

    (void)state;
    assert_int_equal(form_parse(&f, text, strlen(text), NULL), OUTCOME_OK);
    memset(text, 'x', sizeof(text));
    assert_memory_equal(f.pairs[0].value, "1", 1);
    form_free(&f);
}

static void finds_the_first_pair_of_a_name(void **state)
{
    static const char text[] = "ab=0&a=1&A=2&a=3&n%00x=4&=5";
    static const struct {
        const char *name, *value;
    } rows[] = {
        { "a", "1" }, { "A", "2" },  { "ab", "0" },
        { "", "5" },  { "n", NULL }, { "b", NULL },
    };
    struct form f;

    (void)state;
    assert_int_equal(form_parse(&f, text, strlen(text), NULL), OUTCOME_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct form_pair *pair = form_find(&f, rows[i].name);

        print_message("\"%s\"\n", rows[i].name);
        if (!rows[i].value) {
            assert_null(pair);
            continue;
        }
        assert_non_null(pair);
        assert_int_equal(pair->value_len, 1);
        assert_memory_equal(pair->value, rows[i].value, 1);
    }
    form_free(&f);
}

static void refuses_more_pairs_than_the_limit(void **state)
{
    char text[2 * (FORM_PAIRS_MAX + 1)];
    struct err err = { 0 };
    struct form f = { .count = 7 };

    (void)state;
    for (size_t i = 0; i < sizeof(text); i += 2) {
        text[i] = 'a';
        text[i + 1] = '&';
    }
    assert_int_equal(form_parse(&f, text, sizeof(text), &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "form has more than 512 pairs");
    assert_int_equal(f.count, 7);  // written on success only

    assert_int_equal(form_parse(&f, text, sizeof(text) - 2, &err), OUTCOME_OK);
    assert_int_equal(f.count, FORM_PAIRS_MAX);
    form_free(&f);
}

static void empty_sequences_do_not_count(void **state)
{
    char text[4 * FORM_PAIRS_MAX];
    struct form f;

    (void)state;
    memset(text, '&', sizeof(text));
    assert_int_equal(form_parse(&f, text, sizeof(text), NULL), OUTCOME_OK);
    assert_int_equal(f.count, 0);
    form_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_pairs_in_order),
        cmocka_unit_test(accepts_no_text_at_all),
        cmocka_unit_test(keeps_its_own_copy_of_the_text),
        cmocka_unit_test(finds_the_first_pair_of_a_name),
        cmocka_unit_test(refuses_more_pairs_than_the_limit),
        cmocka_unit_test(empty_sequences_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
