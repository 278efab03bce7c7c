#include "account.h"

#include "test.h"

#define AC "AC0123456789abcdef0123456789abcdef"
#define SK "SK0123456789abcdef0123456789abcdef"
#define MG "MG0123456789abcdef0123456789abcdef"
#define OR "OR0123456789abcdef0123456789abcdef"

// Texts of a settings struct are char *; the tests never write through them.
#define T(text) ((char *)(uintptr_t)(text))

static struct account_settings plain(void)
{
    return (struct account_settings){
        .base_url = T("https://api.twilio.com"),
        .simulator_url = T("http://127.0.0.1:8002"),
        .simulator_account_sid = T(AC),
        .simulator_auth_token = T("simulated"),
        .public_url = T("https://sms.example.com"),
    };
}

static void without_credentials_it_simulates(void **state)
{
    (void)state;
    struct account_settings set = plain();
    struct account a;
    struct err err = { 0 };

    assert_int_equal(account_resolve(&a, &set, &err), OUTCOME_OK);
    assert_int_equal(a.mode, ACCOUNT_SIMULATE);
    assert_string_equal(a.base_url, "http://127.0.0.1:8002");
    assert_string_equal(a.password, "simulated");
    assert_string_equal(a.sender, "+15005550006");
    set.public_url = T("http://webhook-receiver:8001");
    assert_int_equal(account_resolve(&a, &set, &err), OUTCOME_OK);
}

static void credentials_make_it_live_unless_test_mode_is_on(void **state)
{
    (void)state;
    struct account_settings set = plain();
    struct account a;
    struct err err = { 0 };

    set.account_sid = T(AC);
    set.auth_token = T("token");
    set.phone_number = T("+15551234567");
    assert_int_equal(account_resolve(&a, &set, &err), OUTCOME_OK);
    assert_int_equal(a.mode, ACCOUNT_LIVE);
    assert_string_equal(a.user, AC);
    assert_string_equal(a.password, "token");
    assert_string_equal(a.sender, "+15551234567");
    set.test_mode = true;
    assert_int_equal(account_resolve(&a, &set, &err), OUTCOME_OK);
    assert_int_equal(a.mode, ACCOUNT_SIMULATE);
}

static void an_api_key_sends_and_the_auth_token_signs(void **state)
{
    (void)state;
    struct account_settings set = plain();
    struct account a;
    struct err err = { 0 };

    set.account_sid = T(AC);
    set.auth_token = T("token");
    set.api_key_sid = T(SK);
    set.api_key_secret = T("secret");
    assert_int_equal(account_resolve(&a, &set, &err), OUTCOME_OK);
    assert_string_equal(a.account_sid, AC);
    assert_string_equal(a.user, SK);
    assert_string_equal(a.password, "secret");
    assert_string_equal(a.auth_token, "token");
}

static void the_messaging_service_is_the_sender_when_asked_for(void **state)
{
    (void)state;
    struct account_settings set = plain();
    struct account a;
    struct err err = { 0 };

    set.phone_number = T("+15551234567");
    set.messaging_service_sid = T(MG);
    assert_int_equal(account_resolve(&a, &set, &err), OUTCOME_OK);
    assert_string_equal(a.sender, "+15551234567");
    set.use_messaging_service = true;
    assert_int_equal(account_resolve(&a, &set, &err), OUTCOME_OK);
    assert_string_equal(a.sender, MG);
}

static void wrong_kinds_are_refused_with_the_kind_that_belongs_there(void **state)
{
    (void)state;
    struct account_settings a = plain(), b = plain(), c = plain(), d = plain(),
                            e = plain(), f = plain(), g = plain(), h = plain();
    a.account_sid = T(OR);
    b.api_key_sid = T(AC);
    b.api_key_secret = T("x");
    c.messaging_service_sid = T(SK);
    d.api_key_sid = T(SK);
    e.use_messaging_service = true;
    f.public_url = T("http://sms.example.com");
    f.account_sid = T(AC);
    f.auth_token = T("token");
    g.public_url = T("https://sms.example.com/");
    h.status_callback = T("https://other.example.com/webhooks/twilio/status/");
    const struct {
        const struct account_settings *set;
        const char *complaint;
    } refused[] = {
        { &a, "twilio.account_sid begins with \"OR\": an account SID belongs there "
              "(AC and 32 hex digits)" },
        { &b, "twilio.api_key_sid begins with \"AC\": an API key SID belongs there "
              "(SK and 32 hex digits)" },
        { &c, "twilio.messaging_service_sid begins with \"SK\": a Messaging Service SID "
              "belongs there (MG and 32 hex digits)" },
        { &d, "twilio.api_key_sid and twilio.api_key_secret belong together" },
        { &e, "twilio.use_messaging_service needs twilio.messaging_service_sid" },
        { &f, "public.url must begin with https:// (plain http only on loopback, or in "
              "mode simulate)" },
        { &g, "public.url must not end in '/'" },
        { &h, "twilio.status_callback (STATUS_CALLBACK_URL) must begin with public.url, "
              "which "
              "is https://sms.example.com" },
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct account account;
        struct err err = { 0 };
        assert_int_equal(account_resolve(&account, refused[i].set, &err), OUTCOME_REJECT);
        assert_string_equal(err.text, refused[i].complaint);
    }
}

static void senders_are_told_apart_by_form(void **state)
{
    (void)state;
    static const struct {
        const char *sender, *type;
    } senders[] = {
        { "+15551234567", "number" },
        { MG, "messaging_service" },
        { "12345", "short_code" },
        { "Acme", "alphanumeric" },
        { "Acme 24-7_&+", NULL },
        { "A+B & C", "alphanumeric" },
        { "12", NULL },
        { "123456789", NULL },
        { "", NULL },
        { "+0555123456", NULL },
        { "+1555123456789012", NULL },
        { "Zürich", NULL },
    };
    for (size_t i = 0; i < COUNT_OF(senders); i++) {
        const char *type = account_sender_type(senders[i].sender);
        print_message("%s\n", senders[i].sender);
        if (senders[i].type)
            assert_string_equal(type, senders[i].type);
        else
            assert_null(type);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_credentials_it_simulates),
        cmocka_unit_test(credentials_make_it_live_unless_test_mode_is_on),
        cmocka_unit_test(an_api_key_sends_and_the_auth_token_signs),
        cmocka_unit_test(the_messaging_service_is_the_sender_when_asked_for),
        cmocka_unit_test(wrong_kinds_are_refused_with_the_kind_that_belongs_there),
        cmocka_unit_test(senders_are_told_apart_by_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
