// What becomes of the claims of a worker that was killed: the journal that it left, and
// PostgreSQL.
#include "takeover_scene.h"

#include "metrics.h"
#include "reactor.h"
#include "store_rescue.h"

#include <stdio.h>

// doubts: how many decisions there are that put a message in doubt.
static void assert_all_fates(struct takeover_scene *s, int64_t doubts)
{
    takeover_scene_count(s, 1,
                         "select count(*) from messages where status = 'in_doubt'"
                         " and turn = 1 and reason = 'worker_died' and rank = 20");
    takeover_scene_count(s, 1,
                         "select count(*) from attempts where outcome = 'in_doubt'"
                         " and status = 'in_doubt'");
    takeover_scene_count(s, 1,
                         "select count(*) from messages where status = 'queued'"
                         " and twilio_sid = '" TAKEOVER_SID "' and sent_at is not null");
    takeover_scene_count(s, 7900, "select sum(amount_micros) from cost_entries");
    takeover_scene_count(
        s, 1,
        "select count(*) from messages m join delayed d using (message_id,"
        " turn) where status = 'waiting' and turn = 2 and kind = 'retry'"
        " and due > now()");
    takeover_scene_count(
        s, 2,
        "select count(*) from messages m join delayed d using (message_id,"
        " turn) where status = 'waiting' and turn = 2"
        " and kind = 'released' and due <= now()");
    takeover_scene_count(s, 5, "select count(*) from messages");
    takeover_scene_count(s, doubts,
                         "select count(*) from decisions where kind = 'in_doubt'"
                         " and turn = 1");
    takeover_scene_count(s, 2,
                         "select count(*) from decisions where kind = 'release'"
                         " and turn = 1 and due is not null");
    takeover_scene_count(s, 1, "select count(*) from workers where dead_at is not null");
}

static void assert_fates_counted(struct takeover_scene *s, uint64_t recorded,
                                 uint64_t in_doubt, uint64_t released)
{
    const struct {
        const char *labels;
        uint64_t wanted;
    } fates[] = { { "fate=\"recorded\"", recorded },
                  { "fate=\"in_doubt\"", in_doubt },
                  { "fate=\"released\"", released } };

    for (size_t i = 0; i < COUNT_OF(fates); i++)
        assert_int_equal(metric_count(metrics_counter(
                             s->f->metrics, "smsq_takeovers_total", fates[i].labels, "")),
                         fates[i].wanted);
}

static void each_claim_meets_the_fate_that_its_slot_says(void **state)
{
    struct takeover_scene *s = *state;

    takeover_scene_die(s);
    takeover_scene_resolve(s);
    assert_all_fates(s, 1);
    assert_fates_counted(s, 2, 1, 2);
    assert_int_equal(takeover_scene_files(s, "aside-"), 0);
    assert_int_equal(takeover_scene_files(s, JOURNAL_PREFIX), 1);  // mine
}

static bool has_released(void *arg)
{
    struct takeover_scene *s = arg;
    return pg_int(s->f->pg, "select count(*) from delayed where kind = 'released'") == 2;
}

// Killed in the midst of it, and taken over once more.
static void a_takeover_can_be_done_again(void **state)
{
    struct takeover_scene *s = *state;

    takeover_scene_die(s);
    takeover_scene_begin(s);
    loop_until(s->f->reactor, has_released, s);
    assert_int_equal(takeover_pending(s->takeover), 1);
    takeover_scene_end(s);
    assert_int_equal(takeover_scene_files(s, JOURNAL_PREFIX), 1);
    takeover_scene_resolve(s);
    assert_all_fates(s, 1);
    assert_int_equal(takeover_scene_files(s, JOURNAL_PREFIX), 1);
}

static void count_rows(const struct db_result *rows, void *arg)
{
    *(size_t *)arg = db_rows(rows);
}

// The rescuer comes, and all that it waits for is over. Returns how many claims it found.
static size_t rescue(struct takeover_scene *s)
{
    size_t count = 0;
    struct ask ask = { count_rows, &count, false };

    pg_exec(s->f->pg, "update workers set dead_at = coalesce(dead_at, now()),"
                      " rescue_after = '0'");
    store_rescue_claims(s->f->db, 0, 500, ask_done, &ask);
    ask_wait(s->f, &ask);
    return count;
}

static void the_rescuer_may_come_first(void **state)
{
    struct takeover_scene *s = *state;

    takeover_scene_die(s);
    assert_int_equal(rescue(s), 5);
    takeover_scene_resolve(s);
    assert_all_fates(s, 5);
    assert_fates_counted(s, 2, 0, 2);
}

static void the_rescuer_may_come_amidst(void **state)
{
    struct takeover_scene *s = *state;
    struct sms_job late;

    takeover_scene_die(s);
    takeover_scene_begin(s);
    loop_until(s->f->reactor, has_released, s);
    ask_claim(s->f, &late, 9, 0);
    assert_int_equal(rescue(s), 1);
    loop_until(s->f->reactor, takeover_scene_is_resolved, s);
    takeover_scene_count(s, 3, "select count(*) from delayed where kind = 'released'");
    takeover_scene_count(s, 1, "select count(*) from messages where status = 'in_doubt'");
    assert_fates_counted(s, 2, 1, 3);
}

static void the_rescuer_may_come_last(void **state)
{
    struct takeover_scene *s = *state;

    takeover_scene_die(s);
    takeover_scene_resolve(s);
    assert_int_equal(rescue(s), 0);
    assert_all_fates(s, 1);
}

static void a_claim_that_comes_late_is_released_too(void **state)
{
    struct takeover_scene *s = *state;
    struct sms_job late;

    takeover_scene_die(s);
    takeover_scene_begin(s);
    loop_until(s->f->reactor, has_released, s);
    ask_claim(s->f, &late, 9, 0);
    loop_until(s->f->reactor, takeover_scene_is_resolved, s);
    takeover_scene_count(s, 3, "select count(*) from delayed where kind = 'released'");
    takeover_scene_count(s, 0, "select count(*) from messages where status = 'claimed'");
}

// The worker lives: its folder is locked. It dies while we run.
static void a_living_worker_s_journal_is_left_alone_until_it_dies(void **state)
{
    struct takeover_scene *s = *state;
    struct sms_job job;

    ask_claim(s->f, &job, 0, 0);
    takeover_scene_resolve(s);
    takeover_scene_count(s, 1, "select count(*) from messages where status = 'claimed'");
    takeover_scene_count(s, 0, "select count(*) from workers where dead_at is not null");
    dead_journal_kill(&s->dead);
    while (pg_int(s->f->pg, "select count(*) from delayed") == 0)
        loop_once(s->f->reactor);
    loop_until(s->f->reactor, takeover_scene_is_resolved, s);
    takeover_scene_count(s, 1, "select count(*) from messages where status = 'waiting'");
    assert_int_equal(takeover_scene_files(s, JOURNAL_PREFIX), 1);
}

static void answers_for_two_turns_of_a_message_are_both_written(void **state)
{
    struct takeover_scene *s = *state;
    struct sms_job job;

    ask_claim(s->f, &job, 0, 0);
    struct send_outcome first = dead_journal_accepted(job.message_id, 1, NULL);
    first.status = "waiting";
    first.outcome = "not_processed";
    first.rank = 0;
    struct send_outcome second = dead_journal_accepted(job.message_id, 2, TAKEOVER_SID);
    dead_journal_answer(&s->dead, &second, true);
    dead_journal_answer(&s->dead, &first, true);
    dead_journal_kill(&s->dead);
    takeover_scene_resolve(s);
    takeover_scene_count(s, 2, "select count(*) from attempts");
    takeover_scene_count(s, 1,
                         "select count(*) from attempts where turn = 2 and rank = 30");
    assert_fates_counted(s, 2, 0, 0);
}

static void an_answer_that_postgresql_refuses_is_in_doubt(void **state)
{
    struct takeover_scene *s = *state;
    struct sms_job good, bad;

    ask_claim(s->f, &good, 0, 0);
    ask_claim(s->f, &bad, 1, 0);
    struct send_outcome accepted =
        dead_journal_accepted(good.message_id, 1, TAKEOVER_SID);
    struct send_outcome refused = dead_journal_accepted(bad.message_id, 1, NULL);
    refused.status = "nonsense";
    dead_journal_answer(&s->dead, &accepted, true);
    dead_journal_answer(&s->dead, &refused, true);
    dead_journal_kill(&s->dead);
    takeover_scene_resolve(s);
    takeover_scene_count(s, 1, "select count(*) from messages where status = 'queued'");
    takeover_scene_count(s, 1, "select count(*) from messages where status = 'in_doubt'");
    assert_fates_counted(s, 1, 1, 0);
}

static void a_journal_of_a_worker_that_claimed_nothing_goes(void **state)
{
    struct takeover_scene *s = *state;

    journal_set_database(s->dead.journal, "");
    dead_journal_kill(&s->dead);
    takeover_scene_resolve(s);
    assert_int_equal(takeover_scene_files(s, JOURNAL_PREFIX), 1);
    assert_int_equal(takeover_scene_files(s, "aside-"), 0);
}

static void the_database_is_noted_in_our_own_journal(void **state)
{
    struct takeover_scene *s = *state;
    struct journal_header h;

    dead_journal_kill(&s->dead);
    takeover_scene_begin(s);
    assert_false(takeover_is_ready(s->takeover));
    loop_until(s->f->reactor, takeover_scene_is_resolved, s);
    assert_true(takeover_is_ready(s->takeover));
    FILE *file = fopen(s->mine.path, "r");
    assert_non_null(file);
    assert_int_equal(fread(&h, sizeof(h), 1, file), 1);
    (void)fclose(file);
    assert_string_equal(h.origin.database, s->database);
}

static void a_record_that_crashed_workers_is_counted(void **state)
{
    struct takeover_scene *s = *state;

    journal_parsing(s->dead.journal, 1, 4, 77);
    dead_journal_kill(&s->dead);
    takeover_scene_begin(s);
    assert_int_equal(crash_notes_count(s->crashes, 1, 4, 77), 1);
    takeover_scene_end(s);
    takeover_scene_resolve(s);
    assert_int_equal(crash_notes_count(s->crashes, 1, 4, 77), 1);
}

#define TEST(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, takeover_scene_start, takeover_scene_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_claim_meets_the_fate_that_its_slot_says),
        TEST(a_takeover_can_be_done_again),
        TEST(the_rescuer_may_come_first),
        TEST(the_rescuer_may_come_amidst),
        TEST(the_rescuer_may_come_last),
        TEST(a_claim_that_comes_late_is_released_too),
        TEST(a_living_worker_s_journal_is_left_alone_until_it_dies),
        TEST(answers_for_two_turns_of_a_message_are_both_written),
        TEST(an_answer_that_postgresql_refuses_is_in_doubt),
        TEST(a_journal_of_a_worker_that_claimed_nothing_goes),
        TEST(the_database_is_noted_in_our_own_journal),
        TEST(a_record_that_crashed_workers_is_counted),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
