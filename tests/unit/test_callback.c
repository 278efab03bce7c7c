// Twilio's delivery callbacks: which message, which status, and what is no callback.
#include "callback.h"

#include "form.h"
#include "keys.h"
#include "message_id.h"
#include "test.h"

#include <string.h>

#define HEX64   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SID     "SM0123456789abcdef0123456789ABCDEF"
#define MMS     "MM0123456789abcdef0123456789abcdef"
#define T(text) ((char *)(uintptr_t)(text))

static struct keys keys;
static unsigned char id[MESSAGE_ID_BYTES];
static char id_text[MESSAGE_ID_TEXT_BYTES];

static int open_keys(void **state)
{
    const struct keys_settings set = { T(HEX64), T("1:" HEX64) };

    (void)state;
    assert_int_equal(keys_open(&keys, &set, NULL), OUTCOME_OK);
    message_id_new(id, INT64_C(1795000000000), 7, keys.id);
    message_id_format(id_text, id);
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    keys_close(&keys);
    return 0;
}

static enum outcome read_form(struct callback *out, const char *body, size_t len,
                              struct err *err)
{
    const struct callback_query query = { 0 };
    struct form form;

    assert_int_equal(form_parse(&form, body, len, err), OUTCOME_OK);
    enum outcome rc = callback_read(out, &form, &query, &keys, err);
    form_free(&form);  // nothing of the callback may point into it
    return rc;
}

static void the_usual_form_is_read(void **state)
{
    struct callback c;
    const char body[] = "SmsSid=" SID "&SmsStatus=sent&MessageStatus=delivered"
                        "&To=%2B14155552671&MessageSid=" MMS
                        "&AccountSid=AC00000000000000000000000000000001"
                        "&From=%2B15005550006&ApiVersion=2010-04-01";
    int64_t before_us = clock_wall_us();

    (void)state;
    assert_int_equal(read_form(&c, body, strlen(body), NULL), OUTCOME_OK);
    assert_string_equal(c.sid, MMS);
    assert_string_equal(c.status, "delivered");
    assert_ptr_equal(c.record.twilio_sid, c.sid);
    assert_ptr_equal(c.record.status, c.status);
    assert_int_equal(c.record.error_code, 0);
    assert_int_equal(c.record.turn, 0);
    assert_null(c.record.raw.bytes);
    assert_in_range(c.record.received_at, before_us, clock_wall_us());
}

static const struct {
    const char *form, *sid, *status;
    int32_t error_code;
} taken[] = {
    { "MessageSid=" SID "&MessageStatus=sent", SID, "sent", 0 },
    { "SmsSid=" SID "&SmsStatus=sent", SID, "sent", 0 },
    { "SmsSid=" SID "&MessageStatus=sent", SID, "sent", 0 },
    { "MessageSid=" SID "&MessageStatus=partially_delivered", SID, "partially_delivered",
      0 },
    { "MessageSid=" SID "&MessageStatus=a-new-word", SID, "a-new-word", 0 },
    { "MessageSid=" SID "&MessageSid=" MMS "&MessageStatus=sent", SID, "sent", 0 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=30003", SID, "failed", 30003 },
    { "MessageSid=" SID "&MessageStatus=failed&SmsErrorCode=30005", SID, "failed",
      30005 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=999999", SID, "failed", 999999 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=1000000", SID, "failed", 0 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=99999999999999", SID, "failed",
      0 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=InvalidSandboxRequest", SID,
      "failed", 0 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=", SID, "failed", 0 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=-30003", SID, "failed", 0 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=30003x", SID, "failed", 0 },
    { "MessageSid=" SID "&MessageStatus=failed&ErrorCode=30003%00", SID, "failed", 0 },
};

static void sid_status_and_error_code_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        struct callback c;
        print_message("%s\n", taken[i].form);
        assert_int_equal(read_form(&c, taken[i].form, strlen(taken[i].form), NULL),
                         OUTCOME_OK);
        assert_string_equal(c.sid, taken[i].sid);
        assert_string_equal(c.status, taken[i].status);
        assert_int_equal(c.record.error_code, taken[i].error_code);
    }
}

#define NO_SID    "the form has no MessageSid"
#define NO_STATUS "the form has no MessageStatus"

static const struct {
    const char *form, *complaint;
} refused[] = {
    { "", NO_SID },
    { "MessageStatus=sent", NO_SID },
    { "MessageSid=&MessageStatus=sent", NO_SID },
    { "MessageSid=&SmsSid=" SID "&MessageStatus=sent", NO_SID },
    { "MessageSid=" SID "0&MessageStatus=sent", NO_SID },
    { "MessageSid=SM0123456789abcdef&MessageStatus=sent", NO_SID },
    { "MessageSid=CA0123456789abcdef0123456789abcdef&MessageStatus=sent", NO_SID },
    { "MessageSid=sm0123456789abcdef0123456789abcdef&MessageStatus=sent", NO_SID },
    { "MessageSid=SM0123456789abcdef0123456789abcdeg&MessageStatus=sent", NO_SID },
    { "MessageSid=SM0123456789abcdef0123456789abcde%00&MessageStatus=sent", NO_SID },
    { "messagesid=" SID "&MessageStatus=sent", NO_SID },
    { "MessageSid=" SID, NO_STATUS },
    { "MessageSid=" SID "&MessageStatus=", NO_STATUS },
    { "MessageSid=" SID "&MessageStatus=Sent", NO_STATUS },
    { "MessageSid=" SID "&MessageStatus=sent%00x", NO_STATUS },
    { "MessageSid=" SID "&MessageStatus=two+words", NO_STATUS },
    { "MessageSid=" SID "&MessageStatus=%22sent%22", NO_STATUS },
    { "MessageSid=" SID "&MessageStatus=aaaaaaaaaabbbbbbbbbbccccccccccdd", NO_STATUS },
};

static void what_is_no_callback_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct callback c;
        struct err err = { 0 };
        print_message("%s\n", refused[i].form);
        assert_int_equal(read_form(&c, refused[i].form, strlen(refused[i].form), &err),
                         OUTCOME_REJECT);
        assert_string_equal(err.text, refused[i].complaint);
    }
}

// Reads a good form whose URL had this query.
static struct callback read_query(const struct callback_query *query)
{
    static const char body[] = "MessageSid=" SID "&MessageStatus=sent";
    struct callback c;
    struct form form;

    assert_int_equal(form_parse(&form, body, strlen(body), NULL), OUTCOME_OK);
    assert_int_equal(callback_read(&c, &form, query, &keys, NULL), OUTCOME_OK);
    form_free(&form);
    return c;
}

static struct sms_status read_url(const char *m, const char *t, const char *k)
{
    const struct callback_query query = { .m = m, .t = t, .k = k };
    struct callback c = read_query(&query);

    c.record.twilio_sid = c.record.status = NULL;
    return c.record;
}

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static void the_trace_comes_along_when_it_is_one(void **state)
{
    static const struct {
        const char *c, *trace_id;  // NULL = none
    } cases[] = {
        { TRACE, TRACE },
        { NULL, NULL },  // an address of before, or a message that is not traced
        { "", NULL },
        { TRACE "0", NULL },
        { "4BF92F3577B34DA6A3CE929D0E0E4736", NULL },
        { "00000000000000000000000000000000", NULL },
        { "4bf92f3577b34da6a3ce929d0e0e473\"", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct callback_query query = { .c = cases[i].c };
        struct callback read = read_query(&query), copy = read;
        callback_own(&copy);
        assert_true(copy.record.status == copy.status);
        if (cases[i].trace_id)
            assert_string_equal(copy.record.trace_id, cases[i].trace_id);
        else
            assert_null(copy.record.trace_id);
    }
}

static void assert_unknown(const char *m, const char *t, const char *k)
{
    static const unsigned char unknown[MESSAGE_ID_BYTES];
    struct sms_status record = read_url(m, t, k);

    print_message("m=%s t=%s k=%s\n", m ? m : "-", t ? t : "-", k ? k : "-");
    assert_memory_equal(record.message_id, unknown, sizeof(unknown));
    assert_int_equal(record.turn, 0);
}

static void a_right_tag_names_message_and_turn(void **state)
{
    static const struct {
        int32_t turn;
        const char *text;
    } turns[] = { { 1, "1" }, { 3, "3" }, { 1000000, "1000000" }, { 7, "007" } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        char tag[CALLBACK_TAG_TEXT_BYTES];
        keys_callback_tag(&keys, id, turns[i].turn, tag);
        struct sms_status record = read_url(id_text, turns[i].text, tag);
        assert_memory_equal(record.message_id, id, sizeof(id));
        assert_int_equal(record.turn, turns[i].turn);
    }
}

static void without_a_right_tag_nothing_is_named(void **state)
{
    char tag[CALLBACK_TAG_TEXT_BYTES], zero[CALLBACK_TAG_TEXT_BYTES],
        large[CALLBACK_TAG_TEXT_BYTES];

    (void)state;
    keys_callback_tag(&keys, id, 2, tag);
    keys_callback_tag(&keys, id, 0, zero);
    keys_callback_tag(&keys, id, 1000001, large);
    assert_unknown(NULL, "2", tag);
    assert_unknown(id_text, NULL, tag);
    assert_unknown(id_text, "2", NULL);
    assert_unknown("", "2", tag);
    assert_unknown(id_text, "", tag);
    assert_unknown(id_text, "2", "");
    assert_unknown(id_text, "1", tag);
    assert_unknown(id_text, "0", zero);
    assert_unknown(id_text, "1000001", large);
    assert_unknown(id_text, "-2", tag);
    assert_unknown(id_text, "2 ", tag);
    assert_unknown(id_text, "4294967298", tag);  // 2 in 32 bits
    assert_unknown("not-an-id", "2", tag);
    assert_unknown("019a8b1f-0000-7000-8000-000000000000", "2", tag);
    tag[0] = tag[0] == '0' ? '1' : '0';
    assert_unknown(id_text, "2", tag);
    keys_callback_tag(&keys, id, 2, tag);
    tag[15] = '\0';
    assert_unknown(id_text, "2", tag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_form_is_read),
        cmocka_unit_test(sid_status_and_error_code_are_taken),
        cmocka_unit_test(what_is_no_callback_is_refused),
        cmocka_unit_test(a_right_tag_names_message_and_turn),
        cmocka_unit_test(without_a_right_tag_nothing_is_named),
        cmocka_unit_test(the_trace_comes_along_when_it_is_one),
    };
    return cmocka_run_group_tests(tests, open_keys, close_keys);
}
