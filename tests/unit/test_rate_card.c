#include "test.h"

#include "rate_card.h"

#include <stdio.h>
#include <string.h>

#define HEADER                                                                           \
    "country,sender_type,channel,direction,price,carrier_fee,currency,source,as_of\n"
#define US_ROW   "US,number,sms,outbound,0.0083,0.0045,USD,list,2026-11-01\n"
#define STAR_ROW "*,number,sms,outbound,0.05,0,EUR,\"default, not a price\",2026-11-01\n"

static const struct {
    const char *text;
    int64_t micros;  // -1 = refused
} decimals[] = {
    { "0", 0 },
    { "0.0083", 8300 },
    { "0.000001", 1 },
    { "12", 12000000 },
    { "0.29", 290000 },  // 0.29 has no exact binary form
    { "1.100000", 1100000 },
    { "007.5", 7500000 },
    { "1000", 1000000000 },
    { "1000.000001", -1 },
    { "1001", -1 },
    { "99999999999999999999999999", -1 },
    { "0.0000001", -1 },
    { "", -1 },
    { ".5", -1 },
    { "5.", -1 },
    { "-1", -1 },
    { "+1", -1 },
    { " 1", -1 },
    { "1 ", -1 },
    { "1e3", -1 },
    { "1x", -1 },
    { "0.1.2", -1 },
    { "0,5", -1 },
    { "0x10", -1 },
};

static void decimals_become_micros_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(decimals); i++) {
        int64_t micros = -1;
        bool good =
            rate_card_parse_micros(decimals[i].text, strlen(decimals[i].text), &micros);
        print_message("\"%s\"\n", decimals[i].text);
        assert_int_equal(good, decimals[i].micros >= 0);
        assert_int_equal(micros, decimals[i].micros);
    }
}

static void a_decimal_ends_at_its_length(void **state)
{
    (void)state;
    int64_t micros;

    assert_true(rate_card_parse_micros("0.25999", 4, &micros));
    assert_int_equal(micros, 250000);
}

static void micros_become_the_shortest_decimal(void **state)
{
    (void)state;
    static const struct {
        int64_t micros;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 8300, "0.0083" },
        { -8300, "-0.0083" },
        { 1, "0.000001" },
        { 20000000, "20" },
        { INT64_MAX, "9223372036854.775807" },
        { INT64_MIN, "-9223372036854.775808" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[RATE_TEXT_BYTES];
        rate_card_format_micros(text, cases[i].micros);
        assert_string_equal(text, cases[i].text);
    }
}

static struct rate_card *parsed(const char *csv)
{
    struct rate_card *card = NULL;
    struct err err = { 0 };

    if (rate_card_parse(&card, csv, strlen(csv), &err))
        fail_msg("%s", err.text);
    return card;
}

static void a_country_without_a_row_takes_the_default(void **state)
{
    (void)state;
    struct rate_card *card = parsed(HEADER STAR_ROW US_ROW);
    bool is_default = true;

    const struct rate *us =
        rate_card_find(card, "US", "number", "sms", "outbound", &is_default);
    assert_false(is_default);
    assert_int_equal(us->price_micros, 8300);
    assert_int_equal(us->carrier_fee_micros, 4500);
    assert_int_equal(rate_card_estimate(us, 3), 3 * 12800);

    const struct rate *de =
        rate_card_find(card, "DE", "number", "sms", "outbound", &is_default);
    assert_true(is_default);
    assert_string_equal(de->currency, "EUR");
    assert_string_equal(de->source, "default, not a price");

    is_default = false;
    assert_ptr_equal(rate_card_find(card, NULL, "number", "sms", "outbound", &is_default),
                     de);
    assert_true(is_default);
    assert_null(rate_card_find(card, "US", "short_code", "sms", "outbound", &is_default));
    assert_null(rate_card_find(card, "US", "number", "sms", "inbound", &is_default));
    assert_null(rate_card_find(card, "US", "a word that fits into no field at all", "sms",
                               "outbound", &is_default));
    rate_card_free(card);
}

static void rows_stand_in_order_of_their_keys_whatever_the_file_does(void **state)
{
    (void)state;
    struct rate_card *card =
        parsed(HEADER US_ROW "CA,number,sms,outbound,1,0,USD,x,2026-01-31\r\n"
                             "US,number,sms,inbound,1,0,USD,x,2026-01-31\n" STAR_ROW
                             "AT,number,sms,outbound,1,0,USD,x,2026-01-31");
    static const char *const countries[] = { "*", "AT", "CA", "US", "US" };

    assert_int_equal(rate_card_count(card), COUNT_OF(countries));
    for (size_t i = 0; i < COUNT_OF(countries); i++)
        assert_string_equal(rate_card_at(card, i)->country, countries[i]);
    assert_string_equal(rate_card_at(card, 3)->direction, "inbound");
    rate_card_free(card);
}

static const struct {
    const char *what, *csv, *complaint;
} refused[] = {
    { "nothing", "", "line 0: the header is missing" },
    { "another header", "country,price\n",
      "line 1: sender_type is missing in the header" },
    { "a header cut short", "country\n", "line 1: sender_type is missing in the header" },
    { "a field more", HEADER "US,number,sms,outbound,1,0,USD,x,2026-01-01,y\n",
      "line 2: the row has too many fields" },
    { "a field less", HEADER "US,number,sms,outbound,1,0,USD,x\n",
      "line 2: as_of and what follows is missing" },
    { "an empty field", HEADER "US,number,sms,outbound,1,0,USD,,2026-01-01\n",
      "line 2: source is empty" },
    { "a country in small letters",
      HEADER "us,number,sms,outbound,1,0,USD,x,2026-01-01\n",
      "line 2: country \"us\" is not two capitals or *" },
    { "a long country", HEADER "USA,number,sms,outbound,1,0,USD,x,2026-01-01\n",
      "line 2: country is too long" },
    { "an unknown sender type", HEADER "US,pigeon,sms,outbound,1,0,USD,x,2026-01-01\n",
      "line 2: sender_type \"pigeon\" is unknown" },
    { "an unknown channel", HEADER "US,number,fax,outbound,1,0,USD,x,2026-01-01\n",
      "line 2: channel \"fax\" is unknown" },
    { "an unknown direction", HEADER "US,number,sms,up,1,0,USD,x,2026-01-01\n",
      "line 2: direction \"up\" is unknown" },
    { "a negative price", HEADER "US,number,sms,outbound,-1,0,USD,x,2026-01-01\n",
      "line 2: price is not a decimal with up to six places in range" },
    { "a fee with seven places",
      HEADER "US,number,sms,outbound,1,0.0000001,USD,x,2026-01-01\n",
      "line 2: carrier_fee is not a decimal with up to six places in range" },
    { "a currency sign", HEADER "US,number,sms,outbound,1,0,$,x,2026-01-01\n",
      "line 2: currency \"$\" is not three capitals" },
    { "a month 13", HEADER "US,number,sms,outbound,1,0,USD,x,2026-13-01\n",
      "line 2: as_of \"2026-13-01\" is not YYYY-MM-DD" },
    { "bytes that are no text", HEADER "US,number,sms,outbound,1,0,USD,\xff,2026-01-01\n",
      "line 2: source is not UTF-8 text" },
    { "the same key twice", HEADER US_ROW STAR_ROW US_ROW,
      "line 4: US, number, sms, outbound is there already" },
    { "a stray quote", HEADER US_ROW "US,num\"ber,sms,outbound,1,0,USD,x,2026-01-01\n",
      "line 3: quotes error parsing data while strict checking enabled" },
    { "an open quote", HEADER "US,number,sms,outbound,1,0,USD,\"x,2026-01-01\n",
      "line 2: a quote is not closed" },
};

static void refuses_wrong_cards_and_names_the_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct rate_card *card = NULL;
        struct err err = { 0 };

        print_message("%s\n", refused[i].what);
        assert_int_equal(rate_card_parse(&card, refused[i].csv, strlen(refused[i].csv),
                                         &err),
                         OUTCOME_REJECT);
        assert_string_equal(err.text, refused[i].complaint);
        assert_null(card);
    }
}

static void a_nul_in_a_field_is_no_text(void **state)
{
    (void)state;
    static const char csv[] = HEADER "US,number\0,sms,outbound,1,0,USD,x,2026-01-01\n";
    struct rate_card *card = NULL;
    struct err err = { 0 };

    assert_int_equal(rate_card_parse(&card, csv, sizeof(csv) - 1, &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "line 2: sender_type is not UTF-8 text");
}

static void every_key_fits_once(void **state)
{
    (void)state;
    struct rate_card *card = rate_card_new();
    struct rate rate = {
        "AA", "number", "sms", "outbound", "USD", "2026-01-01", "x", 1, 0
    };
    static const char *const types[] = { "number", "messaging_service", "short_code",
                                         "alphanumeric" };
    struct err err = { 0 };
    enum outcome rc = OUTCOME_OK;

    for (int i = 0; !rc && i < 26 * 26 * 8; i++) {
        rate.country[0] = (char)('A' + i / 8 / 26);
        rate.country[1] = (char)('A' + i / 8 % 26);
        (void)snprintf(rate.sender_type, sizeof(rate.sender_type), "%s", types[i % 4]);
        (void)snprintf(rate.direction, sizeof(rate.direction), "%s",
                       i % 8 < 4 ? "inbound" : "outbound");
        rc = rate_card_add(card, &rate, &err);
    }
    assert_int_equal(rc, OUTCOME_OK);
    assert_int_equal(rate_card_count(card), 26 * 26 * 8);
    assert_int_equal(rate_card_add(card, &rate, &err), OUTCOME_REJECT);
    rate.price_micros = -1;
    rate.country[0] = '*', rate.country[1] = '\0';
    assert_int_equal(rate_card_add(card, &rate, &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "a price is out of range");
    rate_card_free(card);
}

static void the_card_of_the_repository_is_right(void **state)
{
    (void)state;
    struct rate_card *card = NULL;
    struct err err = { 0 };
    bool is_default;

    if (rate_card_load(&card, "deploy/rate_card.csv", &err))
        fail_msg("%s", err.text);
    const struct rate *us =
        rate_card_find(card, "US", "number", "sms", "outbound", &is_default);
    assert_int_equal(rate_card_estimate(us, 2), 25600);
    assert_non_null(
        rate_card_find(card, "CH", "alphanumeric", "sms", "outbound", &is_default));
    assert_true(is_default);
    rate_card_free(card);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct rate_card *card = NULL;
    struct err err = { 0 };

    assert_int_equal(rate_card_load(&card, "deploy/no_card.csv", &err), OUTCOME_REJECT);
    assert_string_equal(err.text,
                        "cannot read deploy/no_card.csv: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_become_micros_exactly),
        cmocka_unit_test(a_decimal_ends_at_its_length),
        cmocka_unit_test(micros_become_the_shortest_decimal),
        cmocka_unit_test(a_country_without_a_row_takes_the_default),
        cmocka_unit_test(rows_stand_in_order_of_their_keys_whatever_the_file_does),
        cmocka_unit_test(refuses_wrong_cards_and_names_the_line),
        cmocka_unit_test(a_nul_in_a_field_is_no_text),
        cmocka_unit_test(every_key_fits_once),
        cmocka_unit_test(the_card_of_the_repository_is_right),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
