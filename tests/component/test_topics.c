// The mock brokers refuse to create topics, so creating is tested with the whole system.
#include "topics.h"

#include "kafka_mock.h"

#include <stdlib.h>
#include <string.h>

struct rows {
    struct topics_row row[16];
    size_t count;
};

static const struct topics_settings set = { 6, 6, 3, 6, 3, 1, 1, 604800000000, 2000000 };

static int setup(void **state)
{
    struct kafka_mock *m = xcalloc(1, sizeof(*m));

    kafka_mock_open(m, TOPIC_STATUS, 6);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    kafka_mock_close(*state);
    free(*state);
    return 0;
}

static void add_row(void *arg, const struct topics_row *row)
{
    struct rows *rows = arg;
    rows->row[rows->count++] = *row;
}

static void the_list_tells_what_is_there_and_what_is_missing(void **state)
{
    static const char *const wanted[] = { TOPIC_JOBS_URGENT, TOPIC_JOBS_NORMAL,
                                          TOPIC_JOBS_BULK,   TOPIC_STATUS,
                                          TOPIC_INBOUND,     TOPIC_REQUESTS,
                                          TOPIC_DEAD };
    struct kafka_mock *m = *state;
    struct rows rows = { .count = 0 };
    struct err err = { 0 };

    assert_int_equal(topics_list(&m->settings, 10000000, add_row, &rows, &err),
                     OUTCOME_OK);
    assert_int_equal(rows.count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        bool is_there = strcmp(wanted[i], TOPIC_STATUS) == 0;
        assert_string_equal(rows.row[i].name, wanted[i]);
        assert_int_equal(rows.row[i].state, is_there ? TOPICS_EXISTS : TOPICS_MISSING);
        assert_int_equal(rows.row[i].partitions, is_there ? 6 : 0);
        assert_int_equal(rows.row[i].replication, is_there ? 1 : 0);
    }
}

static void nobody_answers_within_the_deadline(void **state)
{
    struct kafka_mock *m = *state;
    struct rows rows = { .count = 0 };
    struct err err = { 0 };
    int64_t began_us = clock_boot_us();

    rd_kafka_mock_broker_set_down(m->cluster, MOCK_BROKER);
    assert_int_equal(topics_create(&m->settings, &set, add_row, &rows, &err),
                     OUTCOME_RETRY);
    assert_in_range(clock_boot_us() - began_us, 1900000, 5000000);
    assert_non_null(strstr(err.text, "no Kafka broker at 127.0.0.1:"));
    assert_non_null(strstr(err.text, " answered within 2.000 s: "));
    assert_non_null(strstr(err.text, "Connection refused"));
    assert_int_equal(rows.count, 0);
}

static void more_copies_in_sync_than_copies_are_refused(void **state)
{
    struct kafka_mock *m = *state;
    struct topics_settings bad = set;
    struct rows rows = { .count = 0 };
    struct err err = { 0 };

    bad.min_insync = 2;
    assert_int_equal(topics_create(&m->settings, &bad, add_row, &rows, &err),
                     OUTCOME_REJECT);
    assert_string_equal(err.text,
                        "topics.min_insync (2) is above topics.replication (1)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_list_tells_what_is_there_and_what_is_missing),
        TEST(nobody_answers_within_the_deadline),
        TEST(more_copies_in_sync_than_copies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
