// Bodies of POST /sms/send: what is taken, and each refusal with its words.
#include "send_request.h"

#include "buf.h"
#include "json.h"
#include "test.h"

#include <string.h>

#define TO   "\"to\":\"+14155552671\""
#define BODY "\"body\":\"Hi\""
#define BOTH TO "," BODY
#define SEND_AT_RULE                                                                     \
    "a time is written with its zone: 2026-11-21T18:00:00Z or 2026-11-21T18:00:00+01:00"

static enum outcome parse_as(struct send_request *r, const char *region,
                             const char *bytes, size_t len, struct complaint *complaint)
{
    struct json_reader *json = json_reader_new();
    enum outcome rc = send_request_parse(r, json, region, bytes, len, complaint);

    json_reader_free(json);  // nothing of the request may point into it
    return rc;
}

static const struct {
    const char *json;
    int status;
    const char *code, *field, *detail;
} refused[] = {
    { "", 400, "malformed_json", NULL, "not JSON: it is empty" },
    { "[]", 400, "malformed_json", NULL,
      "a JSON object in braces is needed, this is an array" },
    { "{" BOTH "", 400, "malformed_json", NULL,
      "not JSON: a comma, colon, quote or bracket is missing or out of place" },
    { "{" BOTH "}{}", 400, "malformed_json", NULL,
      "not JSON: a comma, colon, quote or bracket is missing or out of place" },
    { "{" TO ",\"body\":\"\xff\"}", 400, "malformed_json", NULL,
      "not JSON: it is not valid UTF-8" },

    { "{" BODY "}", 422, "missing", "to", "the recipient's number is missing" },
    { "{\"to\":null," BODY "}", 422, "missing", "to",
      "the recipient's number is missing" },
    { "{\"to\":14155552671," BODY "}", 422, "wrong_type", "to",
      "this field must be a text" },
    { "{\"to\":[\"+14155552671\"]," BODY "}", 422, "wrong_type", "to",
      "this field must be a text" },
    { "{\"to\":\"+1415555\\u00002671\"," BODY "}", 422, "wrong_value", "to",
      "a NUL character cannot be sent" },
    { "{\"to\":\"\"," BODY "}", 422, "invalid_number", "to",
      "this cannot be a phone number: not a number" },
    { "{\"to\":\"hello\"," BODY "}", 422, "invalid_number", "to",
      "this cannot be a phone number: not a number" },
    { "{\"to\":\"+1415555267\"," BODY "}", 422, "invalid_number", "to",
      "this cannot be a phone number: too short" },
    { "{\"to\":\"5552671\"," BODY "}", 422, "invalid_number", "to",
      "this cannot be a phone number: without its area code" },
    { "{\"to\":\"+15555555555\",\"strict\":true," BODY "}", 422, "number_not_valid", "to",
      "no such number range is known, and strict is true" },
    { "{" TO "," BOTH "}", 422, "given_twice", "to", "this field is given twice" },
    { "{\"to\":null," BOTH "}", 422, "given_twice", "to", "this field is given twice" },

    { "{" TO "}", 422, "missing", "body", "the text of the message is missing" },
    { "{" TO ",\"body\":null}", 422, "missing", "body",
      "the text of the message is missing" },
    { "{" TO ",\"body\":\"\"}", 422, "empty", "body",
      "the text of the message is empty" },
    { "{" TO ",\"body\":false}", 422, "wrong_type", "body", "this field must be a text" },
    { "{" TO ",\"body\":\"a\\u0000b\"}", 422, "wrong_value", "body",
      "a NUL character cannot be sent" },

    { "{" BOTH ",\"from\":\"\"}", 422, "invalid_sender", "from",
      "a sender is +15551234567, a short code, MG and 32 hex digits, or up to 11 letters "
      "and digits" },
    { "{" BOTH ",\"from\":\"+0123456789\"}", 422, "invalid_sender", "from",
      "a sender is +15551234567, a short code, MG and 32 hex digits, or up to 11 letters "
      "and digits" },
    { "{" BOTH ",\"from\":\"a name too long\"}", 422, "invalid_sender", "from",
      "a sender is +15551234567, a short code, MG and 32 hex digits, or up to 11 letters "
      "and digits" },
    { "{" BOTH ",\"from\":12345}", 422, "wrong_type", "from",
      "this field must be a text" },

    { "{" BOTH ",\"class\":\"urgent\"}", 422, "wrong_value", "class",
      "a class is otp, emergency, transactional or marketing" },
    { "{" BOTH ",\"class\":\"OTP\"}", 422, "wrong_value", "class",
      "a class is otp, emergency, transactional or marketing" },
    { "{" BOTH ",\"class\":{}}", 422, "wrong_type", "class",
      "this field must be a text" },

    { "{" BOTH ",\"reference\":\"\"}", 422, "wrong_length", "reference",
      "a reference has 1 to 128 bytes" },
    { "{" BOTH ",\"reference\":7}", 422, "wrong_type", "reference",
      "this field must be a text" },

    { "{" BOTH ",\"expires_in\":9}", 422, "out_of_range", "expires_in",
      "a message may be useful for 10 to 518400 seconds (6 days)" },
    { "{" BOTH ",\"expires_in\":518401}", 422, "out_of_range", "expires_in",
      "a message may be useful for 10 to 518400 seconds (6 days)" },
    { "{" BOTH ",\"expires_in\":-9223372036854775808}", 422, "out_of_range", "expires_in",
      "a message may be useful for 10 to 518400 seconds (6 days)" },
    { "{" BOTH ",\"expires_in\":10.5}", 422, "wrong_type", "expires_in",
      "this field must be a whole number of seconds" },
    { "{" BOTH ",\"expires_in\":18446744073709551615}", 422, "wrong_type", "expires_in",
      "this field must be a whole number of seconds" },
    { "{" BOTH ",\"expires_in\":\"60\"}", 422, "wrong_type", "expires_in",
      "this field must be a whole number of seconds" },

    { "{" BOTH ",\"strict\":\"yes\"}", 422, "wrong_type", "strict",
      "this field must be true or false" },
    { "{" BOTH ",\"strict\":1}", 422, "wrong_type", "strict",
      "this field must be true or false" },

    { "{" BOTH ",\"region\":\"us\"}", 422, "wrong_value", "region",
      "a region is a country of two capital letters, for example US" },
    { "{" BOTH ",\"region\":\"USA\"}", 422, "wrong_value", "region",
      "a region is a country of two capital letters, for example US" },
    { "{" BOTH ",\"region\":\"U\\u0000\"}", 422, "wrong_value", "region",
      "a region is a country of two capital letters, for example US" },
    { "{" BOTH ",\"region\":1}", 422, "wrong_value", "region",
      "a region is a country of two capital letters, for example US" },

    { "{" BOTH ",\"idempotency_key\":\"\"}", 422, "wrong_value", "idempotency_key",
      "an idempotency key has 1 to 255 visible ASCII characters, without blanks" },
    { "{" BOTH ",\"idempotency_key\":\"a b\"}", 422, "wrong_value", "idempotency_key",
      "an idempotency key has 1 to 255 visible ASCII characters, without blanks" },
    { "{" BOTH ",\"idempotency_key\":7}", 422, "wrong_type", "idempotency_key",
      "this field must be a text" },

    { "{" BOTH ",\"if_in_doubt\":true}", 422, "wrong_type", "if_in_doubt",
      "this field must be a text" },
    { "{" BOTH ",\"if_in_doubt\":\"send-again\"}", 422, "wrong_value", "if_in_doubt",
      "if_in_doubt is send_again, or not there" },
    { "{" BOTH ",\"if_in_doubt\":\"send_again\",\"class\":\"otp\"}", 422, "wrong_value",
      "if_in_doubt",
      "only a transactional message has this choice: emergency is always sent again, otp "
      "and marketing never" },
    { "{" BOTH ",\"class\":\"marketing\",\"if_in_doubt\":\"send_again\"}", 422,
      "wrong_value", "if_in_doubt",
      "only a transactional message has this choice: emergency is always sent again, otp "
      "and marketing never" },

    { "{" BOTH ",\"send_at\":1763748000}", 422, "wrong_type", "send_at",
      "this field must be a text" },
    { "{" BOTH ",\"send_at\":\"2026-11-21T18:00:00\"}", 422, "wrong_value", "send_at",
      SEND_AT_RULE },
    { "{" BOTH ",\"send_at\":\"2026-02-29T18:00:00Z\"}", 422, "wrong_value", "send_at",
      SEND_AT_RULE },
    { "{" BOTH ",\"send_at\":\"tomorrow\"}", 422, "wrong_value", "send_at",
      SEND_AT_RULE },
    { "{" BOTH ",\"send_at\":\"\"}", 422, "wrong_value", "send_at", SEND_AT_RULE },

    { "{" BOTH ",\"message\":\"Hi\"}", 422, "unknown_field", NULL,
      "\"message\" is not a field of this request; it has to, body, from, class, "
      "reference, expires_in, send_at, strict, region, idempotency_key and if_in_doubt" },
    { "{" BOTH ",\"Class\":\"otp\"}", 422, "unknown_field", NULL,
      "\"Class\" is not a field of this request; it has to, body, from, class, "
      "reference, expires_in, send_at, strict, region, idempotency_key and if_in_doubt" },
    { "{" BOTH ",\"to\\u0000\":null}", 422, "unknown_field", NULL,
      "\"to\" is not a field of this request; it has to, body, from, class, "
      "reference, expires_in, send_at, strict, region, idempotency_key and if_in_doubt" },
};

static void assert_refused(const char *json, size_t len, int status, const char *code,
                           const char *field, const char *detail)
{
    struct send_request r;
    struct complaint c;

    assert_int_equal(parse_as(&r, "US", json, len, &c), OUTCOME_REJECT);
    assert_int_equal(c.status, status);
    assert_string_equal(c.code, code);
    if (field)
        assert_string_equal(c.field, field);
    else
        assert_null(c.field);
    assert_string_equal(c.detail.text, detail);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        print_message("%s\n", refused[i].json);
        assert_refused(refused[i].json, strlen(refused[i].json), refused[i].status,
                       refused[i].code, refused[i].field, refused[i].detail);
    }
}

static struct send_request parse_good(const char *json)
{
    struct send_request r;
    struct complaint c;

    print_message("%.120s\n", json);
    if (parse_as(&r, "US", json, strlen(json), &c))
        fail_msg("%s", c.detail.text);
    return r;
}

static void what_is_left_out_has_its_default(void **state)
{
    static const char *const bodies[] = {
        "{" BOTH "}",
        "{" BOTH ",\"from\":null,\"class\":null,\"reference\":null,\"expires_in\":null,"
        "\"strict\":null,\"region\":null,\"if_in_doubt\":null,"
        "\"send_at\":null}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct send_request r = parse_good(bodies[i]);
        assert_string_equal(r.to.e164, "+14155552671");
        assert_string_equal(r.to.country, "US");
        assert_string_equal(r.body, "Hi");
        assert_int_equal(r.body_len, 2);
        assert_int_equal(r.segments.count, 1);
        assert_null(r.from);
        assert_string_equal(r.message_class, "transactional");
        assert_null(r.reference);
        assert_int_equal(r.expires_in_s, 0);
        assert_int_equal(r.send_at, 0);
        assert_false(r.resend_in_doubt);
        assert_false(r.strict);
        assert_string_equal(r.region, "US");
        send_request_free(&r);
        assert_null(r.body);
    }
}

static void every_member_is_taken(void **state)
{
    (void)state;
    struct send_request r = parse_good(
        "{\"to\":\"+14155552671\",\"body\":\"caf\\u00e9 "
        "\\ud83d\\ude00\",\"from\":\"ACME\","
        "\"class\":\"otp\",\"reference\":\"order 17\",\"expires_in\":60,\"strict\":true,"
        "\"region\":\"DE\",\"send_at\":\"2026-11-21T19:00:00.5+01:00\"}");
    assert_string_equal(r.body, "caf\xc3\xa9 \xf0\x9f\x98\x80");
    assert_int_equal(r.body_len, 10);
    assert_int_equal(r.segments.encoding, SEGMENTS_UCS2);
    assert_string_equal(r.from, "ACME");
    assert_string_equal(r.message_class, "otp");
    assert_string_equal(r.reference, "order 17");
    assert_int_equal(r.expires_in_s, 60);
    assert_int_equal(r.send_at, INT64_C(1795284000500000));
    assert_true(r.strict);
    assert_string_equal(r.region, "DE");
    send_request_free(&r);
}

static void a_transactional_message_may_be_sent_again(void **state)
{
    static const char *const bodies[] = {
        "{" BOTH ",\"if_in_doubt\":\"send_again\"}",
        "{\"if_in_doubt\":\"send_again\",\"class\":\"transactional\"," BOTH "}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct send_request r = parse_good(bodies[i]);
        assert_true(r.resend_in_doubt);
        send_request_free(&r);
    }
}

static void senders_of_every_kind_are_taken(void **state)
{
    static const char *const senders[] = { "+15005550006", "12345", "ACME News",
                                           "MG0123456789abcdef0123456789abcdef" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(senders); i++) {
        struct buf json = BUF_INIT(1024);
        buf_addf(&json, "{" BOTH ",\"from\":\"%s\"}", senders[i]);
        struct send_request r = parse_good(buf_text(&json));
        assert_string_equal(r.from, senders[i]);
        send_request_free(&r);
        buf_free(&json);
    }
}

static void numbers_without_country_code_are_of_the_region(void **state)
{
    static const struct {
        const char *json, *e164, *country;
    } cases[] = {
        { "{\"to\":\"(415) 555-2671\"," BODY "}", "+14155552671", "US" },
        { "{\"to\":\"9876543210\",\"region\":\"IN\"," BODY "}", "+919876543210", "IN" },
        { "{\"region\":\"IN\",\"to\":\"98765 43210\"," BODY "}", "+919876543210", "IN" },
        { "{\"to\":\"+41 79 123 45 67\",\"region\":\"IN\"," BODY "}", "+41791234567",
          "CH" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct send_request r = parse_good(cases[i].json);
        assert_string_equal(r.to.e164, cases[i].e164);
        assert_string_equal(r.to.country, cases[i].country);
        send_request_free(&r);
    }
}

static void a_number_of_no_known_range_is_taken_unless_strict(void **state)
{
    (void)state;
    struct send_request r = parse_good("{\"to\":\"+15555555555\"," BODY "}");
    assert_false(r.to.valid);
    send_request_free(&r);
    r = parse_good("{\"strict\":true," BOTH "}");
    assert_true(r.to.valid);
    send_request_free(&r);
}

static void the_ends_of_expires_in_belong_to_it(void **state)
{
    (void)state;
    struct send_request r = parse_good("{" BOTH ",\"expires_in\":10}");
    assert_int_equal(r.expires_in_s, 10);
    send_request_free(&r);
    r = parse_good("{" BOTH ",\"expires_in\":518400}");
    assert_int_equal(r.expires_in_s, 518400);
    send_request_free(&r);
}

// unit is one character; so many of it are how many UTF-16 units?
static void texts_end_at_1600_utf16_units(void **state)
{
    static const struct {
        const char *unit;
        size_t count;
        bool fits;
    } cases[] = {
        { "a", 1600, true },
        { "a", 1601, false },
        { "\xc3\xa9", 1600, true },
        { "\xe2\x82\xac", 1600, true },  // U+20AC
        { "\xe2\x82\xac", 1601, false },
        { "\xf0\x9f\x98\x80", 800, true },  // U+1F600: a surrogate pair
        { "\xf0\x9f\x98\x80", 801, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf json = BUF_INIT(16384);
        struct send_request r;
        struct complaint c;

        buf_add_text(&json, "{" TO ",\"body\":\"");
        for (size_t n = 0; n < cases[i].count; n++)
            buf_add_text(&json, cases[i].unit);
        buf_add_text(&json, "\"}");
        if (cases[i].fits) {
            assert_int_equal(parse_as(&r, "US", json.bytes, json.len, &c), OUTCOME_OK);
            assert_int_equal(r.body_len, cases[i].count * strlen(cases[i].unit));
            send_request_free(&r);
        } else {
            assert_refused(json.bytes, json.len, 422, "too_long", "body",
                           "the text is longer than Twilio's 1600 characters");
        }
        buf_free(&json);
    }
}

static void a_reference_has_at_most_128_bytes(void **state)
{
    (void)state;
    for (int len = 128; len <= 129; len++) {
        struct buf json = BUF_INIT(1024);
        buf_addf(&json, "{" BOTH ",\"reference\":\"%0*d\"}", len, 1);
        if (len == 129) {
            assert_refused(json.bytes, json.len, 422, "wrong_length", "reference",
                           "a reference has 1 to 128 bytes");
        } else {
            struct send_request r = parse_good(json.bytes);
            assert_int_equal(strlen(r.reference), 128);
            send_request_free(&r);
        }
        buf_free(&json);
    }
}

// Half of a character would make the answer no JSON.
static void a_long_unknown_name_is_cut_between_characters(void **state)
{
    struct buf json = BUF_INIT(1024), wanted = BUF_INIT(1024);
    struct send_request r;
    struct complaint c;

    (void)state;
    buf_addf(&json, "{\"%063d\xf0\x9f\x98\x80zzz\":1}", 0);
    buf_addf(&wanted, "\"%063d\" is not a field", 0);
    assert_int_equal(parse_as(&r, "US", json.bytes, json.len, &c), OUTCOME_REJECT);
    assert_true(utf8_is_valid(c.detail.text, strlen(c.detail.text)));
    assert_memory_equal(c.detail.text, wanted.bytes, wanted.len);
    buf_free(&json);
    buf_free(&wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(every_member_is_taken),
        cmocka_unit_test(a_transactional_message_may_be_sent_again),
        cmocka_unit_test(senders_of_every_kind_are_taken),
        cmocka_unit_test(numbers_without_country_code_are_of_the_region),
        cmocka_unit_test(a_number_of_no_known_range_is_taken_unless_strict),
        cmocka_unit_test(the_ends_of_expires_in_belong_to_it),
        cmocka_unit_test(texts_end_at_1600_utf16_units),
        cmocka_unit_test(a_reference_has_at_most_128_bytes),
        cmocka_unit_test(a_long_unknown_name_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
