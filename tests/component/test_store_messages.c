// What the producer reads: messages as their senders see them.
#include "store_ask.h"

#include "sms_job_make.h"
#include "store_claims.h"
#include "store_epochs.h"
#include "store_messages.h"

#include <string.h>

#define HOUR_US INT64_C(3600000000)

enum { S_US = 1000000 };

static void check_waiting(const struct db_result *rows, void *arg)
{
    const struct sms_job *job = arg;
    struct message_row row;

    assert_true(store_status_read(&row, rows));
    assert_memory_equal(row.message_id, job->message_id, 16);
    assert_int_equal(row.client, SMS_JOB_CLIENT);
    assert_string_equal(row.status, "waiting");
    assert_string_equal(row.waiting_kind, "schedule");
    assert_string_equal(row.message_class, "transactional");
    assert_string_equal(row.reference, "order 17");
    assert_null(row.twilio_sid);
    assert_null(row.reason);
    assert_int_equal(row.turn, 2);
    assert_int_equal(row.error_code, 0);
    assert_int_equal(row.segments, 1);
    assert_int_equal(row.send_at, job->send_at);
    assert_int_equal(row.sent_at, 0);
    assert_int_equal(row.expires_at, job->expires_at);
    assert_int_equal(row.sealed.len, job->sealed.len);
    assert_false(row.cost_known);
    assert_int_equal(row.cost_micros, 0);
    assert_string_equal(row.currency, "USD");
}

static void status_by_id(struct db_fixture *f, const struct sms_job *job, int32_t client,
                         void (*check)(const struct db_result *, void *))
{
    struct ask ask = { check, (void *)job, false };

    store_status_by_id(f->db, job->message_id, client, ask_done, &ask);
    ask_wait(f, &ask);
}

static void a_waiting_message_shows_why(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    ask_claim(f, &job, 4, HOUR_US);
    status_by_id(f, &job, SMS_JOB_CLIENT, check_waiting);
}

static const char sid[] = "SM00112233445566778899aabbccddeeff";

static void accept(struct db_fixture *f, const struct sms_job *job)
{
    struct send_outcome outcome = {
        .turn = 1,
        .status = "queued",
        .rank = 30,
        .outcome = "accepted",
        .http_status = 201,
        .sid = sid,
        .segments = 3,
        .answered_us = job->accepted_at + S_US,
        .estimate_micros = job->estimate_micros,
        .currency = job->currency,
        .rate_note = job->rate_note,
        .mode = job->mode,
    };
    struct ask ask = { 0 };

    memcpy(outcome.message_id, job->message_id, sizeof(outcome.message_id));
    store_result(f->db, &outcome, 1, ask_done, &ask);
    ask_wait(f, &ask);
}

static void check_sent(const struct db_result *rows, void *arg)
{
    const struct sms_job *job = arg;
    struct message_row row;

    assert_true(store_status_read(&row, rows));
    assert_string_equal(row.status, "queued");
    assert_null(row.waiting_kind);
    assert_string_equal(row.twilio_sid, sid);
    assert_int_equal(row.segments, 3);
    assert_int_equal(row.sent_at, job->accepted_at + S_US);
    assert_int_equal(row.estimate_micros, SMS_JOB_ESTIMATE);
    assert_true(row.cost_known);
    assert_int_equal(row.cost_micros, SMS_JOB_ESTIMATE);
    assert_string_equal(row.rate_note, "default_rate");
}

static void check_billed_in_euro(const struct db_result *rows, void *arg)
{
    struct message_row row;

    (void)arg;
    assert_true(store_status_read(&row, rows));
    assert_int_equal(row.cost_micros, 11000);
    assert_string_equal(row.currency, "EUR");
}

static void a_sent_message_is_found_by_id_and_sid_by_its_client_alone(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;
    struct ask ours = { check_sent, &job, false };
    struct ask theirs = { .check = ask_no_rows };

    ask_claim(f, &job, 5, 0);
    accept(f, &job);
    status_by_id(f, &job, SMS_JOB_CLIENT, check_sent);
    status_by_id(f, &job, SMS_JOB_CLIENT + 1, ask_no_rows);
    store_status_by_sid(f->db, sid, SMS_JOB_CLIENT, ask_done, &ours);
    ask_wait(f, &ours);
    store_status_by_sid(f->db, sid, SMS_JOB_CLIENT + 1, ask_done, &theirs);
    ask_wait(f, &theirs);
    theirs.came = false;
    store_status_by_sid(f->db, "SM00", SMS_JOB_CLIENT, ask_done, &theirs);
    ask_wait(f, &theirs);
}

static void the_cost_is_the_sum_of_the_ledger(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    ask_claim(f, &job, 6, 0);
    accept(f, &job);
    pg_exec(f->pg, "insert into cost_entries (message_id, twilio_sid, kind, seq,"
                   "                          amount_micros, total_micros, currency)"
                   " select message_id, twilio_sid, 'price', n, amount, total, x.currency"
                   "   from messages, (values (1, -12800, 0, 'USD'),"
                   "                          (2, 11000, 11000, 'EUR'))"
                   "        x(n, amount, total, currency)");
    status_by_id(f, &job, SMS_JOB_CLIENT, check_billed_in_euro);
}

static void check_canceled(const struct db_result *rows, void *arg)
{
    struct message_row row;

    (void)arg;
    assert_true(store_status_read(&row, rows));
    assert_string_equal(row.status, "canceled");
    assert_null(row.message_class);
    assert_null(row.sealed.bytes);
    assert_int_equal(row.accepted_at, 0);
}

static void a_message_canceled_unseen_has_a_status_all_the_same(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    ask_claim(f, &job, 7, 0);
    pg_exec(f->pg, "insert into messages (message_id, client, turn, status, rank)"
                   " select overlay(message_id::text placing '8' from 36 for 1)::uuid,"
                   "        client, 0, 'canceled', 25 from messages");
    job.message_id[15] = 8;
    status_by_id(f, &job, SMS_JOB_CLIENT, check_canceled);
}

static void check_one(const struct db_result *rows, void *arg)
{
    assert_int_equal(db_rows(rows), 1);
    assert_int_equal(db_int(rows, 0, 0), *(int64_t *)arg);
}

static void a_buried_worker_beats_no_more(void **state)
{
    struct db_fixture *f = *state;
    int64_t epoch = INT64_C(0x7edcba9876543210);
    const struct worker_start start = { epoch, "host", 12, "0.1.0", 15000000, 45000000 };
    struct ask starts[2] = { 0 }, alive = { check_one, &epoch, false };
    struct ask dead = { .check = ask_no_rows };

    for (int i = 0; i < 2; i++) {
        store_worker_start(f->db, &start, ask_done, &starts[i]);
        ask_wait(f, &starts[i]);
    }
    store_heartbeat(f->db, epoch, ask_done, &alive);
    ask_wait(f, &alive);
    pg_exec(f->pg, "update workers set dead_at = now()");
    store_heartbeat(f->db, epoch, ask_done, &dead);
    ask_wait(f, &dead);
    assert_int_equal(pg_int(f->pg, "select count(*) from workers"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_waiting_message_shows_why),
        STORE_TEST(a_sent_message_is_found_by_id_and_sid_by_its_client_alone),
        STORE_TEST(the_cost_is_the_sum_of_the_ledger),
        STORE_TEST(a_message_canceled_unseen_has_a_status_all_the_same),
        STORE_TEST(a_buried_worker_beats_no_more),
    };

    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
