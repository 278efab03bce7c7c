// Letters reach sms.dead however long it takes, and nobody is told before.
#include "dead_letters.h"

#include "buf.h"
#include "json.h"
#include "kafka_mock.h"
#include "kafka_out.h"
#include "kafka_peek.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRODUCE_API = 0 };

struct fixture {
    struct kafka_mock mock;
    struct metrics *metrics;
    struct kafka_out *out;
    struct dead_letters *dead;
    size_t told, wanted;
    char detail[1024];  // of the letter that done was told of last
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    log_level_set(LOG_LEVEL_ERROR);
    kafka_mock_open(&f->mock, TOPIC_DEAD, 1);
    f->metrics = metrics_new();
    *state = f;
    return 0;
}

static void start(struct fixture *f, int64_t timeout_ms, int64_t queue_max)
{
    const struct kafka_out_settings set = { .kafka = &f->mock.settings,
                                            .linger_us = 500,
                                            .timeout_ms = timeout_ms,
                                            .queue_max = queue_max };
    struct err err = { 0 };

    if (kafka_out_open(&f->out, f->mock.reactor, &set, f->metrics, &err))
        fail_msg("%s", err.text);
    f->dead = dead_letters_new(f->mock.reactor, f->out, "tests", f->metrics);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    kafka_out_close(f->out);
    dead_letters_free(f->dead);
    kafka_mock_close(&f->mock);
    metrics_free(f->metrics);
    free(f);
    return 0;
}

static void on_buried(void *arg, const struct sms_dead *letter)
{
    struct fixture *f = arg;

    f->told++;
    assert_string_equal(letter->reason, "bad_record");
    assert_string_equal(letter->topic, "sms.jobs.bulk");
    assert_int_equal(letter->partition, 3);
    assert_int_equal(letter->offset, 4711);
    (void)snprintf(f->detail, sizeof(f->detail), "%s", letter->detail);
}

static void bury(struct fixture *f, const char *detail, size_t key_len, size_t value_len)
{
    unsigned char *bytes = xcalloc(1, key_len + value_len);
    char *copy = detail ? xstrdup(detail) : NULL;
    const struct sms_dead letter = {
        .reason = "bad_record",
        .detail = copy,
        .topic = "sms.jobs.bulk",
        .partition = 3,
        .offset = 4711,
        .record_at = 1795255200123000,
        .key = { key_len ? bytes : NULL, key_len },
        .value = { value_len ? bytes : NULL, value_len },
    };
    size_t before = f->told;

    dead_letters_bury(f->dead, &letter, on_buried, f);
    assert_int_equal(f->told, before);  // never from inside
    free(copy);
    free(bytes);
}

static bool is_told(void *arg)
{
    const struct fixture *f = arg;
    return f->told >= f->wanted;
}

static void wait_told(struct fixture *f, size_t wanted)
{
    f->wanted = wanted;
    loop_until(f->mock.reactor, is_told, f);
    assert_int_equal(f->told, wanted);
}

// Reads the letter back as its readers will.
static void assert_letter(struct fixture *f, int64_t offset, const char *detail,
                          size_t key_len, size_t value_len)
{
    struct json_reader *json = json_reader_new();
    struct wire_memory *memory = NULL;
    struct sms_dead letter = { 0 };
    struct err err = { 0 };
    size_t len;
    char *bytes = kafka_peek(f->mock.settings.brokers, TOPIC_DEAD, offset, &len);

    if (wire_decode(&letter, &memory, sms_dead_fields, json, bytes, len, &err))
        fail_msg("%s", err.text);
    assert_string_equal(letter.reason, "bad_record");
    assert_string_equal(letter.detail, detail);
    assert_string_equal(letter.topic, "sms.jobs.bulk");
    assert_int_equal(letter.partition, 3);
    assert_int_equal(letter.offset, 4711);
    assert_int_equal(letter.record_at, 1795255200123000);
    assert_int_equal(letter.key.len, key_len);
    assert_int_equal(letter.value.len, value_len);
    wire_free(memory);
    json_reader_free(json);
    free(bytes);
}

static void a_letter_keeps_reason_origin_and_bytes(void **state)
{
    struct fixture *f = *state;

    start(f, 10000, 100);
    bury(f, "\"turn\" is missing", 16, 300);
    assert_int_equal(dead_letters_pending(f->dead), 1);
    wait_told(f, 1);
    assert_int_equal(dead_letters_pending(f->dead), 0);
    assert_string_equal(f->detail, "\"turn\" is missing");
    assert_letter(f, 0, "\"turn\" is missing", 16, 300);
}

static void what_is_too_long_is_cut_and_says_so(void **state)
{
    static const char both[] = "why (key cut from 4097 to 4096 bytes)"
                               " (value cut from 524289 to 524288 bytes)";
    struct fixture *f = *state;

    start(f, 10000, 100);
    bury(f, "why", DEAD_KEY_MAX_BYTES, DEAD_VALUE_MAX_BYTES);
    wait_told(f, 1);
    bury(f, "why", DEAD_KEY_MAX_BYTES + 1, DEAD_VALUE_MAX_BYTES + 1);
    wait_told(f, 2);
    assert_string_equal(f->detail, both);
    assert_letter(f, 0, "why", DEAD_KEY_MAX_BYTES, DEAD_VALUE_MAX_BYTES);
    assert_letter(f, 1, both, DEAD_KEY_MAX_BYTES, DEAD_VALUE_MAX_BYTES);
}

static void without_a_detail_the_reason_stands_for_it(void **state)
{
    struct fixture *f = *state;

    start(f, 10000, 100);
    bury(f, NULL, 0, 0);
    bury(f, "", 0, 0);
    wait_told(f, 2);
    assert_letter(f, 0, "bad_record", 0, 0);
    assert_letter(f, 1, "bad_record", 0, 0);
}

static void nobody_is_told_before_kafka_has_the_letter(void **state)
{
    struct fixture *f = *state;
    int64_t began_us = clock_boot_us();

    start(f, 10000, 100);
    rd_kafka_mock_broker_push_request_error_rtts(f->mock.cluster, MOCK_BROKER,
                                                 PRODUCE_API, 1,
                                                 RD_KAFKA_RESP_ERR_NO_ERROR, 700);
    bury(f, "why", 0, 1);
    wait_told(f, 1);
    assert_true(clock_boot_us() - began_us >= 700000);
}

static void a_letter_that_ran_out_of_time_is_sent_again(void **state)
{
    struct fixture *f = *state;
    struct metric *failed =
        metrics_counter(f->metrics, "smsq_kafka_publish_failures_total", NULL, "");

    start(f, 300, 100);
    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    bury(f, "why", 0, 1);
    while (metric_count(failed) == 0)
        loop_once(f->mock.reactor);
    assert_int_equal(f->told, 0);
    assert_int_equal(dead_letters_pending(f->dead), 1);
    rd_kafka_mock_broker_set_up(f->mock.cluster, MOCK_BROKER);
    wait_told(f, 1);
    assert_letter(f, 0, "why", 0, 1);
}

static void letters_wait_for_room_in_the_queue(void **state)
{
    struct fixture *f = *state;

    start(f, 10000, 2);
    for (size_t i = 0; i < 5; i++)
        bury(f, "why", 0, 1);
    assert_int_equal(dead_letters_pending(f->dead), 5);
    wait_told(f, 5);
    assert_int_equal(kafka_mock_count(&f->mock, TOPIC_DEAD, 0), 5);
}

static void closing_forgets_what_kafka_does_not_have(void **state)
{
    struct fixture *f = *state;

    start(f, 300, 1);
    rd_kafka_mock_broker_set_down(f->mock.cluster, MOCK_BROKER);
    bury(f, "why", 0, 1);
    bury(f, "why", 0, 1);
    kafka_out_close(f->out);
    f->out = NULL;
    assert_int_equal(f->told, 0);
    assert_int_equal(dead_letters_pending(f->dead), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_letter_keeps_reason_origin_and_bytes),
        TEST(what_is_too_long_is_cut_and_says_so),
        TEST(without_a_detail_the_reason_stands_for_it),
        TEST(nobody_is_told_before_kafka_has_the_letter),
        TEST(a_letter_that_ran_out_of_time_is_sent_again),
        TEST(letters_wait_for_room_in_the_queue),
        TEST(closing_forgets_what_kafka_does_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
