// The reader of JSON: what it accepts, how it tells kinds apart, what it says.
#include "json.h"

#include "buf.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { TRACE_MAX = 8192 };

static enum outcome trace(void *arg, const char *name, size_t name_len,
                          const struct json_value *value, struct err *err);

static enum outcome trace_nested(struct buf *out, const char *brackets,
                                 const struct json_value *value, struct err *err)
{
    buf_add_char(out, brackets[0]);
    enum outcome rc = json_each(value, trace, out, err);
    buf_add_char(out, brackets[1]);
    return rc;
}

// Writes each value with the letter of its kind.
static enum outcome trace(void *arg, const char *name, size_t name_len,
                          const struct json_value *value, struct err *err)
{
    struct buf *out = arg;

    if (name)
        buf_addf(out, "%.*s=", (int)name_len, name);
    switch (value->kind) {
    case JSON_NULL:
        buf_add_text(out, "null");
        break;
    case JSON_BOOL:
        buf_add_text(out, value->boolean ? "yes" : "no");
        break;
    case JSON_INTEGER:
        buf_add_char(out, 'i');
        buf_add_int(out, value->integer);
        break;
    case JSON_NUMBER:
        buf_addf(out, "n%g", value->number);
        break;
    case JSON_STRING:
        buf_add_char(out, 's');
        buf_add(out, value->text, value->len);
        break;
    case JSON_ARRAY:
        if (trace_nested(out, "[]", value, err))
            return OUTCOME_FATAL;
        break;
    case JSON_OBJECT:
        if (trace_nested(out, "{}", value, err))
            return OUTCOME_FATAL;
        break;
    }
    buf_add_char(out, ' ');
    return OUTCOME_OK;
}

static void members_come_in_order_with_their_kinds(void **state)
{
    static const struct {
        const char *json, *trace;
    } cases[] = {
        { "{}", "" },
        { " \t\r\n{ } ", "" },
        { "{\"a\":1,\"b\":-1}", "a=i1 b=i-1 " },
        { "{\"a\":true,\"b\":false,\"c\":null}", "a=yes b=no c=null " },
        { "{\"a\":0.5,\"b\":1e2,\"c\":1.0}", "a=n0.5 b=n100 c=n1 " },
        { "{\"a\":9223372036854775807}", "a=i9223372036854775807 " },
        { "{\"a\":-9223372036854775808}", "a=i-9223372036854775808 " },
        { "{\"a\":9223372036854775808}", "a=n9.22337e+18 " },
        { "{\"a\":9007199254740993}", "a=i9007199254740993 " },
        { "{\"a\":-0}", "a=i0 " },
        { "{\"a\":\"\"}", "a=s " },
        { "{\"a\":\"x\\n\\u00e9\\ud83d\\ude00\\/\"}",
          "a=sx\n\xc3\xa9\xf0\x9f\x98\x80/ " },
        { "{\"a\\u0062\\\"\":1}", "ab\"=i1 " },
        { "{\"a\":1,\"a\":2}", "a=i1 a=i2 " },
        { "{\"a\":[1,[],\"x\",{\"b\":[2]}],\"c\":{}}", "a=[i1 [] sx {b=[i2 ] } ] c={} " },
        { "{\"\":1}", "=i1 " },
    };
    struct json_reader *reader = json_reader_new();
    struct buf out = BUF_INIT(TRACE_MAX);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = { 0 };
        buf_clear(&out);
        if (json_read(reader, cases[i].json, strlen(cases[i].json), trace, &out, &err))
            fail_msg("%s: %s", cases[i].json, err.text);
        assert_string_equal(buf_text(&out), cases[i].trace);
    }
    buf_free(&out);
    json_reader_free(reader);
}

static void a_text_may_hold_a_nul(void **state)
{
    static const char json[] = "{\"a\":\"x\\u0000y\"}";
    struct json_reader *reader = json_reader_new();
    struct buf out = BUF_INIT(TRACE_MAX);
    struct err err = { 0 };

    (void)state;
    assert_int_equal(json_read(reader, json, sizeof(json) - 1, trace, &out, &err), 0);
    assert_int_equal(out.len, strlen("a=s") + 3 + 1);
    assert_memory_equal(out.bytes, "a=sx\0y ", out.len);
    buf_free(&out);
    json_reader_free(reader);
}

static const char structure[] =
    "not JSON: a comma, colon, quote or bracket is missing or out of place";

static void what_is_no_object_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *json, *complaint;
    } cases[] = {
        { "", "not JSON: it is empty" },
        { "  ", "not JSON: it is empty" },
        { "[1]", "a JSON object in braces is needed, this is an array" },
        { "\"x\"", "a JSON object in braces is needed, this is a text" },
        { "12", "a JSON object in braces is needed, this is a number" },
        { "1.5", "a JSON object in braces is needed, this is a number" },
        { "true", "a JSON object in braces is needed, this is true or false" },
        { "null", "a JSON object in braces is needed, this is null" },
        { "{", structure },
        { "{\"a\"}", structure },
        { "{\"a\":1,}", structure },
        { "{\"a\":1}x", structure },
        { "{\"a\":1} {}", structure },
        { "{\"a\":[1}", structure },
        { "{a:1}", structure },
        { "{'a':1}", structure },
        { "{\"a\":1 /* no */}", structure },
        { "\xef\xbb\xbf{}", structure },
        { "to=+15551234567", "not JSON: a word is none of true, false and null" },
        { "{\"a\":nul}", "not JSON: a word is none of true, false and null" },
        { "{\"a\":TRUE}", structure },
        { "{\"a\":01}", "not JSON: a number is malformed or too large" },
        { "{\"a\":+1}", structure },
        { "{\"a\":1e999}", "not JSON: a number is malformed or too large" },
        { "{\"a\":NaN}", structure },
        { "{\"a\":\"\\x\"}", "not JSON: a text holds a bad escape" },
        { "{\"a\":\"\\ud800\"}", "not JSON: a text holds a bad escape" },
        { "{\"a\":\"\\udc00\\ud800\"}", "not JSON: a text holds a bad escape" },
        { "{\"a\":\"x", "not JSON: the quote at the end of a text is missing" },
        { "{\"a\":\"\n\"}",
          "not JSON: a text holds a control character that is not escaped" },
        { "{\"a\":\"\xff\"}", "not JSON: it is not valid UTF-8" },
        { "{\"a\":\"\xc0\xaf\"}", "not JSON: it is not valid UTF-8" },
        { "{\"a\":\"\xed\xa0\x80\"}", "not JSON: it is not valid UTF-8" },
    };
    struct json_reader *reader = json_reader_new();
    struct buf out = BUF_INIT(TRACE_MAX);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = { 0 };
        buf_clear(&out);
        enum outcome rc =
            json_read(reader, cases[i].json, strlen(cases[i].json), trace, &out, &err);
        if (rc != OUTCOME_REJECT || strcmp(err.text, cases[i].complaint) != 0)
            fail_msg("%s: outcome %d, \"%s\"", cases[i].json, (int)rc, err.text);
        assert_int_equal(out.len, 0);
    }
    buf_free(&out);
    json_reader_free(reader);
}

static enum outcome read_nested(struct json_reader *reader, size_t depth, struct err *err)
{
    struct buf json = BUF_INIT(1 << 20);
    struct buf out = BUF_INIT(1 << 20);

    buf_add_text(&json, "{\"a\":");
    for (size_t i = 1; i < depth; i++)
        buf_add_char(&json, '[');
    buf_add_text(&json, "1");
    for (size_t i = 1; i < depth; i++)
        buf_add_char(&json, ']');
    buf_add_char(&json, '}');
    enum outcome rc = json_read(reader, buf_text(&json), json.len, trace, &out, err);
    buf_free(&json);
    buf_free(&out);
    return rc;
}

static void depth_is_limited(void **state)
{
    struct json_reader *reader = json_reader_new();
    struct err err = { 0 };

    (void)state;
    assert_int_equal(read_nested(reader, JSON_DEPTH_MAX, &err), OUTCOME_OK);
    assert_int_equal(read_nested(reader, JSON_DEPTH_MAX + 1, &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "not JSON we read: nested more than 16 deep");
    // A large text makes the parser grow; the limit must stay as it was.
    assert_int_equal(read_nested(reader, 100000, &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "not JSON we read: nested more than 16 deep");
    assert_int_equal(read_nested(reader, JSON_DEPTH_MAX + 1, &err), OUTCOME_REJECT);
    assert_int_equal(read_nested(reader, JSON_DEPTH_MAX, &err), OUTCOME_OK);
    json_reader_free(reader);
}

static enum outcome stop_at_b(void *arg, const char *name, size_t name_len,
                              const struct json_value *value, struct err *err)
{
    int *calls = arg;

    (void)value;
    ++*calls;
    if (name_len == 1 && name[0] == 'b')
        return err_set(err, OUTCOME_RETRY, "enough");
    return OUTCOME_OK;
}

static void the_member_function_ends_the_walk(void **state)
{
    static const char json[] = "{\"a\":1,\"b\":2,\"c\":3}";
    struct json_reader *reader = json_reader_new();
    struct err err = { 0 };
    int calls = 0;

    (void)state;
    assert_int_equal(json_read(reader, json, sizeof(json) - 1, stop_at_b, &calls, &err),
                     OUTCOME_RETRY);
    assert_int_equal(calls, 2);
    assert_string_equal(err.text, "enough");
    json_reader_free(reader);
}

static enum outcome keep(void *arg, const char *name, size_t name_len,
                         const struct json_value *value, struct err *err)
{
    struct json_value **next = arg;

    (void)name;
    (void)name_len;
    (void)err;
    *(*next)++ = *value;
    return OUTCOME_OK;
}

static void values_live_until_the_next_read(void **state)
{
    static const char json[] = "{\"a\":[1,2],\"b\":\"text\",\"c\":{\"d\":3}}";
    struct json_reader *reader = json_reader_new();
    struct json_value values[3], *next = values;
    struct buf out = BUF_INIT(TRACE_MAX);
    char *copy = xstrdup(json);

    (void)state;
    assert_int_equal(json_read(reader, copy, strlen(copy), keep, &next, NULL), 0);
    free(copy);  // the reader must not look at the caller's bytes any more
    assert_int_equal(json_each(&values[2], trace, &out, NULL), 0);
    assert_int_equal(json_each(&values[0], trace, &out, NULL), 0);
    buf_add(&out, values[1].text, values[1].len);
    assert_string_equal(buf_text(&out), "d=i3 i1 i2 text");
    buf_free(&out);
    json_reader_free(reader);
}

static void free_takes_null(void **state)
{
    (void)state;
    json_reader_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order_with_their_kinds),
        cmocka_unit_test(a_text_may_hold_a_nul),
        cmocka_unit_test(what_is_no_object_is_refused_with_a_reason),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(the_member_function_ends_the_walk),
        cmocka_unit_test(values_live_until_the_next_read),
        cmocka_unit_test(free_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
