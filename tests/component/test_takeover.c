// What becomes of the claims of a worker that was killed: the journal that it left, and
// PostgreSQL.
#include "crash_notes.h"
#include "db.h"
#include "dead_journal.h"
#include "metrics.h"
#include "reactor.h"
#include "scratch.h"
#include "store_ask.h"
#include "store_rescue.h"
#include "takeover.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SID "SM00112233445566778899aabbccddeeff"

enum { EPOCH = 1, LOOK_US = 20000, LATE_US = 300000 };  // ask_claim's epoch

struct scene {
    struct db_fixture *f;
    char dir[SCRATCH_BYTES];
    struct dead_journal dead, mine;
    struct crash_notes *crashes;
    struct takeover *takeover;
    bool is_ready;
    struct err failure;
    char *database;
};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    void *f = *state;

    if (ask_test_start(&f))
        return 1;
    s->f = f;
    scratch_make(s->dir);
    dead_journal_open(&s->dead, s->dir);
    journal_set_epoch(s->dead.journal, EPOCH);
    s->database =
        pg_text(s->f->pg, "select system_identifier || ':' || d.oid || ':00000001'"
                          "  from pg_control_system(), pg_database d"
                          " where datname = current_database()");
    journal_set_database(s->dead.journal, s->database);
    pg_exec(s->f->pg, "insert into workers (epoch, host, pid, version)"
                      " values (1, 'here', 1, '1')");
    *state = s;
    return 0;
}

// As a worker does it: the database first, so that nobody is told any more.
static void end_takeover(struct scene *s)
{
    db_close(s->f->db);
    s->f->db = NULL;
    takeover_free(s->takeover);
    s->takeover = NULL;
    journal_close(s->mine.journal, true);
    crash_notes_close(s->crashes);
    state_folder_close(s->mine.folder);
}

static int stop(void **state)
{
    struct scene *s = *state;
    struct db_fixture *f = s->f;

    end_takeover(s);
    free(s->database);
    scratch_remove(s->dir);
    free(s);
    *state = f;
    return ask_test_stop(state);
}

static void on_ready(void *arg)
{
    ((struct scene *)arg)->is_ready = true;
}

static void on_failure(void *arg, const char *reason)
{
    err_set(&((struct scene *)arg)->failure, OUTCOME_FATAL, "%s", reason);
}

static void open_db(struct scene *s)
{
    struct db_settings set = { .url = (char *)(uintptr_t)pg_url(s->f->pg) };

    assert_int_equal(db_open(&s->f->db, s->f->reactor, &set, "again", s->f->metrics,
                             NULL),
                     OUTCOME_OK);
}

static void begin(struct scene *s)
{
    if (!s->f->db)
        open_db(s);
    s->is_ready = false;
    dead_journal_open(&s->mine, s->dir);
    assert_int_equal(crash_notes_open(&s->crashes, state_folder_root(s->mine.folder),
                                      NULL),
                     OUTCOME_OK);
    const struct takeover_settings set = {
        .folder = s->mine.folder,
        .journal = s->mine.journal,
        .crashes = s->crashes,
        .db = s->f->db,
        .look_us = LOOK_US,
        .late_us = LATE_US,
        .ready = on_ready,
        .fail = on_failure,
        .arg = s,
    };
    s->takeover = takeover_new(s->f->reactor, &set, s->f->metrics);
}

static bool is_resolved(void *arg)
{
    const struct scene *s = arg;
    return s->failure.text[0] || (s->is_ready && takeover_pending(s->takeover) == 0);
}

static void resolve(struct scene *s)
{
    begin(s);
    loop_until(s->f->reactor, is_resolved, s);
    assert_string_equal(s->failure.text, "");
}

static void assert_count(struct scene *s, int64_t wanted, const char *sql)
{
    int64_t found = pg_int(s->f->pg, sql);
    if (found != wanted)
        fail_msg("%lld, not %lld: %s", (long long)found, (long long)wanted, sql);
}

static size_t files(const struct scene *s, const char *prefix)
{
    size_t count = 0;

    for (int n = 0; n < 2; n++) {
        char path[SCRATCH_BYTES + 16];
        (void)snprintf(path, sizeof(path), "%s/slot-%d", s->dir, n);
        DIR *dir = opendir(path);
        for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
            count += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
        if (dir)
            (void)closedir(dir);
    }
    return count;
}

// Five claims: begun, accepted, kept back, and two that were never posted.
static void die_with_work_in_hand(struct scene *s)
{
    struct sms_job jobs[5];
    struct send_outcome accepted, kept_back;

    for (uint32_t i = 0; i < 5; i++)
        ask_claim(s->f, &jobs[i], i, 0);
    dead_journal_begin(&s->dead, jobs[0].message_id, 1);
    accepted = dead_journal_accepted(jobs[1].message_id, 1, SID);
    dead_journal_answer(&s->dead, &accepted, true);
    kept_back = dead_journal_accepted(jobs[2].message_id, 1, NULL);
    kept_back.status = "waiting";
    kept_back.outcome = "not_sent";
    kept_back.rank = kept_back.error_code = kept_back.http_status = 0;
    kept_back.due_us = clock_wall_us() + 60000000;
    dead_journal_answer(&s->dead, &kept_back, false);
    dead_journal_kill(&s->dead);
}

// doubts: how many decisions there are that put a message in doubt.
static void assert_all_fates(struct scene *s, int64_t doubts)
{
    assert_count(s, 1,
                 "select count(*) from messages where status = 'in_doubt'"
                 " and turn = 1 and reason = 'worker_died' and rank = 20");
    assert_count(s, 1,
                 "select count(*) from attempts where outcome = 'in_doubt'"
                 " and status = 'in_doubt'");
    assert_count(s, 1,
                 "select count(*) from messages where status = 'queued'"
                 " and twilio_sid = '" SID "' and sent_at is not null");
    assert_count(s, 7900, "select sum(amount_micros) from cost_entries");
    assert_count(s, 1,
                 "select count(*) from messages m join delayed d using (message_id,"
                 " turn) where status = 'waiting' and turn = 2 and kind = 'retry'"
                 " and due > now()");
    assert_count(s, 2,
                 "select count(*) from messages m join delayed d using (message_id,"
                 " turn) where status = 'waiting' and turn = 2"
                 " and kind = 'released' and due <= now()");
    assert_count(s, 5, "select count(*) from messages");
    assert_count(s, doubts,
                 "select count(*) from decisions where kind = 'in_doubt'"
                 " and turn = 1");
    assert_count(s, 2,
                 "select count(*) from decisions where kind = 'release'"
                 " and turn = 1 and due is not null");
    assert_count(s, 1, "select count(*) from workers where dead_at is not null");
}

static void assert_fates_counted(struct scene *s, uint64_t recorded, uint64_t in_doubt,
                                 uint64_t released)
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
    struct scene *s = *state;

    die_with_work_in_hand(s);
    resolve(s);
    assert_all_fates(s, 1);
    assert_fates_counted(s, 2, 1, 2);
    assert_int_equal(files(s, "aside-"), 0);
    assert_int_equal(files(s, JOURNAL_PREFIX), 1);  // mine
}

static bool has_released(void *arg)
{
    struct scene *s = arg;
    return pg_int(s->f->pg, "select count(*) from delayed where kind = 'released'") == 2;
}

// Killed in the midst of it, and taken over once more.
static void a_takeover_can_be_done_again(void **state)
{
    struct scene *s = *state;

    die_with_work_in_hand(s);
    begin(s);
    loop_until(s->f->reactor, has_released, s);
    assert_int_equal(takeover_pending(s->takeover), 1);
    end_takeover(s);
    assert_int_equal(files(s, JOURNAL_PREFIX), 1);
    resolve(s);
    assert_all_fates(s, 1);
    assert_int_equal(files(s, JOURNAL_PREFIX), 1);
}

static void count_rows(const struct db_result *rows, void *arg)
{
    *(size_t *)arg = db_rows(rows);
}

// The rescuer comes, and all that it waits for is over. Returns how many claims it found.
static size_t rescue(struct scene *s)
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
    struct scene *s = *state;

    die_with_work_in_hand(s);
    assert_int_equal(rescue(s), 5);
    resolve(s);
    assert_all_fates(s, 5);
    assert_fates_counted(s, 2, 0, 2);
}

static void the_rescuer_may_come_amidst(void **state)
{
    struct scene *s = *state;
    struct sms_job late;

    die_with_work_in_hand(s);
    begin(s);
    loop_until(s->f->reactor, has_released, s);
    ask_claim(s->f, &late, 9, 0);
    assert_int_equal(rescue(s), 1);
    loop_until(s->f->reactor, is_resolved, s);
    assert_count(s, 3, "select count(*) from delayed where kind = 'released'");
    assert_count(s, 1, "select count(*) from messages where status = 'in_doubt'");
    assert_fates_counted(s, 2, 1, 3);
}

static void the_rescuer_may_come_last(void **state)
{
    struct scene *s = *state;

    die_with_work_in_hand(s);
    resolve(s);
    assert_int_equal(rescue(s), 0);
    assert_all_fates(s, 1);
}

static void a_claim_that_comes_late_is_released_too(void **state)
{
    struct scene *s = *state;
    struct sms_job late;

    die_with_work_in_hand(s);
    begin(s);
    loop_until(s->f->reactor, has_released, s);
    ask_claim(s->f, &late, 9, 0);
    loop_until(s->f->reactor, is_resolved, s);
    assert_count(s, 3, "select count(*) from delayed where kind = 'released'");
    assert_count(s, 0, "select count(*) from messages where status = 'claimed'");
}

// The worker lives: its folder is locked. It dies while we run.
static void a_living_worker_s_journal_is_left_alone_until_it_dies(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    ask_claim(s->f, &job, 0, 0);
    resolve(s);
    assert_count(s, 1, "select count(*) from messages where status = 'claimed'");
    assert_count(s, 0, "select count(*) from workers where dead_at is not null");
    dead_journal_kill(&s->dead);
    while (pg_int(s->f->pg, "select count(*) from delayed") == 0)
        loop_once(s->f->reactor);
    loop_until(s->f->reactor, is_resolved, s);
    assert_count(s, 1, "select count(*) from messages where status = 'waiting'");
    assert_int_equal(files(s, JOURNAL_PREFIX), 1);
}

static void answers_for_two_turns_of_a_message_are_both_written(void **state)
{
    struct scene *s = *state;
    struct sms_job job;

    ask_claim(s->f, &job, 0, 0);
    struct send_outcome first = dead_journal_accepted(job.message_id, 1, NULL);
    first.status = "waiting";
    first.outcome = "not_processed";
    first.rank = 0;
    struct send_outcome second = dead_journal_accepted(job.message_id, 2, SID);
    dead_journal_answer(&s->dead, &second, true);
    dead_journal_answer(&s->dead, &first, true);
    dead_journal_kill(&s->dead);
    resolve(s);
    assert_count(s, 2, "select count(*) from attempts");
    assert_count(s, 1, "select count(*) from attempts where turn = 2 and rank = 30");
    assert_fates_counted(s, 2, 0, 0);
}

static void an_answer_that_postgresql_refuses_is_in_doubt(void **state)
{
    struct scene *s = *state;
    struct sms_job good, bad;

    ask_claim(s->f, &good, 0, 0);
    ask_claim(s->f, &bad, 1, 0);
    struct send_outcome accepted = dead_journal_accepted(good.message_id, 1, SID);
    struct send_outcome refused = dead_journal_accepted(bad.message_id, 1, NULL);
    refused.status = "nonsense";
    dead_journal_answer(&s->dead, &accepted, true);
    dead_journal_answer(&s->dead, &refused, true);
    dead_journal_kill(&s->dead);
    resolve(s);
    assert_count(s, 1, "select count(*) from messages where status = 'queued'");
    assert_count(s, 1, "select count(*) from messages where status = 'in_doubt'");
    assert_fates_counted(s, 1, 1, 0);
}

#define IN_HEADER(field) offsetof(struct journal_header, field)

static const struct {
    const char *what;
    size_t at;
    bool resealed;
    int64_t in_doubt;  // of the five claims
    size_t kept_aside;
} strangers[] = {
    { "another boot", IN_HEADER(origin.boot_id), true, 5, 0 },
    { "another host", IN_HEADER(origin.host), true, 5, 0 },
    { "another database", IN_HEADER(origin.database), true, 5, 1 },
    { "a new version", IN_HEADER(version), true, 5, 0 },
    { "a torn header", IN_HEADER(origin.boot_id), false, 5, 1 },
    { "a torn slot", sizeof(struct journal_header) + 10, false, 5, 0 },
    { "no journal at all", IN_HEADER(magic), false, 0, 1 },
};

static void assert_proves_nothing(struct scene *s, size_t i)
{
    die_with_work_in_hand(s);
    dead_journal_patch(s->dead.path, strangers[i].at, "?", 1);
    if (strangers[i].resealed)
        dead_journal_reseal(s->dead.path);
    resolve(s);
    assert_count(s, strangers[i].in_doubt,
                 "select count(*) from messages where status = 'in_doubt'"
                 " and claimed_epoch = 1");
    assert_count(s, 5 - strangers[i].in_doubt,
                 "select count(*) from messages where status = 'claimed'");
    assert_count(s, strangers[i].in_doubt,
                 "select count(*) from decisions where kind = 'in_doubt'");
    assert_count(s, 0, "select count(*) from delayed");
    assert_int_equal(files(s, "aside-"), strangers[i].kept_aside);
    assert_int_equal(files(s, JOURNAL_PREFIX), 1);
}

static void a_journal_that_proves_nothing_puts_its_claims_in_doubt(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        print_message("%s\n", strangers[i].what);
        if (i > 0) {
            end_takeover(s);
            open_db(s);
            scratch_remove(s->dir);
            pg_exec(s->f->pg, "truncate messages, attempts, decisions, delayed");
            dead_journal_open(&s->dead, s->dir);
            journal_set_epoch(s->dead.journal, EPOCH);
            journal_set_database(s->dead.journal, s->database);
        }
        assert_proves_nothing(s, i);
    }
}

static void an_older_timeline_is_another_database(void **state)
{
    struct scene *s = *state;

    s->database[strlen(s->database) - 1] = '2';
    journal_set_database(s->dead.journal, s->database);
    die_with_work_in_hand(s);
    resolve(s);
    assert_count(s, 5, "select count(*) from messages where status = 'in_doubt'");
}

static void a_journal_of_a_worker_that_claimed_nothing_goes(void **state)
{
    struct scene *s = *state;

    journal_set_database(s->dead.journal, "");
    dead_journal_kill(&s->dead);
    resolve(s);
    assert_int_equal(files(s, JOURNAL_PREFIX), 1);
    assert_int_equal(files(s, "aside-"), 0);
}

static void the_database_is_noted_in_our_own_journal(void **state)
{
    struct scene *s = *state;
    struct journal_header h;

    dead_journal_kill(&s->dead);
    begin(s);
    assert_false(takeover_is_ready(s->takeover));
    loop_until(s->f->reactor, is_resolved, s);
    assert_true(takeover_is_ready(s->takeover));
    FILE *file = fopen(s->mine.path, "r");
    assert_non_null(file);
    assert_int_equal(fread(&h, sizeof(h), 1, file), 1);
    (void)fclose(file);
    assert_string_equal(h.origin.database, s->database);
}

static void a_record_that_crashed_workers_is_counted(void **state)
{
    struct scene *s = *state;

    journal_parsing(s->dead.journal, 1, 4, 77);
    dead_journal_kill(&s->dead);
    begin(s);
    assert_int_equal(crash_notes_count(s->crashes, 1, 4, 77), 1);
    end_takeover(s);
    resolve(s);
    assert_int_equal(crash_notes_count(s->crashes, 1, 4, 77), 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

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
        TEST(a_journal_that_proves_nothing_puts_its_claims_in_doubt),
        TEST(an_older_timeline_is_another_database),
        TEST(a_journal_of_a_worker_that_claimed_nothing_goes),
        TEST(the_database_is_noted_in_our_own_journal),
        TEST(a_record_that_crashed_workers_is_counted),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
