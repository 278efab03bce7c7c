// Pages of messages and the JSON of one.
#include "buf.h"
#include "sim_accounts.h"
#include "sim_list.h"
#include "sim_sids.h"
#include "sim_store.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define ACCOUNT "AC00000000000000000000000000000001"
#define PATH    "/2010-04-01/Accounts/" ACCOUNT "/Messages.json"

struct fixture {
    struct sim_store *store;
    struct sim_sids *sids;
    struct sim_accounts accounts;
    struct sim_json json;
    struct sim_list_page page;
    struct buf out;
};

static struct sim_text text(const char *t)
{
    return (struct sim_text){ t, strlen(t) };
}

static struct sim_message *add(struct fixture *f, const char *to, const char *from,
                               const char *service, const char *body)
{
    const struct sim_draft draft = {
        .to = text(to),
        .from = text(from),
        .service = text(service),
        .body = text(body),
        .segments = 3,
        .cost_micros = 24900,
    };
    return sim_store_add(f->store, &draft, 1692853305000000);  // 24 August 2023
}

static int set_up(void **state)
{
    static struct fixture f;

    f.store = sim_store_new();
    f.sids = sim_sids_new("seed");
    f.accounts = (struct sim_accounts){ .sids = f.sids };
    (void)sim_accounts_add(&f.accounts, ACCOUNT, "token", NULL, 0);
    f.json =
        (struct sim_json){ .sids = f.sids, .accounts = &f.accounts, .currency = "USD" };
    buf_init(&f.out, 1 << 20);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sim_store_free(f->store);
    sim_accounts_free(&f->accounts);
    sim_sids_free(f->sids);
    buf_free(&f->out);
    return 0;
}

// Ten messages: odd numbers to A, even ones to B; 3, 6 and 9 from another sender.
static void add_ten(struct fixture *f)
{
    for (int i = 1; i <= 10; i++)
        (void)add(f, i % 2 ? "+14155550101" : "+14155550102",
                  i % 3 ? "+15005550006" : "SHOP", "", "hi");
}

static void pages_hold_the_newest_first(void **state)
{
    static const struct {
        const char *what;
        struct sim_list_query query;
        bool has_next;
        size_t count;
        uint32_t numbers[10];
    } cases[] = {
        { "all",
          { .page = { .page_size = 50 } },
          false,
          10,
          { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 } },
        { "exactly one page",
          { .page = { .page_size = 10 } },
          false,
          10,
          { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 } },
        { "the first of several",
          { .page = { .page_size = 4 } },
          true,
          4,
          { 10, 9, 8, 7 } },
        { "behind 7",
          { .page = { .page_size = 4, .page = 1 }, .after = 7 },
          true,
          4,
          { 6, 5, 4, 3 } },
        { "behind 3",
          { .page = { .page_size = 4, .page = 2 }, .after = 3 },
          false,
          2,
          { 2, 1 } },
        { "behind the last",
          { .page = { .page_size = 4, .page = 3 }, .after = 1 },
          false,
          0,
          { 0 } },
        { "page 1 without a token",
          { .page = { .page_size = 4, .page = 1 } },
          true,
          4,
          { 6, 5, 4, 3 } },
        { "in front of 2",
          { .page = { .page_size = 4 }, .before = 2 },
          true,
          4,
          { 6, 5, 4, 3 } },
        { "in front of 9", { .page = { .page_size = 4 }, .before = 9 }, true, 1, { 10 } },
        { "to A",
          { .page = { .page_size = 50 }, .to = "+14155550101" },
          false,
          5,
          { 9, 7, 5, 3, 1 } },
        { "to A in pages",
          { .page = { .page_size = 2 }, .to = "+14155550101" },
          true,
          2,
          { 9, 7 } },
        { "to A behind 7",
          { .page = { .page_size = 2 }, .to = "+14155550101", .after = 7 },
          true,
          2,
          { 5, 3 } },
        { "to A behind 6, which is to B",
          { .page = { .page_size = 2 }, .to = "+14155550101", .after = 6 },
          true,
          2,
          { 5, 3 } },
        { "to A in front of 3",
          { .page = { .page_size = 2 }, .to = "+14155550101", .before = 3 },
          true,
          2,
          { 7, 5 } },
        { "from SHOP",
          { .page = { .page_size = 2 }, .from = "SHOP" },
          true,
          2,
          { 9, 6 } },
        { "from SHOP to A",
          { .page = { .page_size = 9 }, .from = "SHOP", .to = "+14155550101" },
          false,
          2,
          { 9, 3 } },
        { "to nobody",
          { .page = { .page_size = 50 }, .to = "+14155550199" },
          false,
          0,
          { 0 } },
    };
    struct fixture *f = *state;

    add_ten(f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].what);
        sim_list_select(&f->page, f->store, &cases[i].query);
        assert_int_equal(f->page.count, cases[i].count);
        assert_int_equal(f->page.has_next, cases[i].has_next);
        for (size_t n = 0; n < f->page.count; n++)
            assert_int_equal(f->page.numbers[n], cases[i].numbers[n]);
    }
}

static void the_envelope_leads_to_the_neighbours(void **state)
{
    struct fixture *f = *state;
    struct sim_list_query q = {
        .page = { .page_size = 2, .page = 1, .path = PATH, .filter_count = 1 },
        .to = "+14155550101",
    };

    add_ten(f);
    q.page.filters[0].name = "To";
    q.page.filters[0].value = q.to;
    q.after = 7;
    sim_list_select(&f->page, f->store, &q);
    sim_list_render(&f->out, &f->json, f->store, &q, &f->page);
    const char *envelope = strstr(buf_text(&f->out), "],\"page\":1");
    assert_non_null(envelope);
    assert_non_null(strstr(envelope, "\"page_size\":2,\"start\":2,\"end\":3,"));
    assert_non_null(strstr(envelope, "\"first_page_uri\":\"/2010-04-01/Accounts/" ACCOUNT
                                     "/Messages.json?To=%2B14155550101&PageSize=2&"
                                     "Page=0\""));
    const char *next = strstr(envelope, "&PageSize=2&Page=2&PageToken=PA");
    const char *previous = strstr(envelope, "&PageSize=2&Page=0&PageToken=PB");
    assert_non_null(next);
    assert_non_null(previous);

    char token[37] = "";
    memcpy(token, strstr(next, "PA"), 36);
    struct sim_list_query read = { 0 };
    assert_true(sim_list_read_token(&read, f->sids, token));
    assert_int_equal(read.after, 3);
    memcpy(token, strstr(previous, "PB"), 36);
    assert_true(sim_list_read_token(&read, f->sids, token));
    assert_int_equal(read.before, 5);
    token[1] = 'C';
    assert_false(sim_list_read_token(&read, f->sids, token));
    assert_false(sim_list_read_token(&read, f->sids, ""));
}

static void an_empty_page_ends_at_zero(void **state)
{
    struct fixture *f = *state;
    const struct sim_list_query q = { .page = { .page_size = 25, .path = PATH } };

    sim_list_select(&f->page, f->store, &q);
    sim_list_render(&f->out, &f->json, f->store, &q, &f->page);
    assert_string_equal(
        buf_text(&f->out),
        "{\"messages\":[],\"page\":0,\"page_size\":25,\"start\":0,\"end\":0,"
        "\"uri\":\"/2010-04-01/Accounts/" ACCOUNT "/Messages.json?PageSize=25&Page=0\","
        "\"first_page_uri\":\"/2010-04-01/Accounts/" ACCOUNT
        "/Messages.json?PageSize=25&Page=0\","
        "\"next_page_uri\":null,\"previous_page_uri\":null}");
}

static void assert_has(const struct fixture *f, const char *part)
{
    if (!strstr(buf_text(&f->out), part))
        fail_msg("%s is not in %s", part, buf_text(&f->out));
}

static void a_new_message_shows_nulls(void **state)
{
    struct fixture *f = *state;
    struct sim_message *m = add(f, "+14155550101", "+15005550006", "", "say \"hi\"\n");
    char sid[SIM_SIDS_TEXT_BYTES], uri[128];

    sim_json_message(&f->out, &f->json, m, true);
    sim_sids_message(f->sids, 1, sid);
    (void)snprintf(uri, sizeof(uri),
                   "\"uri\":\"/2010-04-01/Accounts/%s/Messages/%s.json\"", ACCOUNT, sid);
    assert_has(f, uri);
    assert_has(f, "\"date_created\":\"Thu, 24 Aug 2023 05:01:45 +0000\"");
    assert_has(f, "\"date_sent\":null");
    assert_has(f, "\"messaging_service_sid\":null");
    assert_has(f, "\"body\":\"say \\\"hi\\\"\\n\"");
    assert_has(f, "\"status\":\"queued\",\"num_segments\":\"3\",\"num_media\":\"0\"");
    assert_has(f, "\"price\":null,\"price_unit\":\"USD\"");
    assert_has(f, "\"error_code\":null,\"error_message\":null");
    assert_null(strstr(buf_text(&f->out), "Feedback"));
}

static void the_answer_to_a_create_is_of_that_moment(void **state)
{
    struct fixture *f = *state;
    struct sim_message *m =
        add(f, "+14155550101", "", "MG00000000000000000000000000000003", "hi");

    m->status = SIM_STATUS_DELIVERED;
    m->from = "+15005550006";
    m->is_from_picked = true;
    m->sent_s = m->updated_s = 1692853309;
    m->price_known = true;
    sim_json_message(&f->out, &f->json, m, true);
    assert_has(f,
               "\"date_updated\":\"Thu, 24 Aug 2023 05:01:45 +0000\",\"date_sent\":null");
    assert_has(f, "\"from\":null,");
    assert_has(f, "\"status\":\"accepted\",\"num_segments\":\"0\"");
    assert_has(f, "\"price\":null");

    buf_clear(&f->out);
    sim_json_message(&f->out, &f->json, m, false);
    assert_has(f, "\"date_updated\":\"Thu, 24 Aug 2023 05:01:49 +0000\"");
    assert_has(f, "\"date_sent\":\"Thu, 24 Aug 2023 05:01:49 +0000\"");
    assert_has(f, "\"from\":\"+15005550006\",");
    assert_has(f, "\"status\":\"delivered\",\"num_segments\":\"3\"");
    assert_has(f, "\"price\":\"-0.02490\"");
    assert_has(f, "/Feedback.json\"}}");
}

static void a_failure_shows_its_code(void **state)
{
    struct fixture *f = *state;
    struct sim_message *m =
        add(f, "+15005550004", "", "MG00000000000000000000000000000003", "hi");

    m->fate_code = 21610;
    sim_json_message(&f->out, &f->json, m, false);
    assert_has(f, "\"error_code\":null");
    m->status = SIM_STATUS_FAILED;
    buf_clear(&f->out);
    sim_json_message(&f->out, &f->json, m, false);
    assert_has(f, "\"error_code\":21610,\"error_message\":\"Attempt to send to "
                  "unsubscribed recipient\"");
}

static void prices_have_five_places_or_six(void **state)
{
    static const struct {
        int64_t micros;
        const char *text;
    } cases[] = {
        { 0, "\"-0.00000\"" },       { 7500, "\"-0.00750\"" },
        { 8301, "\"-0.008301\"" },   { 12345678, "\"-12.345678\"" },
        { 1000000, "\"-1.00000\"" }, { 10, "\"-0.00001\"" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_clear(&f->out);
        sim_json_price(&f->out, cases[i].micros);
        assert_string_equal(buf_text(&f->out), cases[i].text);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pages_hold_the_newest_first),
        TEST(the_envelope_leads_to_the_neighbours),
        TEST(an_empty_page_ends_at_zero),
        TEST(a_new_message_shows_nulls),
        TEST(the_answer_to_a_create_is_of_that_moment),
        TEST(a_failure_shows_its_code),
        TEST(prices_have_five_places_or_six),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
