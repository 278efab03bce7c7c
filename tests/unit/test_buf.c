// Growing bytes: limits, escapes, base64, times.
#include "buf.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

static void adds_stop_at_the_maximum_and_stay_stopped(void **state)
{
    struct buf b = BUF_INIT(5);

    (void)state;
    assert_string_equal(buf_text(&b), "");
    buf_add(&b, "abc", 3);
    buf_add(&b, "de", 2);
    assert_false(b.failed);
    assert_string_equal(buf_text(&b), "abcde");
    buf_add_char(&b, 'f');
    assert_true(b.failed);
    assert_string_equal(buf_text(&b), "abcde");
    buf_clear(&b);
    assert_false(b.failed);
    assert_string_equal(buf_text(&b), "");
    buf_add_text(&b, "abcdef");
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    buf_add_char(&b, 'x');  // would fit, but something before it is missing
    assert_int_equal(b.len, 0);
    buf_free(&b);
    assert_int_equal(b.max, 5);
    assert_false(b.failed);
    buf_add(&b, NULL, 0);
    assert_string_equal(buf_text(&b), "");
    buf_free(&b);
}

// Each kind of add, at a maximum that it just fits and at one byte less.
static void every_add_is_all_or_nothing(void **state)
{
    static const struct {
        char kind;
        const char *wanted;
    } cases[] = {
        { 'i', "-123" },
        { 'f', "a=7" },
        { 'j', "\"a\\\"b\\\\\\nc\\u0001\"" },
        { 'b', "YWI=" },
        { 'd', "ab" },
        { 'u', "a%20b" },
        { 'p', "a%26=b" },
        { 't', "1970-01-01T00:00:00.000Z" },
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        const char *wanted = cases[i / 2].wanted;
        bool fits = i % 2 == 0;
        struct buf b = BUF_INIT(strlen(wanted) - (fits ? 0 : 1));
        bool decoded = fits;
        switch (cases[i / 2].kind) {
        case 'i':
            buf_add_int(&b, -123);
            break;
        case 'f':
            buf_addf(&b, "%s=%d", "a", 7);
            break;
        case 'j':
            buf_add_json_string(&b, "a\"b\\\nc\x01", 7);
            break;
        case 'b':
            buf_add_base64(&b, "ab", 2);
            break;
        case 'd':
            decoded = buf_add_base64_decoded(&b, "YWI=", 4);
            break;
        case 'u':
            buf_add_url_escaped(&b, "a b", 3);
            break;
        case 'p':
            buf_add_form(&b, "a&", "b");
            break;
        case 't':
            buf_add_time(&b, 0);
            break;
        default:
            fail();
        }
        if (b.failed == fits || decoded != fits ||
            strcmp(buf_text(&b), fits ? wanted : "") != 0)
            fail_msg("%c: \"%s\", failed %d", cases[i / 2].kind, buf_text(&b), b.failed);
        buf_free(&b);
    }
}

static void a_large_buf_grows(void **state)
{
    struct buf b = BUF_INIT(1000000);

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_add_text(&b, "0123456789");
    assert_false(b.failed);
    assert_int_equal(b.len, 1000000);
    assert_int_equal(strlen(buf_text(&b)), 1000000);
    buf_add_char(&b, 'x');
    assert_true(b.failed);
    buf_free(&b);
}

static void integers_are_written(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    buf_add_int(&b, 0);
    buf_add_char(&b, ' ');
    buf_add_int(&b, INT64_MAX);
    buf_add_char(&b, ' ');
    buf_add_int(&b, INT64_MIN);
    assert_string_equal(buf_text(&b), "0 9223372036854775807 -9223372036854775808");
    buf_free(&b);
}

static void json_strings_are_escaped(void **state)
{
    struct buf b = BUF_INIT(200);

    (void)state;
    buf_add_json_string(&b, "", 0);
    buf_add_json_string(&b, "\t\r\n\x1f\"\\/\x7f\xc3\xa9", 10);
    buf_add_json_string(&b, "a\0b", 3);
    assert_string_equal(buf_text(&b),
                        "\"\"\"\\u0009\\u000d\\n\\u001f\\\"\\\\/\x7f\xc3\xa9\""
                        "\"a\\u0000b\"");
    buf_free(&b);
}

// RFC 4648, section 10, and what is none.
static void base64_is_strict(void **state)
{
    static const char *const vectors[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xfb\xff\xfe", "+//+" },
    };
    static const char *const wrong[] = {
        "Z",     "Zg",    "Zg=",   "Zg===",    "Zh==",       "Zm9=",
        "=",     "==",    "===",   "====",     "Z===",       "Zg==Zg==",
        "Zg= =", " Zg==", "Zg== ", "Zm9v\n",   "Zm\n9",      "Zm9_",
        "Zm9-",  "Zm9.",  "Z=g=",  "Zm9vYg=a", "\xc3\xa9zz", "Zm9vY===",
    };
    struct buf b = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        buf_clear(&b);
        buf_add_base64(&b, vectors[i][0], strlen(vectors[i][0]));
        assert_string_equal(buf_text(&b), vectors[i][1]);
        buf_clear(&b);
        assert_true(buf_add_base64_decoded(&b, vectors[i][1], strlen(vectors[i][1])));
        assert_string_equal(buf_text(&b), vectors[i][0]);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        buf_clear(&b);
        buf_add_text(&b, "kept");
        if (buf_add_base64_decoded(&b, wrong[i], strlen(wrong[i])))
            fail_msg("\"%s\" was accepted", wrong[i]);
        assert_string_equal(buf_text(&b), "kept");
        assert_false(b.failed);
    }
    buf_clear(&b);
    assert_false(buf_add_base64_decoded(&b, "Zm9\0", 4));
    buf_free(&b);
}

static void all_bytes_survive_base64(void **state)
{
    unsigned char bytes[256];
    struct buf text = BUF_INIT(1024), back = BUF_INIT(1024);

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        buf_clear(&text);
        buf_clear(&back);
        buf_add_base64(&text, bytes + sizeof(bytes) - len, len);
        assert_true(buf_add_base64_decoded(&back, buf_text(&text), text.len));
        assert_int_equal(back.len, len);
        assert_memory_equal(buf_text(&back), bytes + sizeof(bytes) - len, len);
    }
    buf_free(&text);
    buf_free(&back);
}

static void urls_and_forms_are_escaped(void **state)
{
    struct buf b = BUF_INIT(200);

    (void)state;
    buf_add_form(&b, "To", "+1 555");
    buf_add_form(&b, "a b", "");
    buf_add_form(&b, "x", "AZaz09-._~!*'()/\xc3\xa9");
    assert_string_equal(buf_text(&b),
                        "To=%2B1%20555&a%20b=&x=AZaz09-._~%21%2A%27%28%29%2F"
                        "%C3%A9");
    buf_free(&b);
}

static void times_are_rfc_3339_in_milliseconds(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 999, "1970-01-01T00:00:00.000Z" },
        { 1000, "1970-01-01T00:00:00.001Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { -1000, "1969-12-31T23:59:59.999Z" },
        { -1001, "1969-12-31T23:59:59.998Z" },
        { -1000000, "1969-12-31T23:59:59.000Z" },
        { 951825600123456, "2000-02-29T12:00:00.123Z" },
        { 1795255200000000, "2026-11-21T10:00:00.000Z" },
        { 253402300799999999, "9999-12-31T23:59:59.999Z" },
        { -62167219200000000, "0000-01-01T00:00:00.000Z" },
        { 253402300800000000, NULL },
        { -62167219200000001, NULL },
        { INT64_MAX, NULL },
        { INT64_MIN, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = BUF_INIT(64);
        buf_add_time(&b, cases[i].us);
        assert_int_equal(b.failed, cases[i].text == NULL);
        assert_string_equal(buf_text(&b), cases[i].text ? cases[i].text : "");
        buf_free(&b);
    }
}

static void only_unreserved_characters_stay_as_they_are(void **state)
{
    (void)state;
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    struct buf b = BUF_INIT(10);

    for (int c = 0; c < 256; c++) {
        const char byte = (char)c;
        buf_clear(&b);
        buf_add_url_escaped(&b, &byte, 1);
        bool stays = c && strchr(unreserved, c);
        assert_int_equal(b.len, stays ? 1 : 3);
    }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_unreserved_characters_stay_as_they_are),
        cmocka_unit_test(adds_stop_at_the_maximum_and_stay_stopped),
        cmocka_unit_test(every_add_is_all_or_nothing),
        cmocka_unit_test(a_large_buf_grows),
        cmocka_unit_test(integers_are_written),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(all_bytes_survive_base64),
        cmocka_unit_test(urls_and_forms_are_escaped),
        cmocka_unit_test(times_are_rfc_3339_in_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
