// Twilio's answers about messages: pages, single ones, dates and prices.
#include "provider_read.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SID "SM0123456789abcdef0123456789abcdef"
#define ONE                                                                              \
    "{\"sid\":\"" SID "\",\"status\":\"sent\",\"from\":null,\"price\":\"-0.00830\","     \
    "\"price_unit\":\"USD\",\"direction\":\"outbound-api\",\"num_segments\":\"2\","      \
    "\"error_code\":30003,\"body\":\"H\\u0069\","                                        \
    "\"date_created\":\"Sat, 21 Nov 2026 10:00:01 +0000\"}"

static void prices(void **state)
{
    static const struct {
        const char *text;
        int64_t micros;  // -1 = none
    } rows[] = {
        { "-0.00830", 8300 },
        { "0.0083", 8300 },
        { "-1", 1000000 },
        { "0", 0 },
        { "-0.0000005", 1 },
        { "-0.0000004999", 0 },
        { "12.345678", 12345678 },
        { "", -1 },
        { "-", -1 },
        { ".5", -1 },
        { "1e3", -1 },
        { "1.2.3", -1 },
        { "--1", -1 },
        { "99999999999999", -1 },
        { "0.1x", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t micros = 0;
        bool good = provider_read_price(&micros, rows[i].text);
        if (good != (rows[i].micros >= 0) || (good && micros != rows[i].micros))
            fail_msg("%s: %lld", rows[i].text, (long long)micros);
    }
}

static void dates(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;  // 0 = none
    } rows[] = {
        { "Sat, 21 Nov 2026 10:00:01 +0000", 1795255201 },
        { "Sat, 21 Nov 2026 10:00:01 +0100", 1795251601 },
        { "Thu, 29 Feb 2024 00:00:00 +0000", 1709164800 },
        { "Sat, 30 Feb 2026 10:00:01 +0000", 0 },
        { "Sat, 21 ovD 2026 10:00:01 +0000", 0 },
        { "Sat, 21 Nov 2026 10:00:01", 0 },
        { "2026-11-21T10:00:01Z", 0 },
        { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t us = 0;
        bool good = provider_read_date(&us, rows[i].text);
        if (good != (rows[i].seconds != 0) ||
            (good && us != rows[i].seconds * INT64_C(1000000)))
            fail_msg("%s: %lld", rows[i].text, (long long)us);
    }
}

static void check_one(const struct provider_message *m)
{
    assert_string_equal(m->sid, SID);
    assert_string_equal(m->status, "sent");
    assert_string_equal(m->from, "");
    assert_true(m->has_price && m->is_outbound);
    assert_int_equal(m->price_micros, 8300);
    assert_string_equal(m->price_unit, "USD");
    assert_int_equal(m->segments, 2);
    assert_int_equal(m->error_code, 30003);
    assert_string_equal(m->body, "Hi");
    assert_int_equal(m->created_us, INT64_C(1795255201000000));
}

static void pages_and_single_messages(void **state)
{
    static struct provider_page page;
    static const char single[] = ONE;
    static const char list[] =
        "{\"messages\":[" ONE "," ONE "],\"next_page_uri\":\"/x\"}";
    static const char empty[] = "{\"next_page_uri\":null,\"messages\":[]}";
    struct json_reader *json = json_reader_new();

    (void)state;
    assert_int_equal(provider_read(&page, json, single, strlen(single), NULL),
                     OUTCOME_OK);
    assert_int_equal(page.count, 1);
    check_one(&page.messages[0]);
    provider_page_free(&page);
    assert_int_equal(provider_read(&page, json, list, strlen(list), NULL), OUTCOME_OK);
    assert_int_equal(page.count, 2);
    check_one(&page.messages[1]);
    assert_string_equal(page.next_uri, "/x");
    provider_page_free(&page);
    assert_int_equal(provider_read(&page, json, empty, strlen(empty), NULL), OUTCOME_OK);
    assert_int_equal(page.count, 0);
    assert_null(page.next_uri);
    provider_page_free(&page);
    json_reader_free(json);
}

static void anything_else_is_refused(void **state)
{
    static struct provider_page page;
    static const char *const bodies[] = {
        "",
        "[]",
        "<html>",
        "{}",
        "{\"sid\":\"SM1\",\"status\":\"sent\"}",
        "{\"sid\":\"" SID "\"}",
        "{\"messages\":[1]}",
        "{\"messages\":[{}]}",
        "{\"messages\":[" ONE "," ONE,
        "{\"messages\":[" ONE "],\"next_page_uri\":\"/x\"",
    };
    struct json_reader *json = json_reader_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        assert_int_equal(provider_read(&page, json, bodies[i], strlen(bodies[i]), NULL),
                         OUTCOME_REJECT);
    json_reader_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices),
        cmocka_unit_test(dates),
        cmocka_unit_test(pages_and_single_messages),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
