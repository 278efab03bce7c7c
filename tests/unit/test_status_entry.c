// Records of sms.status: what is one, and which of several callbacks counts.
#include "status_entry.h"

#include "json.h"
#include "test.h"

#include <string.h>

static const char value[] =
    "{\"message_id\":\"018bcfe5-6800-7000-8000-0000deadbeef\",\"turn\":2,"
    "\"twilio_sid\":\"SM0123456789abcdef0123456789abcdef\",\"status\":\"accepted\","
    "\"raw\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
    "\"received_at\":\"2026-11-21T10:00:00.000Z\"}";

static enum outcome read_at(struct status_entry *e, int64_t off_ms, struct err *err)
{
    struct json_reader *json = json_reader_new();
    const struct kafka_record rec = {
        .origin = { .partition = 4, .offset = 17 },
        .value = value,
        .value_len = sizeof(value) - 1,
        .at_ms = clock_wall_us() / 1000 + off_ms,
    };
    enum outcome rc = status_entry_read(e, json, &rec, err);

    json_reader_free(json);
    return rc;
}

static void a_record_becomes_a_receipt(void **state)
{
    struct status_entry e;

    (void)state;
    assert_int_equal(read_at(&e, 0, NULL), OUTCOME_OK);
    assert_int_equal(e.receipt.partition, 4);
    assert_int_equal(e.receipt.offset, 17);
    assert_int_equal(e.receipt.turn, 2);
    assert_int_equal(e.receipt.message_id[15], 0xef);
    assert_string_equal(e.receipt.word, "accepted");
    assert_string_equal(e.receipt.status, "queued");
    assert_int_equal(e.receipt.rank, 30);
    assert_int_equal(e.receipt.raw.len, 33);
    status_entry_free(&e);
}

static void a_record_of_another_time_is_none(void **state)
{
    static const struct {
        int64_t off_ms;
        const char *complaint;
    } cases[] = {
        { 0, NULL },
        { STATUS_TIME_OFF_MS - 60000, NULL },
        { -STATUS_TIME_OFF_MS + 60000, NULL },
        { STATUS_TIME_OFF_MS + 60000, "the record's time is more than 28 days ahead" },
        { -STATUS_TIME_OFF_MS - 60000, "the record's time is more than 28 days ago" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct status_entry e;
        struct err err = { 0 };
        enum outcome rc = read_at(&e, cases[i].off_ms, &err);

        assert_int_equal(rc, cases[i].complaint ? OUTCOME_REJECT : OUTCOME_OK);
        assert_string_equal(err.text, cases[i].complaint ? cases[i].complaint : "");
        if (!rc)
            status_entry_free(&e);
    }
}

static struct receipt receipt(unsigned char id, int32_t turn, int rank, int64_t at)
{
    struct receipt r = { .turn = turn, .rank = rank, .received_at_us = at };

    memset(r.message_id, id, sizeof(r.message_id));
    return r;
}

static void of_each_turn_the_highest_rank_counts_once(void **state)
{
    const struct receipt all[] = {
        receipt(9, 1, 30, 5), receipt(2, 2, 50, 6), receipt(2, 1, 75, 7),
        receipt(2, 2, 75, 9), receipt(2, 2, 75, 8), receipt(9, 1, -1, 1),  // a new word
        receipt(0, 1, 75, 1),                                              // no message
        receipt(5, 0, 75, 1),                                              // no turn
    };
    const struct receipt *best[COUNT_OF(all)];

    (void)state;
    assert_int_equal(status_entry_best(all, COUNT_OF(all), best), 3);
    assert_ptr_equal(best[0], &all[2]);
    assert_ptr_equal(best[1], &all[4]);  // of equal ranks the one that came first
    assert_ptr_equal(best[2], &all[0]);
    assert_int_equal(status_entry_best(all, 0, best), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_becomes_a_receipt),
        cmocka_unit_test(a_record_of_another_time_is_none),
        cmocka_unit_test(of_each_turn_the_highest_rank_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
