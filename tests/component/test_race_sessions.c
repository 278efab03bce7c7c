// Several sessions at once, and events in every order.
#include "race.h"

#include "db_calls.h"
#include "reactor.h"
#include "sms_job_make.h"
#include "store_claims.h"
#include "store_receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 3000, MAX_BATCH = 400, ROUNDS = 200, S_US = 1000000 };

// Two sessions on one loop, that the server works for at the same time.
struct sessions {
    struct db_fixture first;  // the owner of the loop
    struct db *second;
    int64_t born_us;
    unsigned char (*ids)[16];
    size_t asked, answered;
    int32_t wins[MESSAGES];  // rows "claimed" that came back for each id
    size_t joined;
};

static bool is_second_up(void *arg)
{
    return db_is_up(((struct sessions *)arg)->second);
}

static int open_sessions(void **state)
{
    struct sessions *s = xcalloc(1, sizeof(*s));
    struct err err = { 0 };

    db_fixture_open(&s->first, *state);
    pg_exec(s->first.pg,
            "truncate messages, attempts, claim_batches, receipts, receipts_unmatched,"
            " cost_entries, delayed");
    const struct db_settings set = { .url = (char *)pg_url(s->first.pg) };
    assert_int_equal(db_open(&s->second, s->first.reactor, &set, "second session", NULL,
                             &err),
                     OUTCOME_OK);
    loop_until(s->first.reactor, is_second_up, s);

    s->born_us = clock_wall_us();
    s->ids = xcalloc(MESSAGES, sizeof(*s->ids));
    for (uint32_t i = 0; i < MESSAGES; i++)
        sms_job_make_id(s->ids[i], s->born_us / 1000, i + 1);
    *state = s;
    return 0;
}

static int close_sessions(void **state)
{
    struct sessions *s = *state;

    db_close(s->second);
    db_fixture_close(&s->first);
    free(s->ids);
    free(s);
    return 0;
}

static int start_server(void **state)
{
    *state = pg_start(PG_MIGRATED);
    return 0;
}

static bool is_all_answered(void *arg)
{
    const struct sessions *s = arg;
    return s->answered == s->asked;
}

static void wait_for_all(struct sessions *s)
{
    loop_until(s->first.reactor, is_all_answered, s);
}

static void on_done(void *arg, const struct db_answer *answer)
{
    struct sessions *s = arg;

    s->answered++;
    assert_int_equal(answer->rc, OUTCOME_OK);
}

static void on_claimed(void *arg, const struct db_answer *answer)
{
    struct sessions *s = arg;

    on_done(s, answer);
    for (size_t row = 0; row < db_rows(answer->rows); row++) {
        size_t i = 0;
        while (memcmp(s->ids[i], db_uuid(answer->rows, row, 0), 16) != 0)
            i++;
        s->wins[i] += strcmp(db_text(answer->rows, row, 2), "claimed") == 0;
    }
}

static void claim(struct sessions *s, struct db *db, size_t first, size_t count,
                  int64_t epoch)
{
    struct sms_job jobs[MAX_BATCH];
    struct sms_job *sorted[MAX_BATCH];

    for (size_t i = 0; i < count; i++) {
        sms_job_make(&jobs[i], s->ids[first + i], s->born_us);
        sorted[i] = &jobs[i];
    }
    s->asked++;
    store_claim(db, sorted, count, epoch, 1, on_claimed, s);
}

static size_t batch_of(size_t first, size_t size)
{
    return first + size > MESSAGES ? MESSAGES - first : size;
}

static void overlapping_claims_are_won_by_exactly_one_session(void **state)
{
    struct sessions *s = *state;

    for (size_t i = 0; i < MESSAGES; i += 250)
        claim(s, s->first.db, i, batch_of(i, 250), 1);
    for (size_t i = 0; i < MESSAGES; i += 170)
        claim(s, s->second, i, batch_of(i, 170), 2);
    wait_for_all(s);

    for (size_t i = 0; i < MESSAGES; i++)
        assert_int_equal(s->wins[i], 1);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from messages"
                                         " where status = 'claimed' and turn = 1"),
                     MESSAGES);
    print_message("won by the second session: %d\n",
                  (int)pg_int(s->first.pg,
                              "select count(*) from messages where claimed_epoch = 2"));
}

static void make_sid(char out[35], size_t i)
{
    (void)snprintf(out, 35, "SM%032zu", i);
}

static void send_results(struct sessions *s, size_t first, size_t count)
{
    struct send_outcome rows[MAX_BATCH];
    char sids[MAX_BATCH][35];

    for (size_t i = 0; i < count; i++) {
        make_sid(sids[i], first + i);
        rows[i] = (struct send_outcome){
            .turn = 1,
            .status = "queued",
            .rank = 30,
            .outcome = "accepted",
            .http_status = 201,
            .sid = sids[i],
            .answered_us = s->born_us + S_US,
            .estimate_micros = SMS_JOB_ESTIMATE,
            .currency = "USD",
            .mode = "simulate",
        };
        memcpy(rows[i].message_id, s->ids[first + i], 16);
    }
    s->asked++;
    store_result(s->first.db, rows, count, on_done, s);
}

static void send_receipts(struct sessions *s, struct db *db, size_t first, size_t count)
{
    struct receipt all[MAX_BATCH];
    const struct receipt *best[MAX_BATCH];
    char sids[MAX_BATCH][35];

    for (size_t i = 0; i < count; i++) {
        make_sid(sids[i], first + i);
        all[i] = (struct receipt){
            .recorded_at_us = s->born_us,
            .offset = (int64_t)(first + i),
            .turn = 1,
            .twilio_sid = sids[i],
            .word = "sent",
            .status = "sent",
            .rank = 50,
            .raw = { (const unsigned char *)"raw", 3 },
            .received_at_us = s->born_us + 2 * S_US,
            .simulated = true,
        };
        memcpy(all[i].message_id, s->ids[first + i], 16);
        best[i] = &all[i];
    }
    s->asked++;
    const struct receipt_batch batch = { all, count, best, count, true };
    store_receipts(db, &batch, &race_retry, on_done, s);
}

static const char wrong_sql[] =
    "select count(*) from messages m left join attempts a using (message_id)"
    " where m.status <> 'sent' or a.status <> 'sent' or m.rank <> a.rank"
    "    or a.outcome is null or m.twilio_sid <> a.twilio_sid or a.message_id is null"
    "    or m.sent_at <> a.answered_at";

static void results_and_callbacks_of_other_batches_come_to_the_same_rows(void **state)
{
    struct sessions *s = *state;

    for (size_t i = 0; i < MESSAGES; i += 300)
        claim(s, s->first.db, i, batch_of(i, 300), 1);
    wait_for_all(s);

    for (size_t i = 0; i < MESSAGES; i += 200)
        send_results(s, i, batch_of(i, 200));
    for (size_t i = 0; i < MESSAGES; i += 130)
        send_receipts(s, s->second, i, batch_of(i, 130));
    wait_for_all(s);

    assert_int_equal(pg_int(s->first.pg, wrong_sql), 0);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from messages"), MESSAGES);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from cost_entries"), MESSAGES);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from receipts"), MESSAGES);
}

static void on_joined(void *arg, const struct db_answer *answer)
{
    struct sessions *s = arg;

    on_done(s, answer);
    s->joined += db_rows(answer->rows);
}

static void two_joins_take_each_receipt_once(void **state)
{
    struct sessions *s = *state;

    for (size_t i = 0; i < MESSAGES; i += 300)
        send_receipts(s, s->second, i, batch_of(i, 300));
    wait_for_all(s);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from receipts_unmatched"),
                     MESSAGES);
    for (size_t i = 0; i < MESSAGES; i += 300)
        claim(s, s->first.db, i, batch_of(i, 300), 1);

    for (int round = 0; round < ROUNDS && s->joined < MESSAGES; round++) {
        for (int k = 0; k < 4; k++) {
            s->asked++;
            store_receipts_join(k % 2 ? s->first.db : s->second, 100, &race_retry, true,
                                on_joined, s);
        }
        wait_for_all(s);
    }
    assert_int_equal(s->joined, MESSAGES);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from receipts_unmatched"), 0);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from messages m"
                                         " join attempts a using (message_id)"
                                         " join cost_entries c using (message_id)"
                                         " where m.status = 'sent' and a.rank = 50"),
                     MESSAGES);
}

enum { EVENTS = 5 };

// The rows after a claim and these events in this order.
static char *rows_after(struct db_fixture *f, const struct step events[EVENTS],
                        const int order[EVENTS])
{
    const struct step first = { CLAIM(1, "1 claimed") };
    struct race race;

    race_begin(&race, f);
    race_step(&race, &first);
    for (int i = 0; i < EVENTS; i++)
        race_step(&race, &events[order[i]]);
    return race_rows(&race);
}

static void swap(int *a, int *b)
{
    int kept = *a;

    *a = *b;
    *b = kept;
}

// The next order in the sense of the alphabet; false after the last.
static bool next_order(int order[EVENTS])
{
    int i = EVENTS - 2, j = EVENTS - 1;

    while (i >= 0 && order[i] > order[i + 1])
        i--;
    if (i < 0)
        return false;
    while (order[j] < order[i])
        j--;
    swap(&order[i], &order[j]);
    for (int low = i + 1, high = EVENTS - 1; low < high; low++, high--)
        swap(&order[low], &order[high]);
    return true;
}

static void every_order_gives_the_rows_of_the_first(struct sessions *s,
                                                    const struct step events[EVENTS])
{
    int order[EVENTS] = { 0, 1, 2, 3, 4 };
    char *first = rows_after(&s->first, events, order);
    int orders = 1;

    print_message("%s\n", first);
    while (next_order(order)) {
        char *rows = rows_after(&s->first, events, order);
        assert_string_equal(rows, first);
        free(rows);
        orders++;
    }
    assert_int_equal(orders, 120);
    free(first);
}

static void a_delivered_message_has_the_same_rows_in_any_order(void **state)
{
    static const struct step events[EVENTS] = {
        { RESULT(1, "accepted", "A", NULL) },    { CALLBACK(1, "queued", "A", NULL) },
        { CALLBACK(1, "sent", "A", NULL) },      { CALLBACK(1, "delivered", "A", NULL) },
        { CALLBACK(1, "delivered", "A", NULL) },
    };

    every_order_gives_the_rows_of_the_first(*state, events);
}

static void a_failed_message_has_the_same_rows_in_any_order(void **state)
{
    static const struct step events[EVENTS] = {
        { RESULT(1, "accepted", "A", NULL) },      { RESULT(1, "accepted", "A", NULL) },
        { FAILED_WITH(1, 30005, "A", NULL) },      { CALLBACK(1, "sent", "A", NULL) },
        { CALLBACK(1, "undelivered", "A", NULL) },
    };

    every_order_gives_the_rows_of_the_first(*state, events);
}

#define SESSIONS_TEST(test)                                                              \
    cmocka_unit_test_setup_teardown(test, open_sessions, close_sessions)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSIONS_TEST(overlapping_claims_are_won_by_exactly_one_session),
        SESSIONS_TEST(results_and_callbacks_of_other_batches_come_to_the_same_rows),
        SESSIONS_TEST(two_joins_take_each_receipt_once),
        SESSIONS_TEST(a_delivered_message_has_the_same_rows_in_any_order),
        SESSIONS_TEST(a_failed_message_has_the_same_rows_in_any_order),
    };

    return cmocka_run_group_tests(tests, start_server, db_group_stop);
}
