// Records come in order, in turns, within the limits, and outages are told.
#include "kafka_group.h"

#include "buf.h"
#include "metrics.h"

#include <stdio.h>
#include <string.h>

static bool has_metric(struct fixture *f, const char *line)
{
    struct buf text = BUF_INIT(65536);

    metrics_render(f->metrics, &text);
    bool found = strstr(buf_text(&text), line);
    buf_free(&text);
    return found;
}

static bool lags_by(struct fixture *f, int records)
{
    char line[128];

    for (int p = 0; p < PARTITIONS; p++) {
        (void)snprintf(
            line, sizeof(line),
            "\nsmsq_kafka_lag_records{topic=\"sms.test\",partition=\"%d\"} %d\n", p,
            records);
        if (!has_metric(f, line))
            return false;
    }
    return true;
}

static bool lags_by_four(void *arg)
{
    return lags_by(arg, 4);
}

static bool lags_by_nothing(void *arg)
{
    return lags_by(arg, 0);
}

static bool lags_by_sixty(void *arg)
{
    return lags_by(arg, 60);
}

static bool head_is_old(void *arg)
{
    return !has_metric(arg, "\nsmsq_kafka_head_age_seconds{topic=\"sms.test\"} 0\n");
}

// librdkafka holds as much as it wants after one record, and fetches no more.
static void the_lag_grows_while_nobody_reads(void **state)
{
    struct fixture *f = *state;
    char properties[] = "queued.min.messages=1;fetch.message.max.bytes=100";

    f->mock.settings.properties = properties;
    for (int32_t p = 0; p < PARTITIONS; p++)
        put_numbers(f, p, 4);
    member_join(f, &f->a);
    loop_until(f->mock.reactor, lags_by_four, f);
    for (int32_t p = 0; p < PARTITIONS; p++)
        put_numbers(f, p, 56);
    loop_until(f->mock.reactor, lags_by_sixty, f);
    loop_until(f->mock.reactor, head_is_old, f);
    assert_true(has_metric(f, "\nsmsq_kafka_up{client=\"sms.test\"} 1\n"));
    f->a.acks = true;
    member_read_until(f, &f->a, 180);
    loop_until(f->mock.reactor, lags_by_nothing, f);
    assert_false(head_is_old(f));
}

// With room for one record ahead librdkafka pauses after each, for up to a second.
static void what_was_read_dry_is_fetched_again_at_once(void **state)
{
    struct fixture *f = *state;
    char properties[] = "queued.min.messages=1;fetch.message.max.bytes=100";
    int64_t began_us = clock_boot_us();

    f->mock.settings.properties = properties;
    for (int32_t p = 0; p < PARTITIONS; p++)
        put_numbers(f, p, 60);
    member_join(f, &f->a);
    f->a.acks = true;
    member_read_until(f, &f->a, 180);
    assert_true(clock_boot_us() - began_us < 20000000);  // else twice as long, and more
}

static void records_come_in_order_and_partitions_take_turns(void **state)
{
    struct fixture *f = *state;
    struct member *m = &f->a;

    for (int32_t p = 0; p < PARTITIONS; p++)
        put_numbers(f, p, 4);
    member_join(f, m);
    assert_string_equal(kafka_in_error(m->in), "no Kafka broker has answered yet");
    loop_until(f->mock.reactor, lags_by_four, f);  // before anybody asked for one
    m->acks = true;
    member_read_until(f, m, 12);
    assert_int_not_equal(m->seen[0].origin.partition, m->seen[1].origin.partition);
    assert_int_not_equal(m->seen[0].origin.partition, m->seen[2].origin.partition);
    assert_int_not_equal(m->seen[1].origin.partition, m->seen[2].origin.partition);
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (int i = 0; i < 4; i++) {
            struct kafka_record *rec = member_nth(m, p, (size_t)i);
            assert_int_equal(rec->origin.offset, i);
            assert_value(rec, i);
        }
    loop_until(f->mock.reactor, lags_by_nothing, f);
    assert_true(
        has_metric(f, "\nsmsq_kafka_records_read_total{topic=\"sms.test\"} 12\n"));
    assert_true(has_metric(f, "\nsmsq_kafka_assignments_total{topic=\"sms.test\"} 1\n"));
    assert_null(kafka_in_error(m->in));
    assert_false(kafka_in_is_fatal(m->in));
}

static void keys_tombstones_and_times_arrive(void **state)
{
    struct fixture *f = *state;
    struct member *m = &f->a;
    int64_t now_ms = clock_wall_us() / 1000;

    kafka_mock_put(&f->mock, group_topic, 1, "key", NULL);
    kafka_mock_put(&f->mock, group_topic, 1, NULL, "value");
    kafka_mock_put(&f->mock, group_topic, 1, "", "");
    member_join(f, m);
    member_read_until(f, m, 3);
    assert_string_equal(m->seen[0].topic, group_topic);
    assert_int_equal(m->seen[0].key_len, 3);
    assert_memory_equal(m->seen[0].key, "key", 3);
    assert_null(m->seen[0].value);
    assert_int_equal(m->seen[0].value_len, 0);
    assert_null(m->seen[1].key);
    assert_memory_equal(m->seen[1].value, "value", 5);
    assert_non_null(m->seen[2].value);
    assert_int_equal(m->seen[2].value_len, 0);
    assert_in_range(m->seen[0].at_ms, now_ms - 1000, now_ms + 20000);
}

static void a_full_partition_stops_alone(void **state)
{
    struct fixture *f = *state;
    struct member *m = &f->a;
    struct kafka_record rec;

    put_numbers(f, 0, 10);
    put_numbers(f, 1, 10);
    m->unacked_max = 4;
    member_join(f, m);
    member_read_until(f, m, 8);
    assert_int_equal(member_count_of(m, 0), 4);
    assert_false(kafka_in_next(m->in, &rec));

    m->reads_when_ready = false;
    m->ready_calls = 0;
    kafka_in_ack(m->in, &member_nth(m, 1, 1)->origin);  // not the oldest: no room yet
    assert_false(kafka_in_next(m->in, &rec));
    kafka_in_ack(m->in, &member_nth(m, 1, 0)->origin);
    assert_int_equal(m->ready_calls, 0);  // never from inside
    loop_once(f->mock.reactor);
    assert_true(m->ready_calls > 0);
    member_read_until(f, m, 10);
    assert_int_equal(member_count_of(m, 0), 4);
    assert_int_equal(member_count_of(m, 1), 6);

    m->acks = true;
    for (size_t i = 0; i < 4; i++)
        kafka_in_ack(m->in, &member_nth(m, 0, i)->origin);
    member_read_until(f, m, 6 + 10);
    assert_int_equal(member_count_of(m, 0), 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(member_nth(m, 0, i)->origin.offset, i);
}

static bool has_error(void *arg)
{
    return kafka_in_error(((struct member *)arg)->in);
}

static bool has_no_error(void *arg)
{
    return !has_error(arg);
}

static void an_outage_shows_and_passes(void **state)
{
    struct fixture *f = *state;
    struct member *m = &f->a;

    m->acks = true;
    member_join(f, m);
    put_numbers(f, 0, 1);
    member_read_until(f, m, 1);
    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    loop_until(f->mock.reactor, has_error, m);
    rd_kafka_mock_broker_set_up(f->mock.cluster, MOCK_BROKER);
    put_numbers(f, 0, 1);
    member_read_until(f, m, 2);
    loop_until(f->mock.reactor, has_no_error, m);
}

static void closing_without_a_broker_does_not_hang(void **state)
{
    struct fixture *f = *state;
    struct member *m = &f->a;

    put_numbers(f, 0, 1);
    m->acks = true;
    member_join(f, m);
    member_read_until(f, m, 1);
    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    int64_t began_us = clock_boot_us();
    member_close(m);
    member_forget(m);
    assert_in_range(clock_boot_us() - began_us, 0, 12000000);
}

static void closing_before_the_group_answers_is_quick(void **state)
{
    struct fixture *f = *state;
    int64_t began_us = clock_boot_us();

    member_join(f, &f->a);
    loop_once(f->mock.reactor);
    member_close(&f->a);
    assert_in_range(clock_boot_us() - began_us, 0, 5500000);
}

static void never_ready(void *arg)
{
    (void)arg;
    fail_msg("it was refused");
}

static void a_bad_property_is_refused(void **state)
{
    struct fixture *f = *state;
    struct kafka_settings kafka = { f->mock.settings.brokers, "group.id=other" };
    const struct kafka_in_settings set = { .kafka = &kafka,
                                           .topic = group_topic,
                                           .group = group_name,
                                           .session_timeout_ms = 2000,
                                           .unacked_max = 10 };
    struct err err = { 0 };

    assert_int_equal(kafka_in_open(&f->a.in, f->mock.reactor, &set, never_ready, NULL,
                                   NULL, &err),
                     OUTCOME_REJECT);
    assert_string_equal(
        err.text, "kafka.properties.group.id: smsq sets it itself: each lane has its own "
                  "group");
    assert_null(f->a.in);
}

#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, kafka_group_setup, kafka_group_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_come_in_order_and_partitions_take_turns),
        TEST(the_lag_grows_while_nobody_reads),
        TEST(what_was_read_dry_is_fetched_again_at_once),
        TEST(keys_tombstones_and_times_arrive),
        TEST(a_full_partition_stops_alone),
        TEST(an_outage_shows_and_passes),
        TEST(closing_without_a_broker_does_not_hang),
        TEST(closing_before_the_group_answers_is_quick),
        TEST(a_bad_property_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
