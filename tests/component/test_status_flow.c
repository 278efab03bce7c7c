// Callbacks through a whole status consumer: kept, raised by rank, buried when they are
// none.
#include "buf.h"
#include "kafka_mock.h"
#include "kafka_peek.h"
#include "log.h"
#include "pg.h"
#include "reactor.h"
#include "sms_job_make.h"
#include "status_consumer.h"
#include "wire.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T(text) ((char *)(uintptr_t)(text))
#define HEX64   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SID     "SM0123456789abcdef0123456789abcde"  // and one digit

enum { POLL_US = 10000, PATIENCE_US = 40 * 1000000, PRODUCE_API = 0 };

struct fixture {
    struct pg *pg;
    struct kafka_mock mock;
    struct status_consumer_settings set;
    struct status_consumer *consumer;
    pthread_t thread;
    bool runs;
    enum outcome rc;
    struct err err;
    unsigned char id[16];
};

static int group_start(void **state)
{
    stop_install();
    log_level_set(LOG_LEVEL_ERROR);
    *state = pg_start(PG_MIGRATED);
    return 0;
}

static int group_stop(void **state)
{
    pg_stop(*state);
    return 0;
}

// One message stands at its first turn, as the worker leaves it.
static void insert_message(struct fixture *f)
{
    struct buf sql = BUF_INIT(2048);
    char hex[33];

    sms_job_make_id(f->id, clock_wall_us() / 1000, 1);
    hex_encode(hex, f->id, 16);
    pg_exec(f->pg, "truncate messages, attempts, receipts, receipts_unmatched,"
                   " cost_entries, delayed, dead_letters, decisions restart identity");
    buf_addf(&sql,
             "insert into messages (message_id, client, turn, status, rank, class, lane,"
             " channel, mode, sealed, to_hash, to_hint, sender, sender_type, segments,"
             " estimate_micros, currency, accepted_at, expires_at, shown_turn)"
             " values ('%s', 7, 1, 'queued', 30, 'otp', 'urgent', 'sms', 'simulate',"
             " '\\x01', '\\x02', 'US', '+15005550006', 'number', 1, 12800, 'USD', now(),"
             " now() + interval '1 h', 1)",
             hex);
    pg_exec(f->pg, buf_text(&sql));
    buf_free(&sql);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    f->pg = *state;
    insert_message(f);
    kafka_mock_open(&f->mock, TOPIC_STATUS, 1);
    assert_int_equal(rd_kafka_mock_topic_create(f->mock.cluster, TOPIC_DEAD, 1, 1), 0);
    f->set = (struct status_consumer_settings){
        .account = { .test_mode = true,
                     .base_url = T("https://api.twilio.com"),
                     .simulator_account_sid = T("AC00000000000000000000000000000001"),
                     .simulator_auth_token = T("token"),
                     .public_url = T("http://127.0.0.1:8001") },
        .reconcile = { .interval_us = 1000000,
                       .calls_per_second = 10,
                       .in_flight = 1,
                       .sweeps = { .status_ages = T("5m"),
                                   .price_ages = T("1m"),
                                   .time_out_us = INT64_C(86400000000),
                                   .otp_time_out_us = INT64_C(86400000000),
                                   .rest_us = 10000000 } },
        .kafka = f->mock.settings,
        .db = { T(pg_url(f->pg)), 30000000 },
        .keys = { T(HEX64), T("1:" HEX64) },
        .service = { T("127.0.0.1"), 0, T("error"), 20000000 },
        .retry = { 60, 3600, { 3, 10, 8, 5 } },
        .join_us = 100000,
        .lease_us = 10000000,
    };
    *state = f;
    return 0;
}

static void stop(struct fixture *f)
{
    (void)f;
    assert_int_equal(kill(getpid(), SIGTERM), 0);
}

static void join(struct fixture *f)
{
    pthread_join(f->thread, NULL);
    status_consumer_close(f->consumer);
    f->runs = false;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct pg *pg = f->pg;

    if (f->runs) {  // the test failed
        stop(f);
        join(f);
    }
    kafka_mock_close(&f->mock);
    free(f);
    *state = pg;
    return 0;
}

static void *run(void *arg)
{
    struct fixture *f = arg;
    f->rc = status_consumer_run(f->consumer, &f->err);
    return NULL;
}

static void start(struct fixture *f)
{
    if (status_consumer_open(&f->consumer, &f->set, &f->err))
        fail_msg("%s", f->err.text);
    if (pthread_create(&f->thread, NULL, run, f))
        abort();
    f->runs = true;
}

static void ends(struct fixture *f)
{
    stop(f);
    join(f);
    assert_string_equal(f->err.text, "");
    assert_int_equal(f->rc, OUTCOME_OK);
}

static void put(struct fixture *f, const unsigned char *id, int32_t turn, const char *sid,
                const char *status)
{
    static const unsigned char raw[40];
    struct buf value = BUF_INIT(4096);
    struct sms_status record = { .turn = turn,
                                 .twilio_sid = sid,
                                 .status = status,
                                 .raw = { raw, sizeof(raw) },
                                 .received_at = clock_wall_us(),
                                 .mode = "simulate" };

    if (id)
        memcpy(record.message_id, id, sizeof(record.message_id));
    wire_encode(&record, sms_status_fields, &value);
    kafka_mock_put(&f->mock, TOPIC_STATUS, 0, NULL, buf_text(&value));
    buf_free(&value);
}

static void wait_sql(struct fixture *f, const char *sql, int64_t wanted)
{
    int64_t until_us = clock_boot_us() + PATIENCE_US, found;

    while ((found = pg_int(f->pg, sql)) != wanted && clock_boot_us() < until_us)
        (void)usleep(POLL_US);
    if (found != wanted)
        fail_msg("%s: %lld, not %lld", sql, (long long)found, (long long)wanted);
}

static void wait_dead(struct fixture *f, int64_t wanted)
{
    while (kafka_mock_count(&f->mock, TOPIC_DEAD, 0) != wanted)
        (void)usleep(POLL_US);
}

static int64_t committed(struct fixture *f)
{
    return kafka_mock_committed(&f->mock, "smsq-status-consumer", TOPIC_STATUS, 0);
}

static void callbacks_in_any_order_end_at_the_highest_rank(void **state)
{
    struct fixture *f = *state;

    put(f, f->id, 1, SID "1", "delivered");
    put(f, f->id, 1, SID "1", "queued");
    put(f, f->id, 1, SID "1", "a_new_word");
    put(f, f->id, 1, SID "1", "sent");
    put(f, f->id, 1, SID "1", "delivered");
    start(f);
    wait_sql(f, "select count(*) from messages where status = 'delivered'", 1);
    wait_sql(f, "select count(*) from receipts", 5);
    put(f, f->id, 1, SID "1", "sent");
    wait_sql(f, "select count(*) from receipts", 6);
    ends(f);
    assert_int_equal(pg_int(f->pg, "select count(*) from messages where status ="
                                   " 'delivered' and rank = 75 and twilio_sid = '" SID
                                   "1' and delivered_at is not null"),
                     1);
    assert_int_equal(pg_int(f->pg, "select count(*) from attempts where turn = 1"), 1);
    assert_int_equal(pg_int(f->pg, "select count(*) from cost_entries"), 1);
    assert_int_equal(committed(f), 6);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_DEAD, 0), 0);
}

// An id alone names no attempt; the SID does, once the worker or a callback wrote it.
static void a_callback_without_a_turn_is_joined_by_its_sid(void **state)
{
    struct fixture *f = *state;

    put(f, f->id, 0, SID "2", "sent");
    put(f, NULL, 0, SID "2", "delivered");
    start(f);
    wait_sql(f, "select count(*) from receipts_unmatched", 2);
    assert_int_equal(pg_int(f->pg, "select count(*) from attempts"), 0);
    put(f, f->id, 1, SID "2", "queued");
    wait_sql(f, "select count(*) from messages where status = 'delivered'", 1);
    wait_sql(f, "select count(*) from receipts_unmatched", 0);
    ends(f);
    assert_int_equal(committed(f), 3);
}

static void records_that_are_no_callbacks_go_to_sms_dead(void **state)
{
    struct fixture *f = *state;
    size_t len;

    kafka_mock_put(&f->mock, TOPIC_STATUS, 0, "k", "{\"status\":\"sent\"}");
    kafka_mock_put(&f->mock, TOPIC_STATUS, 0, "k", NULL);
    put(f, f->id, 1, SID "3", "sent");
    start(f);
    wait_sql(f, "select count(*) from messages where status = 'sent'", 1);
    wait_dead(f, 2);
    ends(f);
    char *letter = kafka_peek(f->mock.settings.brokers, TOPIC_DEAD, 0, &len);
    assert_non_null(strstr(letter, "\"topic\":\"sms.status\""));
    assert_non_null(strstr(letter, "\"twilio_sid\\\" is missing"));
    free(letter);
    assert_int_equal(committed(f), 3);
}

#define BAD_JOB                                                                          \
    "{\"message_id\":\"01930000-0000-7000-8000-000000000001\",\"client\":7,\"to\":\"+"   \
    "15005550006\"}"

static void a_dead_letter_is_kept_once_and_says_what_it_replays(void **state)
{
    struct fixture *f = *state;
    size_t len;

    kafka_mock_put(&f->mock, TOPIC_STATUS, 0, "k", BAD_JOB);
    start(f);
    wait_sql(f, "select count(*) from dead_letters", 1);
    assert_int_equal(
        pg_int(f->pg, "select count(*) from dead_letters where topic = 'sms.status'"
                      " and (part, off) = (0, 0) and reason = 'bad_record' and client = 7"
                      " and message_id = '01930000-0000-7000-8000-000000000001'"
                      " and program = 'smsq-status-consumer' and state = 'waiting'"
                      " and is_whole and replay_of is null"
                      " and position('15005550006'::bytea in sealed) = 0"),
        1);

    char *letter = kafka_peek(f->mock.settings.brokers, TOPIC_DEAD, 0, &len);
    kafka_mock_put(&f->mock, TOPIC_DEAD, 0, NULL, letter);
    kafka_mock_put(&f->mock, TOPIC_DEAD, 0, NULL, "nobody's letter");
    free(letter);
    wait_sql(f,
             "select count(*) from dead_letters where topic = 'sms.dead'"
             " and reason = 'bad_letter' and not is_whole",
             1);
    assert_int_equal(pg_int(f->pg, "select count(*) from dead_letters"), 2);

    pg_exec(f->pg, "update dead_letters set replay_began_at = now(),"
                   " buried_at = buried_at - interval '1 s' where letter_id = 1");
    kafka_mock_put(&f->mock, TOPIC_STATUS, 0, "k", BAD_JOB);
    wait_sql(f,
             "select count(*) from dead_letters where off = 1 and replay_of = 1"
             " and replays = 1 and topic = 'sms.status'",
             1);
    ends(f);
    assert_int_equal(kafka_mock_committed(&f->mock, "smsq-dead-letters", TOPIC_DEAD, 0),
                     4);
}

static void a_row_that_postgresql_refuses_is_taken_out_of_its_batch(void **state)
{
    struct fixture *f = *state;
    size_t len;

    pg_exec(f->pg, "alter table receipts add constraint no_poison"
                   " check (word <> 'poison')");
    for (size_t i = 0; i < 3; i++)
        put(f, f->id, 1, SID "4", "sending");
    put(f, f->id, 1, SID "4", "poison");
    for (size_t i = 0; i < 3; i++)
        put(f, f->id, 1, SID "4", "sent");
    start(f);
    wait_sql(f, "select count(*) from receipts", 6);
    wait_dead(f, 1);
    ends(f);
    pg_exec(f->pg, "alter table receipts drop constraint no_poison");
    char *letter = kafka_peek(f->mock.settings.brokers, TOPIC_DEAD, 0, &len);
    assert_non_null(strstr(letter, "\"reason\":\"refused_by_database\""));
    assert_non_null(strstr(letter, "\"offset\":3"));
    free(letter);
    assert_int_equal(committed(f), 7);
    assert_int_equal(pg_int(f->pg, "select count(*) from messages where status = 'sent'"),
                     1);
}

static void what_is_refused_for_the_schema_stops_the_consumer(void **state)
{
    struct fixture *f = *state;

    pg_exec(f->pg, "alter table receipts rename column word to other");
    put(f, f->id, 1, SID "5", "sent");
    put(f, f->id, 1, SID "5", "delivered");
    start(f);
    join(f);
    pg_exec(f->pg, "alter table receipts rename column other to word");
    assert_int_equal(f->rc, OUTCOME_FATAL);
    assert_non_null(strstr(f->err.text, "word"));
    assert_int_equal(committed(f), RD_KAFKA_OFFSET_INVALID);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_DEAD, 0), 0);
}

static void a_letter_that_is_confirmed_late_is_still_acknowledged(void **state)
{
    struct fixture *f = *state;

    f->set.service.stop_deadline_us = 300000;
    kafka_mock_put(&f->mock, TOPIC_STATUS, 0, NULL, "bad");
    put(f, f->id, 1, SID "6", "sent");
    rd_kafka_mock_broker_push_request_error_rtts(f->mock.cluster, MOCK_BROKER,
                                                 PRODUCE_API, 1,
                                                 RD_KAFKA_RESP_ERR_NO_ERROR, 2500);
    start(f);
    wait_sql(f, "select count(*) from messages where status = 'sent'", 1);
    stop(f);
    join(f);
    assert_int_equal(f->rc, OUTCOME_FATAL);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_DEAD, 0), 1);
    assert_int_equal(committed(f), 2);
}

// PostgreSQL hangs, and the consumer has to go: what it holds is read again.
static void a_stop_without_postgresql_ends_in_time(void **state)
{
    struct fixture *f = *state;

    f->set.service.stop_deadline_us = 300000;
    start(f);
    put(f, f->id, 1, SID "7", "queued");
    wait_sql(f, "select count(*) from receipts", 1);
    pg_down(f->pg, PG_IMMEDIATE);
    put(f, f->id, 1, SID "7", "sent");
    (void)sleep(1);
    stop(f);
    join(f);
    pg_up(f->pg);
    assert_int_equal(f->rc, OUTCOME_FATAL);
    assert_int_equal(committed(f), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(callbacks_in_any_order_end_at_the_highest_rank),
        TEST(a_callback_without_a_turn_is_joined_by_its_sid),
        TEST(records_that_are_no_callbacks_go_to_sms_dead),
        TEST(a_dead_letter_is_kept_once_and_says_what_it_replays),
        TEST(a_row_that_postgresql_refuses_is_taken_out_of_its_batch),
        TEST(what_is_refused_for_the_schema_stops_the_consumer),
        TEST(a_letter_that_is_confirmed_late_is_still_acknowledged),
        TEST(a_stop_without_postgresql_ends_in_time),
    };
    return cmocka_run_group_tests(tests, group_start, group_stop);
}
