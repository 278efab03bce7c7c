// Statuses and prices that never came: asked for by age, given up at last, and the ledger
// that follows Twilio's bill.
#include "race.h"
#include "sweeps.h"

#include "list_site.h"
#include "log.h"
#include "metrics.h"
#include "provider.h"
#include "reactor.h"
#include "sms_job_make.h"
#include "store_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SID "SM0123456789abcdef0123456789ab"  // and four digits

enum { MS = 1000, NEVER_US = 2000000000 };

struct scene {
    struct db_fixture db;
    struct list_site *site;
    struct provider *provider;
    struct sweeps *sweeps;
    struct sweep_settings set;
    int64_t rate;
};

static int group_start(void **state)
{
    log_level_set(LOG_LEVEL_ERROR);
    return ask_group_start(state);
}

static int setup(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    db_fixture_open(&s->db, *state);
    pg_exec(s->db.pg, "truncate messages, attempts, cost_entries, delayed, decisions,"
                      " doubts, leases, sweeps, sweep_late, rate_card");
    s->site = list_site_open(s->db.reactor);
    s->set = (struct sweep_settings){ .status_ages = (char *)(uintptr_t) "100ms,40m",
                                      .price_ages = (char *)(uintptr_t) "100ms,40m",
                                      .time_out_us = NEVER_US,
                                      .otp_time_out_us = NEVER_US,
                                      .rest_us = 20 * MS };
    s->rate = 500;
    *state = s;
    return 0;
}

static void start(struct scene *s)
{
    s->provider = list_site_provider(s->site, s->db.reactor, &s->rate, s->db.metrics);
    const struct sweeps_parts parts = { .set = &s->set,
                                        .retry = &race_retry,
                                        .lease_us = 10000000,
                                        .db = s->db.db,
                                        .provider = s->provider,
                                        .metrics = s->db.metrics };
    s->sweeps = sweeps_new(s->db.reactor, &parts);
}

static int teardown(void **state)
{
    struct scene *s = *state;
    struct pg *pg = s->db.pg;

    provider_close(s->provider);
    db_close(s->db.db);
    sweeps_free(s->sweeps);
    list_site_close(s->site);
    metrics_free(s->db.metrics);
    reactor_close(s->db.reactor);
    free(s);
    *state = pg;
    return 0;
}

// count messages of that age, posted, with SIDs from 0000 on, status sent.
static void put(struct scene *s, int count, int64_t age_ms, const char *class)
{
    char sql[2048];

    (void)snprintf(
        sql, sizeof(sql),
        "with n as (select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - "
        "%lld),"
        " 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid as id,"
        " '" SID "' || lpad(i::text, 4, '0') as sid from generate_series(0, %d) i),"
        " m as (insert into messages (message_id, client, turn, status, rank, class, "
        "lane,"
        "   channel, mode, sealed, to_hash, to_hint, sender, sender_type, country, "
        "segments,"
        "   estimate_micros, currency, accepted_at, expires_at, shown_turn, twilio_sid,"
        "   sent_at) select id, 7, 1, 'sent', 50, '%s', 'normal', 'sms', 'simulate', "
        "'\\x01',"
        "   '\\x02', 'US', '+15005550006', 'number', 'US', 1, 12800, 'USD', now(),"
        "   now() + interval '1 h', 1, sid, now() from n),"
        " c as (insert into cost_entries (message_id, twilio_sid, kind, seq, "
        "amount_micros,"
        "   total_micros, currency) select id, sid, 'estimate', 0, 12800, 12800, 'USD'"
        "   from n)"
        " insert into attempts (message_id, turn, rank, status, twilio_sid, outcome)"
        " select id, 1, 50, 'sent', sid, 'accepted' from n",
        (long long)age_ms, count - 1, class);
    pg_exec(s->db.pg, sql);
}

static void show(struct scene *s, const char *sid, const char *status, const char *price)
{
    list_site_put(s->site, &(struct listed){ .sid = sid,
                                             .to = "+14155550100",
                                             .from = "+15005550006",
                                             .body = "b",
                                             .status = status,
                                             .price = price,
                                             .created_us = clock_wall_us() });
}

static void call_back(struct scene *s, const char *sid, const char *word)
{
    unsigned char id[16];
    char *hex = pg_text(s->db.pg, "select replace(message_id::text, '-', '')"
                                  " from messages");

    assert_true(hex_decode(id, sizeof(id), hex, 32));
    free(hex);
    ask_receipt(&s->db, id, 1, sid, word, true);
}

#define IS(status) "select count(*) from messages where status = '" status "'"
#define BILL       "select coalesce(sum(amount_micros), 0)::bigint from cost_entries"

static void a_final_status_that_never_came_is_fetched(void **state)
{
    struct scene *s = *state;

    put(s, 3, 1000, "transactional");
    show(s, SID "0000", "delivered", "-0.00790");
    show(s, SID "0001", "undelivered", "-0.00790");
    start(s);  // the third is not known to Twilio
    ask_until(&s->db, IS("delivered"));
    ask_until(&s->db, IS("undelivered"));
    ask_until(&s->db, "select count(*) from sweeps where name = 'status after 100ms'");
    ask_is(&s->db, IS("sent"), 1);
}

// The fee of the carrier is no part of Twilio's price: the rate card tells it.
static void the_ledger_follows_the_price(void **state)
{
    struct scene *s = *state;

    pg_exec(s->db.pg, "insert into rate_card (country, sender_type, channel, direction,"
                      " price_micros, carrier_fee_micros, currency, source, as_of) values"
                      " ('US', 'number', 'sms', 'outbound', 8300, 4500, 'USD', 's',"
                      " '2026-01-01'), ('*', 'number', 'sms', 'outbound', 1, 1, 'USD',"
                      " 's', '2026-01-01')");
    put(s, 2, 1000, "transactional");
    show(s, SID "0000", "delivered", "-0.00790");
    show(s, SID "0001", "delivered", NULL);
    start(s);
    ask_until(&s->db, "select count(*) from cost_entries where kind = 'price'");
    ask_is(&s->db, BILL " where twilio_sid = '" SID "0000'", 7900 + 4500);
    ask_is(&s->db, BILL " where twilio_sid = '" SID "0001'", 12800);
}

static void another_currency_takes_the_estimate_back(void **state)
{
    struct scene *s = *state;

    put(s, 1, 1000, "transactional");
    list_site_put(s->site, &(struct listed){ .sid = SID "0000",
                                             .to = "+1",
                                             .from = "+1",
                                             .body = "b",
                                             .status = "delivered",
                                             .price = "-0.01000" });
    pg_exec(s->db.pg, "update cost_entries set currency = 'EUR';"
                      " update messages set currency = 'EUR'");
    start(s);
    ask_until(&s->db,
              "select (count(*) = 2)::int from cost_entries where kind = 'price'");
    ask_is(&s->db, BILL " where currency = 'EUR'", 0);
    ask_is(&s->db, BILL " where currency = 'USD'", 10000);
}

// What failed before it was sent costs nothing, unless Twilio says so.
static void a_failed_message_gives_its_estimate_back(void **state)
{
    struct scene *s = *state;

    put(s, 1, 1000, "transactional");
    show(s, SID "0000", "failed", NULL);
    start(s);
    ask_until(&s->db, "select count(*) from cost_entries where kind = 'price'");
    ask_is(&s->db, BILL, 0);
    ask_is(&s->db, IS("failed"), 1);
}

static void who_never_ends_times_out_and_may_still_be_delivered(void **state)
{
    struct scene *s = *state;

    s->set.time_out_us = 200 * MS;
    put(s, 1, 1000, "transactional");
    show(s, SID "0000", "sent", NULL);
    start(s);
    ask_until(&s->db, IS("timed_out") " and rank = 60");
    ask_until(&s->db, "select count(*) from decisions where kind = 'timed_out'");
    ask_is(&s->db, "select rank from attempts", 60);
    call_back(s, SID "0000", "delivered");
    ask_is(&s->db, IS("delivered"), 1);
}

static void codes_time_out_sooner(void **state)
{
    struct scene *s = *state;

    s->set.otp_time_out_us = 200 * MS;
    put(s, 1, 1000, "otp");
    put(s, 1, 2000, "transactional");
    start(s);
    ask_until(&s->db, IS("timed_out") " and class = 'otp'");
    ask_until(&s->db, "select count(*) from sweeps where name like 'status of otp%'");
    ask_is(&s->db, IS("sent"), 1);
}

// A whole account that fails moves no sweep; one message that fails does not stop it.
static void an_account_that_refuses_moves_nothing(void **state)
{
    struct scene *s = *state;

    put(s, 2, 1000, "transactional");
    show(s, SID "0000", "delivered", "-0.00790");
    list_site_status(s->site, 401, 0);
    start(s);
    ask_until(&s->db, "select (clock_timestamp() > backend_start + interval '1 ms')::int"
                      " from pg_stat_activity limit 1");
    for (int i = 0; i < 300; i++)
        loop_once(s->db.reactor);
    ask_is(&s->db, "select count(*) from sweeps", 0);
    assert_true(list_site_fetches(s->site) <= 4);
}

static void many(struct scene *s, int count, const char *status)
{
    static char sids[5000][48];

    put(s, count, 60000, "transactional");
    for (int i = 0; i < count; i++) {
        (void)snprintf(sids[i], sizeof(sids[i]), SID "%04d", i);
        list_site_put(s->site,
                      &(struct listed){ .sid = sids[i],
                                        .to = "+14155550100",
                                        .from = "+15005550006",
                                        .body = "b",
                                        .status = status,
                                        .price = "-0.01280",
                                        .created_us = clock_wall_us() - 60000000 });
    }
    pg_exec(s->db.pg, "update attempts set answered_at = now() - interval '1 min'");
}

// A receiver that was away for long: pages of the list instead of a fetch each.
static void many_lost_callbacks_take_few_calls(void **state)
{
    struct scene *s = *state;
    int64_t began_us = clock_boot_us();

    s->rate = 10;
    s->set.price_ages = (char *)(uintptr_t) "40m";
    many(s, 5000, "delivered");
    start(s);
    ask_until(&s->db,
              "select (count(*) = 5000)::int from messages where status = 'delivered'");
    print_message("5000 lost callbacks: %zu pages, %zu fetches, %lld ms\n",
                  list_site_lists(s->site), list_site_fetches(s->site),
                  (long long)(clock_boot_us() - began_us) / 1000);
    assert_true(list_site_lists(s->site) <= 12);
    assert_int_equal(list_site_fetches(s->site), 0);
    ask_until(&s->db,
              "select (count(*) = 5000)::int from cost_entries where kind = 'price'");
}

// What its list does not show is left to the next age; at the last one each is fetched.
static void what_the_list_does_not_show_is_fetched_at_last(void **state)
{
    struct scene *s = *state;

    s->set.time_out_us = 200 * MS;
    s->set.price_ages = (char *)(uintptr_t) "40m";
    put(s, 120, 1000, "transactional");
    start(s);
    ask_until(&s->db,
              "select (count(*) = 120)::int from messages where status = 'timed_out'");
    ask_until(&s->db, "select count(*) from sweeps where name = 'status after 100ms'");
    assert_int_equal(list_site_fetches(s->site), 120);
    assert_true(list_site_lists(s->site) >= 2);
}

static void a_list_without_an_end_is_given_up(void **state)
{
    struct scene *s = *state;

    s->set.price_ages = (char *)(uintptr_t) "40m";
    put(s, 60, 1000, "transactional");
    show(s, SID "0000", "delivered", NULL);
    list_site_endless(s->site);
    for (int i = 0; i < 60; i++)  // pages that are never empty
        list_site_put(s->site, &(struct listed){ .sid = SID "9999",
                                                 .to = "+1",
                                                 .from = "+1",
                                                 .body = "b",
                                                 .status = "sent",
                                                 .created_us = clock_wall_us() });
    start(s);
    ask_until(&s->db, "select count(*) from sweeps where name = 'status after 100ms'");
    ask_is(&s->db, IS("delivered"), 1);
    assert_int_equal(list_site_lists(s->site), 30);
    assert_int_equal(list_site_fetches(s->site), 59);
}

// More than one slice and more than one hand full.
static void many_are_walked_in_slices(void **state)
{
    struct scene *s = *state;
    static char sids[60][40];

    put(s, 5000, 60000, "transactional");
    pg_exec(s->db.pg, "update attempts set rank = 75, status = 'delivered'"
                      " where right(twilio_sid, 4)::int >= 60;"
                      " insert into cost_entries (message_id, twilio_sid, kind, seq,"
                      "   amount_micros, total_micros, currency) select message_id,"
                      "   twilio_sid, 'price', 1, 0, 12800, 'USD' from attempts");
    for (int i = 0; i < 60; i++) {
        (void)snprintf(sids[i], sizeof(sids[i]), SID "%04d", i);
        show(s, sids[i], "delivered", NULL);
    }
    start(s);
    ask_until(&s->db,
              "select (count(*) = 60)::int from messages where status = 'delivered'");
}

// It waited when the sweep passed its id, and is looked at by its own time.
static void what_goes_out_late_is_looked_at_later(void **state)
{
    struct scene *s = *state;

    s->set.price_ages = (char *)(uintptr_t) "40m";  // else that sweep comes first
    put(s, 2, 5000, "transactional");
    pg_exec(s->db.pg,
            "update messages set status = 'waiting', rank = 0, shown_turn = null"
            " where twilio_sid = '" SID "0000';"
            " delete from attempts where twilio_sid = '" SID "0000'");
    show(s, SID "0000", "delivered", "-0.01280");
    show(s, SID "0001", "delivered", "-0.01280");
    start(s);
    ask_until(&s->db, "select count(*) from sweep_late");
    pg_exec(s->db.pg,
            "insert into attempts (message_id, turn, rank, status, twilio_sid)"
            " select message_id, 1, 50, 'sent', twilio_sid from messages"
            "  where status = 'waiting';"
            " update messages set status = 'sent', rank = 50, shown_turn = 1"
            "  where status = 'waiting'; update sweep_late set next_at = now()");
    ask_until(&s->db, IS("delivered") " and twilio_sid = '" SID "0000'");
    ask_until(
        &s->db,
        "select count(*) from cost_entries where kind = 'price' and twilio_sid = '" SID
        "0000'");
    ask_until(&s->db,
              "select count(*) from sweep_late where stage = 1 and next_at > now()");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_final_status_that_never_came_is_fetched),
        TEST(the_ledger_follows_the_price),
        TEST(another_currency_takes_the_estimate_back),
        TEST(a_failed_message_gives_its_estimate_back),
        TEST(who_never_ends_times_out_and_may_still_be_delivered),
        TEST(codes_time_out_sooner),
        TEST(an_account_that_refuses_moves_nothing),
        TEST(many_are_walked_in_slices),
        TEST(many_lost_callbacks_take_few_calls),
        TEST(what_the_list_does_not_show_is_fetched_at_last),
        TEST(a_list_without_an_end_is_given_up),
        TEST(what_goes_out_late_is_looked_at_later),
    };

    return cmocka_run_group_tests(tests, group_start, db_group_stop);
}
