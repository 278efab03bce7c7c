// Due rows on their way from the table delayed to their lane.
#include "buf.h"
#include "db_calls.h"
#include "json.h"
#include "kafka_mock.h"
#include "kafka_out.h"
#include "kafka_peek.h"
#include "log.h"
#include "metrics.h"
#include "mover.h"
#include "reactor.h"
#include "sms_job_make.h"
#include "store_claims.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
    struct pg *pg;
    struct kafka_mock mock;
    struct metrics *metrics;
    struct db *db;
    struct kafka_out *out;
    struct mover *mover;
    struct metric *moved, *stale;
    uint64_t wanted;
};

static bool is_connected(void *arg)
{
    const struct fixture *f = arg;
    return db_is_up(f->db);
}

static int group_start(void **state)
{
    log_level_set(LOG_LEVEL_ERROR);
    *state = pg_start(PG_MIGRATED);
    return 0;
}

static int group_stop(void **state)
{
    pg_stop(*state);
    return 0;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct err err = { 0 };

    f->pg = *state;
    pg_exec(f->pg, "truncate messages, delayed, leases, decisions, claim_batches");
    kafka_mock_open(&f->mock, TOPIC_JOBS_BULK, 1);
    f->metrics = metrics_new();
    const struct db_settings db = { (char *)(uintptr_t)pg_url(f->pg), 30000000 };
    const struct kafka_out_settings out = { .kafka = &f->mock.settings,
                                            .linger_us = 500,
                                            .timeout_ms = 300,
                                            .queue_max = 10000 };
    if (db_open(&f->db, f->mock.reactor, &db, "test", NULL, &err) ||
        kafka_out_open(&f->out, f->mock.reactor, &out, f->metrics, &err))
        fail_msg("%s", err.text);
    loop_until(f->mock.reactor, is_connected, f);
    *state = f;
    return 0;
}

#define LANE "lane=\"bulk\""

static struct mover *mover(struct fixture *f)
{
    const struct mover_settings set = { .lane = "bulk",
                                        .topic = TOPIC_JOBS_BULK,
                                        .lease = "mover.bulk",
                                        .db = f->db,
                                        .out = f->out,
                                        .poll_us = 20000,
                                        .lease_us = 600000,
                                        .reactor = f->mock.reactor };

    return mover_new(&set, f->metrics);
}

static void start(struct fixture *f)
{
    f->mover = mover(f);
    f->moved = metrics_counter(f->metrics, "smsq_delayed_moved_total", LANE, "");
    f->stale = metrics_counter(f->metrics, "smsq_delayed_stale_total", LANE, "");
}

static bool is_idle(void *arg)
{
    const struct fixture *f = arg;
    return mover_is_idle(f->mover);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct pg *pg = f->pg;

    kafka_out_close(f->out);
    db_close(f->db);
    mover_free(f->mover);
    kafka_mock_close(&f->mock);
    metrics_free(f->metrics);
    free(f);
    *state = pg;
    return 0;
}

// Claims count jobs that are wanted later, which puts them to sleep at turn 2, and wakes
// them.
static void put_to_sleep(struct fixture *f, size_t count)
{
    int64_t now_us = clock_wall_us();
    struct sms_job *jobs = xcalloc(count, sizeof(*jobs));
    struct sms_job **sorted = xcalloc(count, sizeof(*sorted));
    struct call call = { 0 };

    for (size_t i = 0; i < count; i++) {
        unsigned char id[16];
        sms_job_make_id(id, now_us / 1000, (uint32_t)i);
        sms_job_make(&jobs[i], id, now_us);
        jobs[i].message_class = "marketing";
        jobs[i].send_at = now_us + 3600000000;
        sorted[i] = &jobs[i];
    }
    store_claim(f->db, sorted, count, 1, 1, call_done, &call);
    call_wait(f->mock.reactor, &call);
    assert_int_equal(call.rows, count);
    free(jobs);
    free(sorted);
    pg_exec(f->pg, "update delayed set due = now() - interval '1 s'");
}

static bool is_moved(void *arg)
{
    const struct fixture *f = arg;
    return metric_count(f->moved) + metric_count(f->stale) >= f->wanted;
}

static void wait_moved(struct fixture *f, uint64_t wanted)
{
    f->wanted = wanted;
    loop_until(f->mock.reactor, is_moved, f);
    mover_stop(f->mover);
    loop_until(f->mock.reactor, is_idle, f);
}

static void what_is_due_comes_back_as_a_job_of_its_turn(void **state)
{
    struct fixture *f = *state;
    struct json_reader *json = json_reader_new();
    struct wire_memory *memory = NULL;
    struct sms_job job = { 0 };
    struct err err = { 0 };
    size_t len;

    put_to_sleep(f, 1);
    start(f);
    wait_moved(f, 1);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
    char *value = kafka_peek(f->mock.settings.brokers, TOPIC_JOBS_BULK, 0, &len);
    if (wire_decode(&job, &memory, sms_job_fields, json, value, len, &err))
        fail_msg("%s", err.text);
    assert_int_equal(job.turn, 2);
    assert_string_equal(job.message_class, "marketing");
    assert_string_equal(job.reference, "order 17");
    assert_int_equal(job.estimate_micros, SMS_JOB_ESTIMATE);
    assert_int_equal(job.sealed.len, 128);
    wire_free(memory);
    json_reader_free(json);
    free(value);
}

static void what_does_not_wait_any_more_is_only_deleted(void **state)
{
    struct fixture *f = *state;

    put_to_sleep(f, 3);
    pg_exec(f->pg, "update messages set status = 'canceled', rank = 25 where message_id ="
                   " (select message_id from messages order by 1 limit 1)");
    pg_exec(f->pg, "update messages set turn = 3 where message_id ="
                   " (select message_id from messages order by 1 desc limit 1)");
    start(f);
    wait_moved(f, 3);
    assert_int_equal(metric_count(f->stale), 2);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_JOBS_BULK, 0), 1);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
}

static void other_lanes_and_what_is_not_due_stay(void **state)
{
    struct fixture *f = *state;

    put_to_sleep(f, 3);
    pg_exec(f->pg, "update delayed set lane = 'urgent' where message_id ="
                   " (select message_id from messages order by 1 limit 1)");
    pg_exec(f->pg, "update delayed set due = now() + interval '1 h' where message_id ="
                   " (select message_id from messages order by 1 desc limit 1)");
    start(f);
    wait_moved(f, 1);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_JOBS_BULK, 0), 1);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 2);
}

// More pages than are on their way at a time: each row is published once.
static void full_batches_follow_each_other(void **state)
{
    struct fixture *f = *state;
    const size_t count = (MOVER_BATCHES + 1) * MOVER_BATCH_MAX + 7;

    put_to_sleep(f, count);
    start(f);
    wait_moved(f, count);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_JOBS_BULK, 0), count);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
}

// The clock of the fixture's Kafka client runs out after 0.3 s.
static void what_kafka_does_not_confirm_stays_and_is_tried_again(void **state)
{
    struct fixture *f = *state;
    struct metric *failed =
        metrics_counter(f->metrics, "smsq_kafka_publish_failures_total", NULL, "");

    put_to_sleep(f, 3);
    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    start(f);
    while (metric_count(failed) < 3)
        loop_once(f->mock.reactor);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 3);
    assert_int_equal(metric_count(f->moved), 0);
    rd_kafka_mock_broker_set_up(f->mock.cluster, MOCK_BROKER);
    wait_moved(f, 3);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
}

// The reports of the batch in hand come while the client closes.
static void closing_in_the_middle_of_a_batch_is_harmless(void **state)
{
    struct fixture *f = *state;

    put_to_sleep(f, 3);
    start(f);
    while (kafka_out_in_flight(f->out) == 0)
        loop_once(f->mock.reactor);
    mover_stop(f->mover);
    kafka_out_close(f->out);
    f->out = NULL;
    assert_int_equal(metric_count(f->moved), 3);
    loop_until(f->mock.reactor, is_idle, f);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
}

// The row says so: a scheduler that is frozen, or died, has the lane for half a second.
static void a_frozen_scheduler_stops_nobody_for_long(void **state)
{
    struct fixture *f = *state;

    put_to_sleep(f, 1);
    pg_exec(f->pg, "insert into leases values ('mover.bulk', 1, 'the frozen one',"
                   " clock_timestamp() + interval '0.5 s')");
    start(f);
    wait_moved(f, 1);
    assert_int_equal(pg_int(f->pg, "select count(*) from leases where holder <> 1"
                                   " and expires_at < now()"),
                     0);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
}

static void two_schedulers_publish_each_row_once(void **state)
{
    struct fixture *f = *state;
    const size_t count = MOVER_BATCH_MAX + 7;

    put_to_sleep(f, count);
    struct mover *other = mover(f);
    start(f);
    wait_moved(f, count);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_JOBS_BULK, 0), count);
    mover_stop(other);
    struct mover *first = f->mover;
    f->mover = other;
    loop_until(f->mock.reactor, is_idle, f);
    f->mover = first;
    mover_free(other);
    assert_int_equal(pg_int(f->pg, "select count(*) from leases"), 0);
}

#define FAILED_SQL                                                                       \
    "select count(*) from messages m join decisions d using (message_id, turn)"          \
    " where m.status = 'failed' and m.rank = 70 and m.reason = 'cannot_publish'"         \
    " and m.shown_turn = m.turn and d.kind = 'failed' and d.decided_by = "               \
    "'smsq-scheduler'"

// The broker refuses the batch of three for the sake of one of them, and then that one
// alone: the other two pass.
static void what_kafka_never_takes_fails_alone_and_hides_nobody(void **state)
{
    struct fixture *f = *state;

    put_to_sleep(f, 3);
    rd_kafka_mock_push_request_errors(f->mock.cluster, 0 /* Produce */, 2,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    start(f);
    wait_moved(f, 2);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_JOBS_BULK, 0), 2);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
    assert_int_equal(pg_int(f->pg, FAILED_SQL), 1);
}

// A whole page of rows without their payload, due before the good ones.
static void rows_that_make_no_job_fail_and_hide_nobody(void **state)
{
    struct fixture *f = *state;
    const size_t bad = MOVER_BATCH_MAX, good = 10;

    put_to_sleep(f, bad + good);
    pg_exec(f->pg, "update delayed set due = due - interval '1 h'"
                   " where message_id in (select message_id from delayed"
                   "                       order by 1 limit 1000)");
    pg_exec(f->pg, "update messages set sealed = null"
                   " where message_id in (select message_id from delayed"
                   "                       where due < now() - interval '1 min')");
    start(f);
    wait_moved(f, good);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_JOBS_BULK, 0), good);
    assert_int_equal(pg_int(f->pg, FAILED_SQL), bad);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
    assert_int_equal(pg_int(f->pg, "select count(*) from decisions where reason ="
                                   " 'sealed is missing or out of range'"),
                     bad);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_due_comes_back_as_a_job_of_its_turn),
        TEST(what_does_not_wait_any_more_is_only_deleted),
        TEST(other_lanes_and_what_is_not_due_stay),
        TEST(full_batches_follow_each_other),
        TEST(what_kafka_does_not_confirm_stays_and_is_tried_again),
        TEST(closing_in_the_middle_of_a_batch_is_harmless),
        TEST(a_frozen_scheduler_stops_nobody_for_long),
        TEST(two_schedulers_publish_each_row_once),
        TEST(what_kafka_never_takes_fails_alone_and_hides_nobody),
        TEST(rows_that_make_no_job_fail_and_hide_nobody),
    };
    return cmocka_run_group_tests(tests, group_start, group_stop);
}
