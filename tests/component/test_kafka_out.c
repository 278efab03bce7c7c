// Every record that is submitted is reported once, and the report is true.
#include "kafka_out.h"

#include "buf.h"
#include "kafka_mock.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 1500, PRODUCE_API = 0 };

static const char topic[] = "sms.test";

struct fixture {
    struct kafka_mock mock;
    struct metrics *metrics;
    struct kafka_out *out;
    size_t reports, wanted;
    enum outcome rc;  // of the latest report
    char reason[128];
};

static void open_out(struct fixture *f, int64_t timeout_ms, int64_t queue_max)
{
    static const char *const topics[] = { topic, NULL };
    const struct kafka_out_settings set = { .kafka = &f->mock.settings,
                                            .linger_us = 500,
                                            .timeout_ms = timeout_ms,
                                            .queue_max = queue_max,
                                            .topics = topics };
    struct err err = { 0 };

    if (kafka_out_open(&f->out, f->mock.reactor, &set, f->metrics, &err))
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    log_level_set(LOG_LEVEL_ERROR);
    kafka_mock_open(&f->mock, topic, 2);
    f->metrics = metrics_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    kafka_out_close(f->out);
    kafka_mock_close(&f->mock);
    metrics_free(f->metrics);
    free(f);
    return 0;
}

static void on_report(void *arg, enum outcome rc, const char *reason)
{
    struct fixture *f = arg;

    f->reports++;
    f->rc = rc;
    (void)snprintf(f->reason, sizeof(f->reason), "%s", reason ? reason : "");
}

static enum outcome submit(struct fixture *f, const char *to, const char *value,
                           size_t len)
{
    const struct kafka_out_record rec = {
        .topic = to, .key = "key", .key_len = 3, .value = value, .value_len = len
    };
    struct err err = { 0 };
    size_t before = f->reports;
    enum outcome rc = kafka_out_submit(f->out, &rec, on_report, f, &err);

    assert_int_equal(f->reports, before);  // never from inside
    assert_int_equal(rc != 0, err.text[0] != '\0');
    return rc;
}

static bool is_reported(void *arg)
{
    struct fixture *f = arg;
    return f->reports == f->wanted;
}

static bool is_up(void *arg)
{
    return kafka_out_is_up(arg);
}

static bool is_down(void *arg)
{
    return !kafka_out_is_up(arg);
}

static void wait_for_reports(struct fixture *f, size_t wanted)
{
    f->wanted = wanted;
    loop_until(f->mock.reactor, is_reported, f);
}

static int64_t count_all(struct fixture *f)
{
    return kafka_mock_count(&f->mock, topic, 0) + kafka_mock_count(&f->mock, topic, 1);
}

static void assert_metric(struct fixture *f, const char *line)
{
    struct buf text = BUF_INIT(65536);

    metrics_render(f->metrics, &text);
    if (!strstr(buf_text(&text), line))
        fail_msg("no \"%s\" in\n%s", line, buf_text(&text));
    buf_free(&text);
}

static void it_is_up_soon_although_nobody_publishes(void **state)
{
    struct fixture *f = *state;

    open_out(f, TIMEOUT_MS, 100);
    assert_false(kafka_out_is_up(f->out));
    assert_string_equal(kafka_out_error(f->out), "no Kafka broker has answered yet");
    loop_until(f->mock.reactor, is_up, f->out);
    assert_null(kafka_out_error(f->out));
}

static void each_record_is_confirmed_once(void **state)
{
    enum { COUNT = 5000 };
    struct fixture *f = *state;

    open_out(f, 30000, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(submit(f, topic, "hello", 5), OUTCOME_OK);
    assert_int_equal(kafka_out_in_flight(f->out), COUNT);
    wait_for_reports(f, COUNT);
    assert_int_equal(f->rc, OUTCOME_OK);
    assert_int_equal(kafka_out_in_flight(f->out), 0);
    assert_int_equal(count_all(f), COUNT);
    assert_metric(f, "\nsmsq_kafka_records_published_total 5000\n");
    assert_metric(f, "\nsmsq_kafka_publish_failures_total 0\n");
    assert_metric(f, "\nsmsq_kafka_confirm_seconds_count 5000\n");
}

static void an_outage_ends_in_retry_and_passes(void **state)
{
    struct fixture *f = *state;

    open_out(f, TIMEOUT_MS, 100);
    loop_until(f->mock.reactor, is_up, f->out);
    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    loop_until(f->mock.reactor, is_down, f->out);
    int64_t began_us = clock_boot_us();
    assert_int_equal(submit(f, topic, "late", 4), OUTCOME_OK);
    wait_for_reports(f, 1);
    assert_int_equal(f->rc, OUTCOME_RETRY);
    assert_string_equal(f->reason, "Local: Message timed out");
    assert_in_range(clock_boot_us() - began_us, 1000 * TIMEOUT_MS - 100000,
                    1000 * TIMEOUT_MS + 3000000);
    assert_metric(f, "\nsmsq_kafka_publish_failures_total 1\n");

    rd_kafka_mock_broker_set_up(f->mock.cluster, MOCK_BROKER);
    loop_until(f->mock.reactor, is_up, f->out);
    assert_int_equal(submit(f, topic, "now", 3), OUTCOME_OK);
    wait_for_reports(f, 2);
    assert_int_equal(f->rc, OUTCOME_OK);
}

static void a_short_outage_is_bridged(void **state)
{
    struct fixture *f = *state;

    open_out(f, 30000, 100);
    loop_until(f->mock.reactor, is_up, f->out);
    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    loop_until(f->mock.reactor, is_down, f->out);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(submit(f, topic, "patient", 7), OUTCOME_OK);
    rd_kafka_mock_broker_set_up(f->mock.cluster, MOCK_BROKER);
    wait_for_reports(f, 10);
    assert_int_equal(f->rc, OUTCOME_OK);
    assert_true(kafka_out_is_up(f->out));
    assert_int_equal(count_all(f), 10);
}

static void errors_that_pass_are_repeated_inside(void **state)
{
    struct fixture *f = *state;

    open_out(f, 30000, 100);
    rd_kafka_mock_push_request_errors(f->mock.cluster, PRODUCE_API, 3,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    assert_int_equal(submit(f, topic, "again", 5), OUTCOME_OK);
    wait_for_reports(f, 1);
    assert_int_equal(f->rc, OUTCOME_OK);
}

static void a_full_queue_is_told_at_once(void **state)
{
    enum { ROOM = 5 };
    struct fixture *f = *state;

    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    open_out(f, TIMEOUT_MS, ROOM);
    for (size_t i = 0; i < ROOM; i++)
        assert_int_equal(submit(f, topic, "wait", 4), OUTCOME_OK);
    assert_int_equal(submit(f, topic, "full", 4), OUTCOME_RETRY);
    assert_int_equal(kafka_out_in_flight(f->out), ROOM);
    wait_for_reports(f, ROOM);
    assert_int_equal(submit(f, topic, "room", 4), OUTCOME_OK);
    wait_for_reports(f, ROOM + 1);  // the refused one is never reported
}

static void a_record_that_is_too_large_is_rejected(void **state)
{
    enum { LARGE = 2000000 };
    struct fixture *f = *state;
    char *large = xcalloc(1, LARGE);

    open_out(f, 30000, 10);
    assert_int_equal(submit(f, topic, large, LARGE), OUTCOME_REJECT);
    assert_int_equal(kafka_out_in_flight(f->out), 0);
    // Below the client's limit, above the broker's.
    rd_kafka_mock_push_request_errors(f->mock.cluster, PRODUCE_API, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    assert_int_equal(submit(f, topic, "large", 5), OUTCOME_OK);
    wait_for_reports(f, 1);
    assert_int_equal(f->rc, OUTCOME_REJECT);
    assert_string_equal(f->reason, "Broker: Message size too large");
    free(large);
}

static void a_topic_that_does_not_exist_is_rejected(void **state)
{
    struct fixture *f = *state;

    f->mock.settings.properties = "topic.metadata.propagation.max.ms=200";
    rd_kafka_mock_topic_set_error(f->mock.cluster, "sms.none",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    open_out(f, 30000, 10);
    assert_int_equal(submit(f, "sms.none", "x", 1), OUTCOME_OK);  // not known yet
    wait_for_reports(f, 1);
    assert_int_equal(f->rc, OUTCOME_REJECT);
    assert_int_equal(submit(f, "sms.none", "x", 1), OUTCOME_REJECT);
    assert_int_equal(submit(f, topic, "x", 1), OUTCOME_OK);
    wait_for_reports(f, 2);
    assert_int_equal(f->rc, OUTCOME_OK);
}

static void closing_reports_what_is_left(void **state)
{
    struct fixture *f = *state;

    open_out(f, 60000, 10);
    loop_until(f->mock.reactor, is_up, f->out);
    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(submit(f, topic, "left", 4), OUTCOME_OK);
    int64_t began_us = clock_boot_us();
    kafka_out_close(f->out);
    f->out = NULL;
    assert_in_range(clock_boot_us() - began_us, 4900000, 9000000);
    assert_int_equal(f->reports, 3);
    assert_int_equal(f->rc, OUTCOME_RETRY);
}

static void closing_waits_for_the_broker(void **state)
{
    struct fixture *f = *state;

    open_out(f, 30000, 1000);
    rd_kafka_mock_broker_set_rtt(f->mock.cluster, MOCK_BROKER, 300);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(submit(f, topic, "slow", 4), OUTCOME_OK);
    kafka_out_close(f->out);
    f->out = NULL;
    assert_int_equal(f->reports, 1000);
    assert_int_equal(f->rc, OUTCOME_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_up_soon_although_nobody_publishes),
        TEST(each_record_is_confirmed_once),
        TEST(an_outage_ends_in_retry_and_passes),
        TEST(a_short_outage_is_bridged),
        TEST(errors_that_pass_are_repeated_inside),
        TEST(a_full_queue_is_told_at_once),
        TEST(a_record_that_is_too_large_is_rejected),
        TEST(a_topic_that_does_not_exist_is_rejected),
        TEST(closing_reports_what_is_left),
        TEST(closing_waits_for_the_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
