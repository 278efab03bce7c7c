// Messages in doubt, to their end: found by callback or list, given up, sent again; each
// with a row that says why.
#include "doubts.h"
#include "race.h"

#include "account.h"
#include "buf.h"
#include "content.h"
#include "keys.h"
#include "list_site.h"
#include "log.h"
#include "metrics.h"
#include "provider.h"
#include "reactor.h"
#include "sms_job_make.h"
#include "status.h"
#include "store_ask.h"
#include "store_claims.h"
#include "store_receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SID   "SM0123456789abcdef0123456789abcde"  // and one digit
#define TO    "+14155550100"

enum { ASK_EVERY_US = 50000, MS = 1000, SECOND_US = 1000000, RATE = 500 };

struct scene {
    struct db_fixture db;
    struct keys keys;
    struct list_site *site;
    struct provider *provider;
    struct doubts *doubts;
    struct doubt_settings policy;
    int64_t interval_us, rate;
    uint32_t number;
    struct buf sealed;
    bool is_true;
    int64_t next_ask_us;
    const char *wanted;  // SQL that becomes true
};

static int group_start(void **state)
{
    log_level_set(LOG_LEVEL_ERROR);
    return ask_group_start(state);
}

static int setup(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    const struct keys_settings keys = { (char *)(uintptr_t)HEX64,
                                        (char *)(uintptr_t) "1:" HEX64 };

    db_fixture_open(&s->db, *state);
    pg_exec(s->db.pg,
            "truncate messages, attempts, cost_entries, delayed, decisions,"
            " doubts, leases, receipts, receipts_unmatched, sweeps, sweep_late");
    assert_int_equal(keys_open(&s->keys, &keys, NULL), OUTCOME_OK);
    s->site = list_site_open(s->db.reactor);
    s->policy = (struct doubt_settings){
        .wait_us = { [DOUBT_OTP] = 400 * MS,
                     [DOUBT_EMERGENCY] = 400 * MS,
                     [DOUBT_TRANSACTIONAL] = 600 * MS,
                     [DOUBT_MARKETING] = 600 * MS },
        .first_look_us = 100 * MS,
        .list_interval_us = 150 * MS,
        .list_lag_us = 300 * MS,
        .empty_lists = 3,
        .resends = 2,
        .margin_us = SECOND_US,
    };
    s->interval_us = 20 * MS;
    s->rate = RATE;
    *state = s;
    return 0;
}

static void start(struct scene *s)
{
    const struct provider_settings provider = { .accounts = list_site_accounts(s->site),
                                                .calls_per_second = &s->rate,
                                                .in_flight_max = 4,
                                                .metrics = s->db.metrics };
    struct err err = { 0 };

    if (provider_open(&s->provider, s->db.reactor, &provider, &err))
        fail_msg("%s", err.text);
    const struct doubts_settings doubts = { .policy = &s->policy,
                                            .interval_us = &s->interval_us,
                                            .keys = &s->keys,
                                            .retry = &race_retry,
                                            .lease_us = 10000000,
                                            .db = s->db.db,
                                            .provider = s->provider,
                                            .metrics = s->db.metrics };
    s->doubts = doubts_new(s->db.reactor, &doubts);
}

static int teardown(void **state)
{
    struct scene *s = *state;
    struct pg *pg = s->db.pg;

    provider_close(s->provider);
    db_close(s->db.db);
    doubts_free(s->doubts);
    list_site_close(s->site);
    metrics_free(s->db.metrics);
    reactor_close(s->db.reactor);
    keys_close(&s->keys);
    buf_free(&s->sealed);
    free(s);
    *state = pg;
    return 0;
}

// Claims a job and loses the answer to its POST, as the worker does.
static void lose(struct scene *s, struct sms_job *job, const char *class,
                 const char *body, const char *on_doubt)
{
    const struct sms_content content = { TO, body };
    unsigned char id[16];
    int64_t now_us = clock_wall_us();
    struct ask claimed = { 0 }, written = { 0 };

    sms_job_make_id(id, now_us / 1000, ++s->number);
    sms_job_make(job, id, now_us);
    job->message_class = class;
    job->on_doubt = on_doubt;
    buf_free(&s->sealed);
    buf_init(&s->sealed, WIRE_SEALED_MAX_BYTES);
    content_seal(s->keys.seal, id, job->client, now_us, &content, &s->sealed);
    job->sealed = (struct wire_bytes){ (unsigned char *)s->sealed.bytes, s->sealed.len };
    store_claim(s->db.db, &job, 1, 1, ask_done, &claimed);
    ask_wait(&s->db, &claimed);
    struct send_outcome outcome = {
        .turn = 1,
        .status = "in_doubt",
        .rank = RANK_IN_DOUBT,
        .outcome = "in_doubt",
        .http_status = 500,
        .answered_us = clock_wall_us(),
        .estimate_micros = job->estimate_micros,
        .currency = job->currency,
        .mode = job->mode,
    };
    memcpy(outcome.message_id, id, 16);
    store_result(s->db.db, &outcome, 1, ask_done, &written);
    ask_wait(&s->db, &written);
}

static bool is_true(void *arg)
{
    struct scene *s = arg;

    if (s->is_true || clock_boot_us() < s->next_ask_us)
        return s->is_true;
    s->next_ask_us = clock_boot_us() + ASK_EVERY_US;  // each is a session of its own
    s->is_true = pg_int(s->db.pg, s->wanted) != 0;
    return s->is_true;
}

static void wait_sql(struct scene *s, const char *sql)
{
    s->wanted = sql;
    s->is_true = false;
    loop_until(s->db.reactor, is_true, s);
}

static void assert_sql(struct scene *s, const char *sql, int64_t wanted)
{
    int64_t is = pg_int(s->db.pg, sql);
    if (is != wanted)
        fail_msg("%s: %lld, not %lld", sql, (long long)is, (long long)wanted);
}

static bool is_over(void *arg)
{
    return clock_boot_us() > *(int64_t *)arg;
}

static void pass(struct scene *s, int64_t us)
{
    int64_t until_us = clock_boot_us() + us;
    loop_until(s->db.reactor, is_over, &until_us);
}

static void show(struct scene *s, const char *sid, const char *body, const char *status)
{
    list_site_put(s->site, &(struct listed){ .sid = sid,
                                             .to = TO,
                                             .from = "+15005550006",
                                             .body = body,
                                             .status = status,
                                             .created_us = clock_wall_us() });
}

static void call_back(struct scene *s, const struct sms_job *job, int32_t turn,
                      const char *sid, const char *word)
{
    struct receipt receipt = {
        .recorded_at_us = clock_wall_us(),
        .offset = turn,
        .turn = turn,
        .twilio_sid = sid,
        .word = word,
        .status = status_of_provider(word),
        .rank = status_rank(word),
        .raw = { (const unsigned char *)"raw", 3 },
        .received_at_us = clock_wall_us(),
        .simulated = true,
    };
    const struct receipt *best[] = { &receipt };
    struct ask ask = { 0 };

    memcpy(receipt.message_id, job->message_id, 16);
    const struct receipt_batch batch = { &receipt, 1, best, 1, false };
    store_receipts(s->db.db, &batch, &race_retry, ask_done, &ask);
    ask_wait(&s->db, &ask);
}

#define DECIDED(kind) "select count(*) from decisions where kind = '" kind "'"
#define IS(status)    "select count(*) from messages where status = '" status "'"

static void a_message_in_the_list_is_found(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "transactional", "hello", NULL);
    show(s, SID "1", "hello there", "sent");
    show(s, SID "2", "hello", "delivered");
    start(s);
    wait_sql(s, DECIDED("found"));
    assert_sql(s,
               IS("delivered") " and twilio_sid = '" SID "2' and claimed_epoch is null",
               1);
    assert_sql(s, "select count(*) from attempts where twilio_sid = '" SID "2'", 1);
    assert_sql(s,
               "select count(*) from cost_entries where twilio_sid = '" SID
               "2' and kind = 'estimate'",
               1);
    assert_sql(s, "select count(*) from doubts", 0);
}

static void a_callback_ends_the_doubt_without_a_list(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    s->policy.first_look_us = s->policy.list_interval_us = 3600 * (int64_t)SECOND_US;
    s->policy.wait_us[DOUBT_TRANSACTIONAL] = 3600 * (int64_t)SECOND_US;
    lose(s, &job, "transactional", "hello", NULL);
    start(s);
    wait_sql(s, "select count(*) from doubts");
    call_back(s, &job, 1, SID "1", "sent");
    wait_sql(s, DECIDED("found") " and reason like '%callback%'");
    assert_sql(s, IS("sent"), 1);
    assert_sql(s, "select count(*) from doubts", 0);
    assert_int_equal(list_site_lists(s->site), 0);
}

static void what_three_lists_do_not_show_is_unknown(void **state)
{
    struct scene *s = *state;
    struct sms_job job;
    int64_t began_us = clock_boot_us();

    lose(s, &job, "transactional", "hello", NULL);
    start(s);
    wait_sql(s, IS("unknown"));
    assert_true(clock_boot_us() - began_us >= s->policy.wait_us[DOUBT_TRANSACTIONAL]);
    assert_true(list_site_lists(s->site) >= 3);
    assert_sql(s, DECIDED("unknown") " and reason like 'neither%'", 1);
    assert_sql(s, "select count(*) from doubts", 0);
}

// A late truth wins over what was given up.
static void a_late_callback_wins_over_unknown(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "marketing", "hello", NULL);
    start(s);
    wait_sql(s, IS("unknown"));
    call_back(s, &job, 1, SID "1", "queued");
    assert_sql(s, IS("queued") " and twilio_sid = '" SID "1'", 1);
    assert_sql(s, "select count(*) from cost_entries", 1);
    assert_sql(s, DECIDED("late_truth") " and reason like '%as unknown'", 1);
    call_back(s, &job, 1, SID "1", "queued");
    call_back(s, &job, 1, SID "1", "delivered");
    assert_sql(s, DECIDED("late_truth"), 1);
}

// Lists that do not come prove nothing.
static void without_lists_nothing_is_given_up(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "transactional", "hello", NULL);
    list_site_status(s->site, 503, 0);
    start(s);
    pass(s, 2 * SECOND_US);
    assert_sql(s, IS("in_doubt"), 1);
    assert_sql(s, "select count(*) from doubts where looks > 1 and empty_lists = 0", 1);
    list_site_status(s->site, 0, 0);
    wait_sql(s, IS("unknown"));
}

// A list that lags shows it late, but before it is given up.
static void a_list_that_lags_is_waited_for(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    s->policy.list_lag_us = 8 * SECOND_US;
    lose(s, &job, "transactional", "hello", NULL);
    int64_t created_us = clock_wall_us();
    start(s);
    wait_sql(s, "select count(*) from doubts where empty_lists >= 3");
    pass(s, 2 * SECOND_US);  // its class's time is over, but not the lag
    assert_sql(s, IS("in_doubt"), 1);
    list_site_put(s->site, &(struct listed){ .sid = SID "1",
                                             .to = TO,
                                             .from = "+15005550006",
                                             .body = "hello",
                                             .status = "queued",
                                             .created_us = created_us });
    wait_sql(s, DECIDED("found"));
    assert_sql(s, IS("queued"), 1);
}

static void a_code_expires_even_without_any_list(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "otp", "hello", NULL);
    list_site_status(s->site, 401, 0);
    start(s);
    wait_sql(s, IS("expired"));
    assert_int_equal(list_site_lists(s->site), 1);
    assert_sql(s, DECIDED("expired"), 1);
    assert_sql(s, "select count(*) from delayed", 0);
}

static void an_emergency_goes_out_again_and_is_marked(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "emergency", "hello", NULL);
    start(s);
    wait_sql(s, IS("waiting") " and turn = 2 and reason = 'maybe_twice'");
    assert_true(list_site_lists(s->site) >= 1);
    assert_sql(s,
               "select count(*) from delayed where turn = 2 and kind = 'doubt'"
               " and lane = 'urgent'",
               1);
    assert_sql(s, DECIDED("resend") " and turn = 1", 1);
}

// Its first POST was taken after all: the callback takes the row that waits.
static void proof_of_an_older_turn_stops_the_resend(void **state)
{
    struct scene *s = *state;
    struct sms_job job;
    struct ask ask = { .check = ask_no_rows };

    lose(s, &job, "emergency", "hello", NULL);
    start(s);
    wait_sql(s, IS("waiting"));
    call_back(s, &job, 1, SID "1", "queued");
    assert_sql(s, IS("queued") " and shown_turn = 1", 1);
    assert_sql(s, DECIDED("late_truth") " and turn = 1 and reason like '%not go out'", 1);
    job.turn = 2;
    struct sms_job *jobs[] = { &job };
    store_claim(s->db.db, jobs, 1, 1, ask_done, &ask);
    ask_wait(&s->db, &ask);
    assert_sql(s, IS("queued"), 1);
}

static void claim_again(struct scene *s, struct sms_job *job, int32_t turn)
{
    struct ask claimed = { 0 };
    struct sms_job *jobs[] = { job };

    job->turn = turn;
    store_claim(s->db.db, jobs, 1, 1, ask_done, &claimed);
    ask_wait(&s->db, &claimed);
}

// Too late to stop it: both may arrive, and a row says so.
static void proof_of_an_older_turn_beside_a_claimed_one_is_flagged(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "emergency", "hello", NULL);
    start(s);
    wait_sql(s, IS("waiting"));
    claim_again(s, &job, 2);
    call_back(s, &job, 1, SID "1", "queued");
    call_back(s, &job, 1, SID "1", "sent");
    assert_sql(s, IS("claimed") " and turn = 2", 1);
    assert_sql(s, DECIDED("late_truth") " and turn = 1 and reason like '%twice'", 1);
    assert_sql(s, DECIDED("late_truth"), 1);
}

// Its later turn ends in doubt: the older one is shown, and nothing goes out again.
static void a_doubt_beside_an_older_turn_on_its_way_is_settled(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "emergency", "hello", NULL);
    start(s);
    wait_sql(s, IS("waiting"));
    claim_again(s, &job, 2);
    call_back(s, &job, 1, SID "1", "sent");
    pg_exec(s->db.pg, "update messages set status = 'in_doubt', rank = 20");
    wait_sql(s, DECIDED("adopted"));
    assert_sql(s, IS("sent") " and shown_turn = 1 and claimed_epoch is null", 1);
    wait_sql(s, "select (count(*) = 0)::int from doubts");
    assert_sql(s, DECIDED("resend"), 1);
}

// The list is read back to the oldest turn without a SID.
static void a_list_that_shows_an_older_turn_ends_the_doubt(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "emergency", "hello", NULL);
    start(s);
    wait_sql(s, IS("waiting"));
    claim_again(s, &job, 2);
    pg_exec(s->db.pg,
            "update attempts set claimed_at = now() - interval '5 min' where turn = 1");
    list_site_put(s->site,
                  &(struct listed){ .sid = SID "1",
                                    .to = TO,
                                    .from = "+15005550006",
                                    .body = "hello",
                                    .status = "sent",
                                    .created_us = clock_wall_us() - 299 * SECOND_US });
    pg_exec(s->db.pg, "update messages set status = 'in_doubt', rank = 20");
    wait_sql(s, DECIDED("found"));
    assert_sql(s, IS("sent") " and shown_turn = 1", 1);
    assert_sql(s,
               "select count(*) from attempts where turn = 1 and twilio_sid = '" SID "1'",
               1);
    assert_sql(s, DECIDED("resend"), 1);
}

static void a_message_from_another_sender_is_no_rival(void **state)
{
    struct scene *s = *state;
    struct sms_job a, b;

    lose(s, &a, "transactional", "hello", NULL);
    pg_exec(s->db.pg, "update messages set sender = '+15005550009'");
    lose(s, &b, "transactional", "hello", NULL);
    show(s, SID "1", "hello", "sent");
    start(s);
    wait_sql(s, DECIDED("found"));
    assert_sql(s, IS("sent") " and sender = '+15005550006'", 1);
}

static void a_client_s_choice_is_one_resend(void **state)
{
    struct scene *s = *state;
    struct sms_job job;
    struct ask claimed = { 0 };

    lose(s, &job, "transactional", "hello", "resend");
    start(s);
    wait_sql(s, IS("waiting") " and turn = 2");
    job.turn = 2;
    struct sms_job *jobs[] = { &job };
    store_claim(s->db.db, jobs, 1, 1, ask_done, &claimed);
    ask_wait(&s->db, &claimed);
    pg_exec(s->db.pg, "update messages set status = 'in_doubt', rank = 20");
    wait_sql(s, IS("unknown") " and turn = 2");
    assert_sql(s, DECIDED("resend"), 1);
    assert_sql(s, DECIDED("unknown") " and reason like '%again already%'", 1);
}

// Two POSTs of the same text and one message in the list: nobody knows whose it is.
static void of_two_equal_texts_one_message_proves_neither(void **state)
{
    struct scene *s = *state;
    struct sms_job a, b;

    lose(s, &a, "transactional", "hello", "resend");
    lose(s, &b, "transactional", "hello", "resend");
    show(s, SID "1", "hello", "sent");
    start(s);
    wait_sql(s, "select (count(*) = 2)::int from messages where status = 'unknown'");
    assert_sql(s, DECIDED("found"), 0);
    assert_sql(s, DECIDED("unknown") " and reason like '%which is whose%'", 2);
}

static void of_two_equal_texts_two_messages_prove_both(void **state)
{
    struct scene *s = *state;
    struct sms_job a, b;

    lose(s, &a, "transactional", "hello", NULL);
    show(s, SID "1", "hello", "sent");
    lose(s, &b, "transactional", "hello", NULL);
    show(s, SID "2", "hello", "sent");
    start(s);
    wait_sql(s, "select (count(*) = 2)::int from decisions where kind = 'found'");
    assert_sql(s, "select count(distinct twilio_sid) from messages where status = 'sent'",
               2);
    assert_sql(s,
               "select (array_agg(right(twilio_sid, 1)::int order by message_id))[1]"
               "  from messages",
               1);
}

// A message whose SID another attempt has is not ours.
static void a_message_of_another_attempt_is_not_taken(void **state)
{
    struct scene *s = *state;
    struct sms_job a, b;

    lose(s, &a, "transactional", "hello", NULL);
    show(s, SID "1", "hello", "sent");
    call_back(s, &a, 1, SID "1", "sent");
    lose(s, &b, "transactional", "hello", NULL);
    start(s);
    wait_sql(s, IS("unknown"));
    assert_sql(s, IS("sent"), 1);
}

// A worker that died left no attempt: what is found makes one.
static void a_rescued_message_is_found_too(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    lose(s, &job, "transactional", "hello", NULL);
    pg_exec(s->db.pg, "delete from attempts");
    show(s, SID "1", "hello", "queued");
    start(s);
    wait_sql(s, DECIDED("found"));
    assert_sql(s,
               "select count(*) from attempts where twilio_sid = '" SID
               "1' and turn = 1 and rank = 30",
               1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_in_the_list_is_found),
        TEST(a_callback_ends_the_doubt_without_a_list),
        TEST(what_three_lists_do_not_show_is_unknown),
        TEST(a_late_callback_wins_over_unknown),
        TEST(without_lists_nothing_is_given_up),
        TEST(a_list_that_lags_is_waited_for),
        TEST(a_code_expires_even_without_any_list),
        TEST(an_emergency_goes_out_again_and_is_marked),
        TEST(proof_of_an_older_turn_stops_the_resend),
        TEST(proof_of_an_older_turn_beside_a_claimed_one_is_flagged),
        TEST(a_doubt_beside_an_older_turn_on_its_way_is_settled),
        TEST(a_list_that_shows_an_older_turn_ends_the_doubt),
        TEST(a_message_from_another_sender_is_no_rival),
        TEST(a_client_s_choice_is_one_resend),
        TEST(of_two_equal_texts_one_message_proves_neither),
        TEST(of_two_equal_texts_two_messages_prove_both),
        TEST(a_message_of_another_attempt_is_not_taken),
        TEST(a_rescued_message_is_found_too),
    };

    return cmocka_run_group_tests(tests, group_start, db_group_stop);
}
