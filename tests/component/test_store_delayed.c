// What the mover reads.
#include "store_ask.h"

#include "store_delayed.h"

#include <string.h>

static const struct due_place start;

#define HOUR_US INT64_C(3600000000)

static void same_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_string_equal(a, b);
}

static void same_job(const struct sms_job *a, const struct sms_job *b)
{
    assert_memory_equal(a->message_id, b->message_id, 16);
    same_text(a->message_class, b->message_class);
    same_text(a->channel, b->channel);
    assert_int_equal(a->client, b->client);
    assert_int_equal(a->sealed.len, b->sealed.len);
    assert_memory_equal(a->sealed.bytes, b->sealed.bytes, a->sealed.len);
    assert_int_equal(a->to_hash.len, b->to_hash.len);
    assert_memory_equal(a->to_hash.bytes, b->to_hash.bytes, a->to_hash.len);
    same_text(a->country, b->country);
    same_text(a->to_hint, b->to_hint);
    same_text(a->from, b->from);
    same_text(a->sender_type, b->sender_type);
    assert_int_equal(a->segments, b->segments);
    assert_int_equal(a->estimate_micros, b->estimate_micros);
    same_text(a->currency, b->currency);
    same_text(a->rate_note, b->rate_note);
    same_text(a->template_ref, b->template_ref);
    assert_memory_equal(a->campaign_id, b->campaign_id, 16);
    assert_int_equal(a->row, b->row);
    same_text(a->reference, b->reference);
    assert_int_equal(a->send_at, b->send_at);
    assert_int_equal(a->expires_at, b->expires_at);
    same_text(a->mode, b->mode);
    assert_int_equal(a->accepted_at, b->accepted_at);
    same_text(a->traceparent, b->traceparent);
    same_text(a->on_doubt, b->on_doubt);
}

// What the mover is to find: a job, the turn of its row, and whether it is live.
struct expected {
    const struct sms_job *job;
    int32_t turn;
    bool live;
};

static void check_due(const struct db_result *rows, void *arg)
{
    const struct expected *want = arg;
    struct due_row row;

    assert_int_equal(db_rows(rows), 1);
    store_due_read(&row, rows, 0);
    assert_memory_equal(row.place.key.message_id, want->job->message_id, 16);
    assert_int_equal(row.place.key.turn, want->turn);
    assert_int_equal(row.live, want->live);
    if (!row.live)
        return;
    assert_int_equal(row.job.turn, want->turn);
    same_job(&row.job, want->job);
}

static void due(struct db_fixture *f, const struct expected *want)
{
    struct ask ask = { check_due, (void *)want, false };

    store_due(f->db, "normal", &start, 10, ask_done, &ask);
    ask_wait(f, &ask);
}

static void the_mover_gets_the_whole_job_back(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;
    struct ask early = { .check = ask_no_rows };

    ask_claim(f, &job, 1, HOUR_US);
    store_due(f->db, "normal", &start, 10, ask_done, &early);
    ask_wait(f, &early);
    pg_exec(f->pg, "update delayed set due = now()");
    due(f, &(struct expected){ &job, 2, true });
}

static void what_a_job_does_not_have_stays_away(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    ask_claim(f, &job, 2, HOUR_US);
    pg_exec(f->pg, "update delayed set due = now()");
    pg_exec(f->pg, "update messages set country = null, template_ref = null,"
                   " reference = null, rate_note = null, campaign_id = null,"
                   " campaign_row = null, traceparent = null, send_at = null,"
                   " on_doubt = null");
    job.country = job.template_ref = job.reference = job.rate_note = NULL;
    job.traceparent = job.on_doubt = NULL;
    memset(job.campaign_id, 0, sizeof(job.campaign_id));
    job.row = 0;
    job.send_at = 0;
    due(f, &(struct expected){ &job, 2, true });
}

static void a_row_that_no_longer_waits_is_not_live(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    ask_claim(f, &job, 3, HOUR_US);
    pg_exec(f->pg, "update delayed set due = now()");
    due(f, &(struct expected){ &job, 2, true });
    pg_exec(f->pg, "update messages set turn = 3");
    due(f, &(struct expected){ &job, 2, false });
    pg_exec(f->pg, "update messages set turn = 2, status = 'canceled', rank = 25");
    due(f, &(struct expected){ &job, 2, false });
    pg_exec(f->pg, "delete from messages");
    due(f, &(struct expected){ &job, 2, false });
}

static void what_is_not_due_or_of_another_lane_is_not_read(void **state)
{
    struct db_fixture *f = *state;
    struct ask later = { .check = ask_no_rows }, other = { .check = ask_no_rows };

    pg_exec(f->pg, "insert into delayed values"
                   " (gen_random_uuid(), 2, now() + interval '1 h', 'normal', 'retry'),"
                   " (gen_random_uuid(), 2, now(), 'bulk', 'retry')");
    store_due(f->db, "normal", &start, 10, ask_done, &later);
    ask_wait(f, &later);
    store_due(f->db, "urgent", &start, 10, ask_done, &other);
    ask_wait(f, &other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_mover_gets_the_whole_job_back),
        STORE_TEST(what_a_job_does_not_have_stays_away),
        STORE_TEST(a_row_that_no_longer_waits_is_not_live),
        STORE_TEST(what_is_not_due_or_of_another_lane_is_not_read),
    };

    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
