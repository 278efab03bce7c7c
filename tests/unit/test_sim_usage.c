// What is booked comes out again in each category, and the whole is the sum of its parts.
#include "sim_store.h"
#include "sim_usage_categories.h"
#include "test.h"

#include <string.h>

enum { DAY_S = 86400, TODAY = 20000 };

static struct sim_text text(const char *t)
{
    return (struct sim_text){ t, strlen(t) };
}

static void book(struct sim_usage *u, struct sim_store *store, const char *to,
                 const char *from, bool is_in, size_t media, int32_t day)
{
    const struct sim_draft draft = {
        .to = text(to),
        .from = text(from),
        .body = text("hi"),
        .media = { text("http://m/") },
        .media_count = media,
        .direction = is_in ? SIM_INBOUND : SIM_OUTBOUND_API,
        .segments = 2,
        .cost_micros = 100,
        .fee_micros = is_in ? 0 : 30,
    };
    sim_usage_bill(u, sim_store_add(store, &draft, 0), (int64_t)day * DAY_S);
}

static const struct {
    const char *category;
    int64_t count, units, micros;
} wanted[] = {
    { "sms", 5, 10, 410 },
    { "sms-outbound", 3, 6, 210 },
    { "sms-outbound-longcode", 1, 2, 70 },
    { "sms-outbound-shortcode", 1, 2, 70 },
    { "sms-inbound", 2, 4, 200 },
    { "sms-inbound-shortcode", 1, 2, 100 },
    { "sms-messages-carrierfees", 4, 8, 120 },  // WhatsApp's stand here too
    { "mms-outbound", 1, 1, 70 },
    { "mms-inbound", 0, 0, 0 },
    { "mms-messages-carrierfees", 1, 2, 30 },
    { "channels-whatsapp", 1, 2, 70 },
    { "failed-message-processing-fee", 1, 1, 7 },
    { "totalprice", 0, 0, 707 },
};

static void sums_by_category_and_day(void **state)
{
    struct sim_usage u = { 0 };
    struct sim_store *store = sim_store_new();
    const struct sim_usage_period all = { INT32_MIN, INT32_MAX };

    (void)state;
    book(&u, store, "+41791234567", "+15005550006", false, 0, TODAY);
    book(&u, store, "+41791234567", "12345", false, 0, TODAY);
    book(&u, store, "+41791234567", "Shop", false, 0, TODAY);
    book(&u, store, "+15005550006", "+41791234567", true, 0, TODAY);
    book(&u, store, "12345", "+41791234567", true, 0, TODAY);
    book(&u, store, "+41791234567", "+15005550006", false, 1, TODAY + 1);
    book(&u, store, "whatsapp:+41791234567", "whatsapp:+15005550006", false, 0,
         TODAY + 2);
    sim_usage_failed(&u, 7, (int64_t)(TODAY + 2) * DAY_S);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        print_message("%s\n", wanted[i].category);
        const struct sim_usage_category *c = sim_usage_category_find(wanted[i].category);
        assert_non_null(c);
        struct sim_usage_sum sum = sim_usage_category_sum(&u, c, all);
        assert_int_equal(sum.micros, wanted[i].micros);
        if (c->unit) {
            assert_int_equal(sum.count, wanted[i].count);
            assert_int_equal(sum.units, wanted[i].units);
        }
    }
    assert_int_equal(sim_usage_total(&u), 707);
    assert_int_equal(sim_usage_between(&u, SIM_USAGE_MMS_OUT, TODAY, TODAY).count, 0);
    assert_int_equal(sim_usage_between(&u, SIM_USAGE_MMS_OUT, TODAY + 1, TODAY + 1).count,
                     1);
    sim_usage_clear(&u);
    sim_store_free(store);
}

static void months_and_years_begin_on_their_first_day(void **state)
{
    (void)state;
    assert_int_equal(sim_usage_begin_of(19783, 'd'), 19783);  // 1 March 2024
    assert_int_equal(sim_usage_begin_of(19783, 'm'), 19783);
    assert_int_equal(sim_usage_begin_of(19782, 'm'), 19754);  // 29 February
    assert_int_equal(sim_usage_begin_of(19783, 'y'), 19723);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_by_category_and_day),
        cmocka_unit_test(months_and_years_begin_on_their_first_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
