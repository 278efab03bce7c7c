// Inbound messages: what our record shows of a form of Twilio's, and that any form of
// Twilio's that says something is taken.
#include "inbound.h"

#include "form.h"
#include "keys.h"
#include "test.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

#define HEX64   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SID     "SM0123456789abcdef0123456789abcdef"
#define MMS     "MM0123456789abcdef0123456789abcdef"
#define SERVICE "MG0123456789abcdef0123456789abcdef"
#define T(text) ((char *)(uintptr_t)(text))

static struct keys keys;

static int open_keys(void **state)
{
    const struct keys_settings set = { T(HEX64), T("1:" HEX64) };

    (void)state;
    assert_int_equal(keys_open(&keys, &set, NULL), OUTCOME_OK);
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    keys_close(&keys);
    return 0;
}

static enum outcome read_form(struct inbound *out, const char *body, const char *token,
                              struct err *err)
{
    struct form form;

    assert_int_equal(form_parse(&form, body, strlen(body), err), OUTCOME_OK);
    enum outcome rc = inbound_read(out, &form, token, &keys, err);
    form_free(&form);  // nothing of it may point into the form
    return rc;
}

static void a_usual_form_is_read(void **state)
{
    struct inbound in;
    struct sms_inbound record;
    unsigned char hash[TO_HASH_BYTES];

    (void)state;
    assert_int_equal(
        read_form(&in,
                  "MessageSid=" SID "&SmsSid=" SID
                  "&From=%2B14155552671&To=%2B15005550006"
                  "&Body=stop&NumMedia=2&OptOutType=STOP&MessagingServiceSid=" SERVICE,
                  "a-token", NULL),
        OUTCOME_OK);
    inbound_record(&record, &in);
    assert_string_equal(record.twilio_sid, SID);
    assert_string_equal(record.channel, "sms");
    assert_string_equal(record.country, "US");
    assert_string_equal(record.from_hint, "US\u2026671");
    assert_string_equal(record.opt_out, "STOP");
    assert_string_equal(record.messaging_service_sid, SERVICE);
    assert_string_equal(record.idempotency_token, "a-token");
    assert_int_equal(record.media_count, 2);
    keys_to_hash(&keys, "+14155552671", hash);
    assert_int_equal(record.from_hash.len, sizeof(hash));
    assert_memory_equal(record.from_hash.bytes, hash, sizeof(hash));
    keys_to_hash(&keys, "+15005550006", hash);
    assert_memory_equal(record.to_hash.bytes, hash, sizeof(hash));
    assert_true(record.received_at > 0);
}

static const struct {
    const char *what, *from, *channel, *hashed, *hint;
} senders[] = {
    { "a number", "%2B41791234567", "sms", "+41791234567", "CH\u2026567" },
    { "the same on WhatsApp", "whatsapp:%2B41791234567", "whatsapp", "+41791234567",
      "CH\u2026567" },
    { "a short code", "12345", "sms", "12345", "" },
    { "a name", "ACME", "sms", "ACME", "" },
    { "a channel in capitals is none", "RCS:x", "sms", "RCS:x", "" },
    { "a channel that is too long is none", "abcdefghijklmnopqrstuvwxyz:1", "sms",
      "abcdefghijklmnopqrstuvwxyz:1", "" },
    { "too short for a number", "%2B1", "sms", "+1", "" },
};

static void a_sender_is_the_same_person_on_every_channel(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(senders); i++) {
        struct inbound in;
        unsigned char hash[TO_HASH_BYTES];
        char body[256];

        print_message("%s\n", senders[i].what);
        (void)snprintf(body, sizeof(body), "MessageSid=" MMS "&From=%s", senders[i].from);
        assert_int_equal(read_form(&in, body, NULL, NULL), OUTCOME_OK);
        assert_string_equal(in.channel, senders[i].channel);
        assert_string_equal(in.from_hint, senders[i].hint);
        keys_to_hash(&keys, senders[i].hashed, hash);
        assert_memory_equal(in.from_hash, hash, sizeof(hash));
    }
}

static const char *const odd[] = {
    "x=1",
    "MessageSid=nothing&From=&To=",
    "From=%00&NumMedia=many&OptOutType=%1b%5b2J&MessagingServiceSid=SM1",
    "MessageSid=%ff%fe&From=%ff%fe&NumMedia=99999",
};

static void an_odd_form_is_taken_with_what_can_be_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        struct inbound in;
        struct sms_inbound record;

        print_message("%s\n", odd[i]);
        assert_int_equal(read_form(&in, odd[i], "a token\n", NULL), OUTCOME_OK);
        inbound_record(&record, &in);
        assert_null(record.twilio_sid);
        assert_null(record.opt_out);
        assert_null(record.messaging_service_sid);
        assert_null(record.idempotency_token);
        assert_int_equal(record.media_count, 0);
        assert_string_equal(record.channel, "sms");
    }
}

static void the_sid_of_an_older_name_is_read(void **state)
{
    struct inbound in;

    (void)state;
    assert_int_equal(read_form(&in, "SmsSid=" SID, NULL, NULL), OUTCOME_OK);
    assert_string_equal(in.sid, SID);
    assert_false(in.has_from);
}

static void an_empty_form_is_refused(void **state)
{
    struct inbound in;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(read_form(&in, "", NULL, &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "the form is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usual_form_is_read),
        cmocka_unit_test(a_sender_is_the_same_person_on_every_channel),
        cmocka_unit_test(an_odd_form_is_taken_with_what_can_be_read),
        cmocka_unit_test(the_sid_of_an_older_name_is_read),
        cmocka_unit_test(an_empty_form_is_refused),
    };
    return cmocka_run_group_tests(tests, open_keys, close_keys);
}
