// What a create may ask for, and the code of what it may not.
#include "form.h"
#include "rate_card.h"
#include "sim_accounts.h"
#include "sim_check.h"
#include "sim_pairs.h"
#include "sim_phone.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define TO      "To=%2B14155550100"
#define FROM    "&From=%2B15005550006"
#define SERVICE "&MessagingServiceSid=MG00000000000000000000000000000003"
#define BODY    "&Body=hi"

#define NOW_US INT64_C(1795000000000000)  // 17 November 2026

static const char card[] =
    "country,sender_type,channel,direction,price,carrier_fee,currency,source,as_of\n"
    "*,number,sms,outbound,0.05,0,USD,test,2026-11-01\n"
    "*,alphanumeric,sms,outbound,0.06,0,USD,test,2026-11-01\n"
    "US,number,sms,outbound,0.0083,0.003,USD,test,2026-11-01\n"
    "US,messaging_service,sms,outbound,0.009,0,USD,test,2026-11-01\n";

static struct sim_accounts accounts;
static struct sim_account *account;
static struct sim_pairs stopped, heard;
static struct sim_checker checker;

static int set_up(void **state)
{
    struct rate_card *rates = NULL;
    struct err err = { 0 };

    (void)state;
    if (rate_card_parse(&rates, card, strlen(card), &err)) {
        print_error("%s\n", err.text);
        return -1;
    }
    accounts = (struct sim_accounts){ .sids = sim_sids_new("seed"),
                                      .any_sender = "+15005550006" };
    account = sim_accounts_add(&accounts, "AC00000000000000000000000000000001", "token",
                               NULL, 1);
    account->owns_all_senders = account->has_all_services = true;
    checker = (struct sim_checker){
        .phones = sim_phone_memory_new(),
        .rates = rates,
        .accounts = &accounts,
        .stopped = &stopped,
        .heard = &heard,
        .now_us = NOW_US,
    };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_phone_memory_free(checker.phones);
    rate_card_free((struct rate_card *)(uintptr_t)checker.rates);
    sim_accounts_free(&accounts);
    sim_sids_free(accounts.sids);
    sim_pairs_clear(&stopped);
    sim_pairs_clear(&heard);
    return 0;
}

// The form must outlive what was checked; the caller frees it.
static enum outcome check(struct sim_checked *out, struct form *form, const char *body,
                          struct sim_error *error)
{
    struct err err = { 0 };

    assert_int_equal(form_parse(form, body, strlen(body), &err), OUTCOME_OK);
    return sim_check(out, &checker, account, form, error);
}

static const struct {
    const char *body;
    int status, code;
    const char *part;  // of the message
} refused[] = {
    { "", 400, 21604, "'To' phone number is required" },
    { "To=" FROM BODY, 400, 21604, "required" },
    { TO BODY, 400, 21603, "'From'" },
    { TO FROM, 400, 21602, "body" },
    { TO FROM "&Body=", 400, 21602, "body" },
    { "To=hello" FROM BODY, 400, 21211, "hello" },
    { "To=%2B1415" FROM BODY, 400, 21211, "+1415" },
    { "To=%2B1415555010012345" FROM BODY, 400, 21211, "not a valid" },
    { "To=a%00b%ff%22" FROM BODY, 400, 21211, "a?b?\"" },
    { "To=12345" FROM BODY, 400, 21265, "12345" },
    { TO "&From=no%20sender%21" BODY, 400, 21212, "no sender!" },
    { TO "&From=waytoolongname" BODY, 400, 21212, "waytoolongname" },
    { TO "&From=%2B14155550100" BODY, 400, 21266, "same" },
    { TO "&From=%2B15005550001" BODY, 400, 21212, "+15005550001" },
    { TO "&From=%2B15005550007" BODY, 400, 21606, "+15005550007" },
    { TO "&From=%2B15005550008" BODY, 400, 21611, "queued" },
    { "To=%2B15005550001" FROM BODY, 400, 21211, "+15005550001" },
    { "To=%2B15005550002" FROM BODY, 400, 21612, "+15005550002" },
    { "To=%2B15005550003" FROM BODY, 400, 21408, "+15005550003" },
    { "To=%2B15005550004" FROM BODY, 400, 21610, "opted out" },
    { "To=%2B15005550009" FROM BODY, 400, 21614, "mobile" },
    { "To=%2B15005550001" SERVICE BODY, 400, 21211, "+15005550001" },
    { "To=%2B15005550003" SERVICE BODY, 400, 21408, "+15005550003" },
    { TO "&MessagingServiceSid=MG3" BODY, 400, 21705, "MG3" },
    { TO "&MessagingServiceSid=MG0000000000000000000000000000000x" BODY, 400, 21705, "" },
    { TO FROM "&Body=a%00b", 400, 21618, "" },
    { TO FROM "&Body=%ff", 400, 21618, "" },
    { TO FROM BODY "&StatusCallback=nowhere", 400, 21609, "nowhere" },
    { TO FROM BODY "&StatusCallback=http%3A%2F%2Fa_b.com%2F", 400, 21609, "a_b.com" },
    { TO FROM BODY "&ValidityPeriod=0", 400, 90014, "" },
    { TO FROM BODY "&ValidityPeriod=-5", 400, 90014, "" },
    { TO FROM BODY "&ValidityPeriod=1.5", 400, 90014, "" },
    { TO FROM BODY "&ValidityPeriod=36001", 400, 90007, "36001" },
    { TO FROM BODY "&ValidityPeriod=99999999999999999999999999", 400, 90007, "" },
};

static void refuses_with_twilios_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct sim_checked checked;
        struct sim_error error = { 0 };
        struct form form = { 0 };

        print_message("%s\n", refused[i].body);
        assert_int_equal(check(&checked, &form, refused[i].body, &error), OUTCOME_REJECT);
        assert_int_equal(error.code, refused[i].code);
        assert_int_equal(error.status, refused[i].status);
        assert_non_null(strstr(error.message, refused[i].part));
        assert_null(strstr(error.message, "%s"));
        form_free(&form);
    }
}

static const struct {
    const char *body, *to, *from;
    int segments;
    int64_t cost_micros;
    int fate;
} accepted[] = {
    { TO FROM BODY, "+14155550100", "+15005550006", 1, 11300, 0 },
    { "To=%2B1+%28415%29+555-0100" FROM BODY, "+14155550100", "+15005550006", 1, 11300,
      0 },
    { "To=4155550100" FROM BODY, "+14155550100", "+15005550006", 1, 11300, 0 },
    { "To=%2B41791234567" FROM BODY, "+41791234567", "+15005550006", 1, 50000, 0 },
    { "To=%2B41791234567&From=SHOP" BODY, "+41791234567", "SHOP", 1, 60000, 0 },
    { "To=%2B41791234567&From=12345" BODY, "+41791234567", "12345", 1, 0, 0 },
    { TO SERVICE BODY, "+14155550100", "", 1, 9000, 0 },
    { TO SERVICE FROM BODY, "+14155550100", "+15005550006", 1, 9000, 0 },
    { "To=%2B15005550004" SERVICE BODY, "+15005550004", "", 1, 9000, 21610 },
    { TO FROM BODY "&ValidityPeriod=36000&Unknown=1&Body=second", "+14155550100",
      "+15005550006", 1, 11300, 0 },
};

static void accepts_and_normalises_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        struct sim_checked checked;
        struct sim_error error = { 0 };
        struct form form = { 0 };

        print_message("%s\n", accepted[i].body);
        enum outcome rc = check(&checked, &form, accepted[i].body, &error);
        if (rc)
            fail_msg("%d %s", error.code, error.message);
        const struct sim_draft *d = &checked.draft;
        assert_int_equal(d->to.len, strlen(accepted[i].to));
        assert_memory_equal(d->to.bytes, accepted[i].to, d->to.len);
        assert_int_equal(d->from.len, strlen(accepted[i].from));
        assert_memory_equal(d->from.bytes, accepted[i].from, d->from.len);
        assert_int_equal(d->segments, accepted[i].segments);
        assert_int_equal(d->cost_micros, accepted[i].cost_micros);
        assert_int_equal(d->fate_code, accepted[i].fate);
        form_free(&form);
    }
}

static enum outcome check_body_of(const char *character, int count, int *segments,
                                  int *code)
{
    static char body[16384];
    struct sim_checked checked;
    struct sim_error error = { 0 };
    struct form form = { 0 };
    size_t len = (size_t)snprintf(body, sizeof(body), "%s", TO FROM "&Body=");

    for (int i = 0; i < count; i++)
        len += (size_t)snprintf(body + len, sizeof(body) - len, "%s", character);
    enum outcome rc = check(&checked, &form, body, &error);
    *segments = checked.draft.segments;
    *code = error.code;
    form_free(&form);
    return rc;
}

static void counts_characters_not_bytes(void **state)
{
    int segments = 0, code = 0;

    (void)state;
    assert_int_equal(check_body_of("a", 1600, &segments, &code), OUTCOME_OK);
    assert_int_equal(segments, 11);
    assert_int_equal(check_body_of("a", 1601, &segments, &code), OUTCOME_REJECT);
    assert_int_equal(code, 21617);
    assert_int_equal(check_body_of("\xF0\x9F\x98\x80", 1600, &segments, &code),
                     OUTCOME_OK);
    assert_int_equal(segments, 49);
    assert_int_equal(check_body_of("\xF0\x9F\x98\x80", 1601, &segments, &code),
                     OUTCOME_REJECT);
}

static void knows_only_its_own_senders_and_service_if_told(void **state)
{
    static const struct {
        const char *body;
        int code;
    } cases[] = {
        { TO FROM BODY, 0 },
        { TO "&From=SHOP" BODY, 0 },
        { TO "&From=SHO" BODY, 21659 },
        { TO "&From=%2B1500555000" BODY, 21659 },
        { TO "&From=%2B14155550199" BODY, 21659 },
        { TO SERVICE BODY, 21701 },
        { TO "&MessagingServiceSid=MG00000000000000000000000000000009" BODY, 0 },
    };

    (void)state;
    account->owns_all_senders = account->has_all_services = false;
    assert_non_null(sim_account_add_sender(account, accounts.sids, "+15005550006", 1));
    assert_non_null(sim_account_add_sender(account, accounts.sids, "SHOP", 1));
    assert_non_null(sim_account_add_service(account, accounts.sids,
                                            "MG00000000000000000000000000000009", 1));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sim_checked checked;
        struct sim_error error = { 0 };
        struct form form = { 0 };

        print_message("%s\n", cases[i].body);
        enum outcome rc = check(&checked, &form, cases[i].body, &error);
        assert_int_equal(rc ? error.code : 0, cases[i].code);
        if (error.code == 21701)
            assert_int_equal(error.status, 404);
        form_free(&form);
    }
}

static void counts_what_is_scheduled(void **state)
{
    static const char body[] = TO SERVICE BODY "&ScheduleType=fixed&SendAt=2026-11-18";
    static const struct {
        const char *time;
        size_t waiting;
        int code;
    } cases[] = {
        { "T22%3A06%3A40Z", 0, 0 },  // a day later
        { "T22%3A06%3A40", SIM_CHECK_SCHEDULED_MAX - 1, 0 },
        { "T22%3A06%3A40Z", SIM_CHECK_SCHEDULED_MAX, 35125 },
        { "", 0, 35114 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[256];
        struct sim_checked checked;
        struct sim_error error = { 0 };
        struct form form = { 0 };

        (void)snprintf(text, sizeof(text), "%s%s", body, cases[i].time);
        account->scheduled_count = cases[i].waiting;
        enum outcome rc = check(&checked, &form, text, &error);
        assert_int_equal(rc ? error.code : 0, cases[i].code);
        if (!rc)
            assert_int_equal(checked.draft.send_at_us / 1000000, 1795039600);
        form_free(&form);
    }
}

static void the_memory_of_phones_answers_as_the_library(void **state)
{
    static const char *const numbers[] = {
        "+14155550100",  "+14155550199",  "+16045550100",   "+18765550100",
        "+447911123456", "+447781123456", "+447781123999",  "+77011234567",
        "+74951234567",  "+41791234567",  "+8613812345678", "+919812345678",
        "+390612345678", "+262692123456",
    };
    struct sim_phone_memory *memory = sim_phone_memory_new();

    (void)state;
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT_OF(numbers); i++) {
            struct phone a = { 0 }, b = { 0 };
            struct err err = { 0 };
            size_t len = strlen(numbers[i]);

            assert_int_equal(sim_phone_read(&a, memory, numbers[i], len),
                             phone_parse(&b, numbers[i], len, "US", &err));
            assert_string_equal(a.e164, b.e164);
            assert_string_equal(a.country, b.country);
        }
    sim_phone_memory_free(memory);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(refuses_with_twilios_codes),
        TEST(accepts_and_normalises_the_rest),
        TEST(counts_characters_not_bytes),
        TEST(knows_only_its_own_senders_and_service_if_told),
        TEST(counts_what_is_scheduled),
        TEST(the_memory_of_phones_answers_as_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
