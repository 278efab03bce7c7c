// Cancel and reschedule against real claims, and what they leave behind.
#include "store_ask.h"

#include "sms_job_make.h"
#include "store_changes.h"
#include "store_claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 600, BATCH = 20 };
#define HOUR_US INT64_C(3600000000)

// Two sessions on one loop, that the server works for at the same time: one claims from
// the first message on, the other changes from the last one back. They meet.
struct scene {
    struct db_fixture *f;
    struct db *other;
    int64_t born_us;
    unsigned char ids[MESSAGES][16];
    size_t asked, answered, changed, claimed;
    bool was_changed[MESSAGES], was_claimed[MESSAGES];
};

static bool is_up(void *arg)
{
    return db_is_up(((struct scene *)arg)->other);
}

static struct scene *scene_open(struct db_fixture *f)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    const struct db_settings set = { .url = (char *)pg_url(f->pg) };
    struct err err = { 0 };

    s->f = f;
    s->born_us = clock_wall_us();
    assert_int_equal(db_open(&s->other, f->reactor, &set, "other", NULL, &err), 0);
    loop_until(f->reactor, is_up, s);
    for (uint32_t i = 0; i < MESSAGES; i++)
        sms_job_make_id(s->ids[i], s->born_us / 1000, i + 1);
    return s;
}

static void scene_close(struct scene *s)
{
    db_close(s->other);
    free(s);
}

static size_t index_of(const struct scene *s, const unsigned char *id)
{
    size_t i = 0;
    while (memcmp(s->ids[i], id, 16) != 0)
        i++;
    return i;
}

static void on_claimed(void *arg, const struct db_answer *answer)
{
    struct scene *s = arg;

    s->answered++;
    assert_int_equal(answer->rc, OUTCOME_OK);
    for (size_t row = 0; row < db_rows(answer->rows); row++) {
        if (strcmp(db_text(answer->rows, row, 2), "claimed") != 0)
            continue;
        size_t i = index_of(s, db_uuid(answer->rows, row, 0));
        assert_false(s->was_claimed[i]);
        s->was_claimed[i] = true;
        s->claimed++;
    }
}

static void on_changed(void *arg, const struct db_answer *answer)
{
    struct scene *s = arg;

    s->answered++;
    assert_int_equal(answer->rc, OUTCOME_OK);
    for (size_t row = 0; row < db_rows(answer->rows); row++) {
        s->was_changed[index_of(s, db_uuid(answer->rows, row, 0))] = true;
        s->changed++;
    }
}

static void claim(struct scene *s, size_t first, int32_t turn, int64_t send_at)
{
    struct sms_job jobs[BATCH];
    struct sms_job *sorted[BATCH];

    for (size_t i = 0; i < BATCH; i++) {
        sms_job_make(&jobs[i], s->ids[first + i], s->born_us);
        jobs[i].turn = turn;
        jobs[i].send_at = send_at;
        sorted[i] = &jobs[i];
    }
    s->asked++;
    store_claim(s->f->db, sorted, BATCH, 1, 1, on_claimed, s);
}

static void claim_all(struct scene *s, int32_t turn, int64_t send_at)
{
    for (size_t i = 0; i < MESSAGES; i += BATCH)
        claim(s, i, turn, send_at);
}

static bool is_all_answered(void *arg)
{
    const struct scene *s = arg;
    return s->answered == s->asked;
}

static void wait_for_all(struct scene *s)
{
    loop_until(s->f->reactor, is_all_answered, s);
}

static void cancel_all(struct scene *s)
{
    for (size_t i = MESSAGES; i-- > 0;) {
        s->asked++;
        store_cancel(s->other, s->ids[i], SMS_JOB_CLIENT, on_changed, s);
    }
}

static void reschedule_all(struct scene *s, int64_t send_at)
{
    for (size_t i = MESSAGES; i-- > 0;) {
        s->asked++;
        store_reschedule(s->other, s->ids[i], SMS_JOB_CLIENT, send_at, on_changed, s);
    }
}

// Each message was won by exactly one side; both sides won some.
static void check_winners(struct scene *s, const char *status)
{
    char sql[128];

    print_message("claimed %zu, changed %zu\n", s->claimed, s->changed);
    for (size_t i = 0; i < MESSAGES; i++)
        assert_int_not_equal(s->was_claimed[i], s->was_changed[i]);
    assert_true(s->claimed > 0);
    assert_true(s->changed > 0);
    (void)snprintf(sql, sizeof(sql), "select count(*) from messages where status = '%s'",
                   status);
    assert_int_equal(pg_int(s->f->pg, sql), s->changed);
    assert_int_equal(pg_int(s->f->pg, "select count(*) from messages"
                                      " where status = 'claimed'"),
                     s->claimed);
    assert_int_equal(pg_int(s->f->pg, "select count(*) from decisions"
                                      " where decided_by like 'client %'"),
                     s->changed);
}

// All records come again, in each turn that Kafka may hold.
static void replay(struct scene *s, int32_t turns)
{
    size_t claimed = s->claimed;

    for (int32_t turn = 1; turn <= turns; turn++)
        claim_all(s, turn, 0);
    wait_for_all(s);
    assert_int_equal(s->claimed, claimed);
}

static void a_cancel_and_a_first_claim_have_one_winner(void **state)
{
    struct scene *s = scene_open(*state);

    cancel_all(s);
    claim_all(s, 1, 0);
    wait_for_all(s);
    check_winners(s, "canceled");
    replay(s, 2);
    check_winners(s, "canceled");
    scene_close(s);
}

static void put_to_sleep(struct scene *s)
{
    claim_all(s, 1, s->born_us + HOUR_US);
    wait_for_all(s);
    assert_int_equal(pg_int(s->f->pg, "select count(*) from delayed"), MESSAGES);
    pg_exec(s->f->pg, "truncate decisions");
}

static void a_cancel_and_the_claim_of_a_waiting_turn_have_one_winner(void **state)
{
    struct scene *s = scene_open(*state);

    put_to_sleep(s);
    cancel_all(s);
    claim_all(s, 2, 0);
    wait_for_all(s);
    check_winners(s, "canceled");
    replay(s, 2);
    assert_int_equal(pg_int(s->f->pg, "select count(*) from delayed join messages"
                                      " using (message_id) where status = 'canceled'"),
                     0);
    scene_close(s);
}

static void a_reschedule_and_a_first_claim_have_one_winner(void **state)
{
    struct scene *s = scene_open(*state);

    reschedule_all(s, s->born_us + 2 * HOUR_US);
    claim_all(s, 1, 0);
    wait_for_all(s);
    check_winners(s, "waiting");
    replay(s, 1);
    // The record of some came only now: then the row is made.
    assert_int_equal(pg_int(s->f->pg, "select count(*) from delayed d join messages m"
                                      " using (message_id, turn)"
                                      " where m.status = 'waiting' and d.due = m.send_at"
                                      "   and d.kind = 'schedule'"),
                     s->changed);
    scene_close(s);
}

static void a_reschedule_and_the_claim_of_a_waiting_turn_have_one_winner(void **state)
{
    struct scene *s = scene_open(*state);

    put_to_sleep(s);
    reschedule_all(s, s->born_us + 2 * HOUR_US);
    claim_all(s, 2, 0);
    wait_for_all(s);
    check_winners(s, "waiting");
    replay(s, 2);
    check_winners(s, "waiting");
    assert_int_equal(pg_int(s->f->pg, "select count(*) from delayed where turn = 3"),
                     s->changed);
    assert_int_equal(pg_int(s->f->pg, "select count(*) from delayed d join messages m"
                                      " using (message_id) where m.status = 'waiting'"
                                      "   and d.turn <> m.turn"),
                     0);
    scene_close(s);
}

static void change(struct db_fixture *f, const struct sms_job *job, int32_t client,
                   int64_t send_at, size_t rows)
{
    struct call call = { 0 };

    if (send_at)
        store_reschedule(f->db, job->message_id, client, send_at, call_done, &call);
    else
        store_cancel(f->db, job->message_id, client, call_done, &call);
    call_wait(f->reactor, &call);
    assert_int_equal(call.rc, OUTCOME_OK);
    assert_int_equal(call.rows, rows);
}

static void a_message_of_another_client_stays(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    ask_claim(f, &job, 1, HOUR_US);
    change(f, &job, SMS_JOB_CLIENT + 1, 0, 0);
    change(f, &job, SMS_JOB_CLIENT + 1, clock_wall_us() + 2 * HOUR_US, 0);
    assert_int_equal(pg_int(f->pg, "select count(*) from messages m join delayed d"
                                   " using (message_id, turn) where status = 'waiting'"
                                   " and client = 7 and d.due = m.send_at"),
                     1);
}

static void the_useful_time_moves_along(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    ask_claim(f, &job, 1, HOUR_US);
    int64_t useful_us = pg_int(f->pg, "select (extract(epoch from expires_at - send_at)"
                                      " * 1000000)::bigint from messages");
    change(f, &job, SMS_JOB_CLIENT, job.send_at + 5 * HOUR_US, 1);
    change(f, &job, SMS_JOB_CLIENT, job.send_at + 2 * HOUR_US, 1);
    assert_int_equal(pg_int(f->pg, "select (extract(epoch from expires_at - send_at)"
                                   " * 1000000)::bigint from messages"),
                     useful_us);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 1);
}

static void so_it_does_before_a_worker_saw_the_message(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;
    struct sms_job *jobs[] = { &job };
    struct call call = { 0 };
    unsigned char id[16];
    int64_t now_us = clock_wall_us();

    sms_job_make_id(id, now_us / 1000, 1);
    sms_job_make(&job, id, now_us);
    job.send_at = now_us + HOUR_US;
    job.expires_at = now_us + 3 * HOUR_US;
    change(f, &job, SMS_JOB_CLIENT, now_us + 48 * HOUR_US, 1);
    store_claim(f->db, jobs, 1, 1, 1, call_done, &call);
    call_wait(f->reactor, &call);
    assert_int_equal(pg_int(f->pg, "select extract(epoch from expires_at - send_at)::int"
                                   " from messages where status = 'waiting'"),
                     2 * 3600);
    assert_int_equal(pg_int(f->pg, "select (extract(epoch from d.due) * 1000000)::bigint"
                                   " from delayed d join messages using (message_id, "
                                   "turn)"),
                     now_us + 48 * HOUR_US);
}

static void a_decision_names_the_client(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    pg_exec(f->pg, "insert into clients (client_id, name) overriding system value"
                   " values (7, 'box office')");
    ask_claim(f, &job, 1, HOUR_US);
    pg_exec(f->pg, "truncate decisions");
    change(f, &job, SMS_JOB_CLIENT, job.send_at + HOUR_US, 1);
    change(f, &job, SMS_JOB_CLIENT, 0, 1);
    char *text = pg_text(f->pg, "select string_agg(format('%s %s %s %s', turn, kind,"
                                " reason, decided_by), ', ' order by decided_at)"
                                "  from decisions");
    assert_string_equal(text, "3 rescheduled by_client client box office,"
                              " 3 canceled by_client client box office");
    free(text);
}

// Once each, though the record comes twice.
static void a_claim_that_lets_it_wait_or_expire_is_a_decision(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job later, late;
    struct sms_job *jobs[] = { &later, &late };
    unsigned char ids[2][16];
    int64_t now_us = clock_wall_us();

    for (uint32_t i = 0; i < 2; i++) {
        sms_job_make_id(ids[i], now_us / 1000, i + 1);
        sms_job_make(jobs[i], ids[i], now_us);
    }
    later.send_at = now_us + HOUR_US;
    late.expires_at = now_us;
    for (int times = 0; times < 2; times++) {
        struct call call = { 0 };
        store_claim(f->db, jobs, 2, 1, 1, call_done, &call);
        call_wait(f->reactor, &call);
    }
    char *text = pg_text(f->pg, "select string_agg(concat_ws(' ', d.turn, d.kind,"
                                " d.reason, d.decided_by, (d.due = m.send_at)::text),"
                                " ', ' order by d.message_id)"
                                "  from decisions d join messages m using (message_id)");
    assert_string_equal(text, "1 schedule smsq-worker true, 1 expired too_late "
                              "smsq-worker");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_cancel_and_a_first_claim_have_one_winner),
        STORE_TEST(a_cancel_and_the_claim_of_a_waiting_turn_have_one_winner),
        STORE_TEST(a_reschedule_and_a_first_claim_have_one_winner),
        STORE_TEST(a_reschedule_and_the_claim_of_a_waiting_turn_have_one_winner),
        STORE_TEST(a_message_of_another_client_stays),
        STORE_TEST(the_useful_time_moves_along),
        STORE_TEST(so_it_does_before_a_worker_saw_the_message),
        STORE_TEST(a_decision_names_the_client),
        STORE_TEST(a_claim_that_lets_it_wait_or_expire_is_a_decision),
    };

    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
