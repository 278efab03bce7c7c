#include "account.h"

#include "number_list.h"

#include "test.h"

#include <string.h>

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

static struct accounts opened(const struct account_settings *set)
{
    struct accounts a;
    struct err err = { 0 };

    if (accounts_open(&a, set, &err))
        fail_msg("%s", err.text);
    return a;
}

static struct account_settings with_credentials(void)
{
    struct account_settings set = plain();

    set.account_sid = T(AC);
    set.auth_token = T("token");
    set.phone_number = T("+15551234567");
    return set;
}

static void without_credentials_it_simulates(void **state)
{
    (void)state;
    struct account_settings set = plain();

    set.simulator_url = NULL;
    struct accounts a = opened(&set);
    assert_int_equal(a.mode, ACCOUNT_SIMULATE);
    assert_string_equal(a.missing.text, "");
    accounts_close(&a);
    set.public_url = T("http://webhook-receiver:8001");  // nobody outside calls it
    a = opened(&set);
    assert_string_equal(a.simulator.base_url, "http://127.0.0.1:8002");
    assert_string_equal(a.simulator.password, "simulated");
    assert_string_equal(a.simulator.sender, "+15005550006");
    assert_null(a.twilio.base_url);
    assert_null(a.twilio.auth_token);
    accounts_close(&a);
}

// What the mode is, and with it who may be reached.
static void the_mode_is_the_least_that_anybody_asked_for(void **state)
{
    (void)state;
    static const struct {
        bool credentials, test_mode;
        const char *mode;
        enum account_mode is;
        const char *missing;  // begins so
    } cases[] = {
        { false, false, NULL, ACCOUNT_SIMULATE, "" },
        { true, false, NULL, ACCOUNT_LIVE, "" },
        { true, true, NULL, ACCOUNT_SIMULATE, "" },
        { true, true, "live", ACCOUNT_SIMULATE, "" },
        { true, false, "simulate", ACCOUNT_SIMULATE, "" },
        { true, false, "listed", ACCOUNT_LISTED, "mode listed reaches nobody: set" },
        { false, false, "live", ACCOUNT_LIVE, "mode live has no credentials: set" },
        { false, false, "listed", ACCOUNT_LISTED, "mode listed has no credentials" },
        { false, true, "live", ACCOUNT_SIMULATE, "" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct account_settings set = cases[i].credentials ? with_credentials() : plain();
        set.test_mode = cases[i].test_mode;
        set.mode = T(cases[i].mode);
        print_message("case %zu\n", i);
        struct accounts a = opened(&set);
        assert_int_equal(a.mode, cases[i].is);
        assert_int_equal(a.missing.text[0] == '\0', cases[i].missing[0] == '\0');
        assert_memory_equal(a.missing.text, cases[i].missing, strlen(cases[i].missing));
        accounts_close(&a);
    }
}

static void no_mode_widens_what_the_installation_allows(void **state)
{
    (void)state;
    struct account_settings set = with_credentials();

    set.test_numbers = T("+15551230001");
    static const char *const modes[] = { "simulate", "listed", "live" };
    for (int is = 0; is < 3; is++) {
        set.mode = T(modes[is]);
        struct accounts a = opened(&set);
        for (int asked = 0; asked < 3; asked++) {
            enum account_mode got = accounts_mode(&a, (enum account_mode)asked);
            assert_int_equal(got, asked < is ? asked : is);
            const struct account *account = accounts_of(&a, (enum account_mode)asked);
            assert_ptr_equal(account, asked > is ? NULL
                                      : asked    ? &a.twilio
                                                 : &a.simulator);
        }
        accounts_close(&a);
    }
}

static void beside_a_live_account_the_simulator_has_to_be_configured(void **state)
{
    (void)state;
    struct account_settings set = with_credentials();

    struct accounts a = opened(&set);
    assert_string_equal(accounts_of(&a, ACCOUNT_SIMULATE)->password, "simulated");
    assert_string_equal(accounts_of(&a, ACCOUNT_SIMULATE)->sender, "+15551234567");
    assert_string_equal(accounts_of(&a, ACCOUNT_LIVE)->password, "token");
    accounts_close(&a);
    set.simulator_url = NULL;
    a = opened(&set);
    assert_null(accounts_of(&a, ACCOUNT_SIMULATE));
    assert_null(a.simulator.auth_token);
    accounts_close(&a);
}

static void an_api_key_sends_and_the_auth_token_signs(void **state)
{
    (void)state;
    struct account_settings set = with_credentials();

    set.api_key_sid = T(SK);
    set.api_key_secret = T("secret");
    struct accounts a = opened(&set);
    assert_string_equal(a.twilio.account_sid, AC);
    assert_string_equal(a.twilio.user, SK);
    assert_string_equal(a.twilio.password, "secret");
    assert_string_equal(a.twilio.auth_token, "token");
    accounts_close(&a);
}

static void the_messaging_service_is_the_sender_when_asked_for(void **state)
{
    (void)state;
    struct account_settings set = plain();

    set.phone_number = T("+15551234567");
    set.messaging_service_sid = T(MG);
    struct accounts a = opened(&set);
    assert_string_equal(a.simulator.sender, "+15551234567");
    accounts_close(&a);
    set.use_messaging_service = true;
    a = opened(&set);
    assert_string_equal(a.simulator.sender, MG);
    accounts_close(&a);
}

static void listed_numbers_are_found_as_they_are_written(void **state)
{
    (void)state;
    struct number_list *list;
    struct err err = { 0 };

    assert_int_equal(number_list_open(&list, "+15551230002, +41791234567 ,+15551230001",
                                      &err),
                     OUTCOME_OK);
    assert_int_equal(number_list_count(list), 3);
    assert_true(number_list_has(list, "+15551230001"));
    assert_true(number_list_has(list, "+15551230002"));
    assert_true(number_list_has(list, "+41791234567"));
    assert_false(number_list_has(list, "+1555123000"));
    assert_false(number_list_has(list, "+15551230003"));
    number_list_close(list);
    assert_int_equal(number_list_open(&list, "", &err), OUTCOME_OK);
    assert_false(number_list_has(list, "+15551230001"));
    number_list_close(list);
    static const char *const bad[] = { "5551230001",
                                       "+0551230001",
                                       "+1555",
                                       "+1555123000a",
                                       " ",
                                       "+1234567890123456",
                                       "+15551230001 +15551230002" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(number_list_open(&list, bad[i], &err), OUTCOME_REJECT);
        assert_non_null(strstr(err.text, "number 1 is not like +15551234567"));
    }
}

static void wrong_kinds_are_refused_with_the_kind_that_belongs_there(void **state)
{
    (void)state;
    struct account_settings a = plain(), b = plain(), c = plain(), d = plain(),
                            e = plain(), f = plain(), g = plain(), h = plain(),
                            known = with_credentials(), same = with_credentials(),
                            old = with_credentials(), word = plain(), number = plain();
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
    known.simulator_auth_token = T("00000000000000000000000000000002");
    same.simulator_auth_token = same.auth_token;
    old.auth_tokens_old = T("one,00000000000000000000000000000002");
    word.mode = T("test");
    number.test_numbers = T("+15551230001,0791234567");
    const struct {
        const struct account_settings *set;
        const char *complaint;
    } refused[] = {
        { &known, "simulator.auth_token is the default, which everybody knows: with "
                  "simulator.url beside a live account set one of its own, here and for "
                  "smsq-twilio-simulator" },
        { &old, "twilio.auth_tokens_old holds the simulator's default, which everybody "
                "knows: leave it out, it was never Twilio's" },
        { &same, "simulator.auth_token must not be Twilio's: it vouches for callbacks of "
                 "simulated messages only" },
        { &word, "twilio.mode is simulate, listed or live, not \"test\"" },
        { &number, "twilio.test_numbers (TWILIO_TEST_NUMBERS): number 2 is not like "
                   "+15551234567" },
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
        struct accounts accounts;
        struct err err = { 0 };
        assert_int_equal(accounts_open(&accounts, refused[i].set, &err), OUTCOME_REJECT);
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
        cmocka_unit_test(the_mode_is_the_least_that_anybody_asked_for),
        cmocka_unit_test(no_mode_widens_what_the_installation_allows),
        cmocka_unit_test(beside_a_live_account_the_simulator_has_to_be_configured),
        cmocka_unit_test(listed_numbers_are_found_as_they_are_written),
        cmocka_unit_test(an_api_key_sends_and_the_auth_token_signs),
        cmocka_unit_test(the_messaging_service_is_the_sender_when_asked_for),
        cmocka_unit_test(wrong_kinds_are_refused_with_the_kind_that_belongs_there),
        cmocka_unit_test(senders_are_told_apart_by_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
