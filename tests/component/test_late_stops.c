// Failures that Twilio reports later and that are about a sender or the account: what is
// turned off, and what is not.
#include "race.h"
#include "sms_job_make.h"
#include "status.h"
#include "store_ask.h"
#include "store_receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OF_SENDER = 30034, OF_ACCOUNT = 30002, FINAL = 30005 };

#define SENDER "sender/+15005550006"

static const char switches_sql[] =
    "select coalesce(string_agg(concat_ws(' ', name, scope, state, code), ', ' order by"
    "       name), '') from switches";

static void claim(struct db_fixture *f, struct sms_job *job, uint32_t number,
                  const char *mode)
{
    char sql[128];

    ask_claim(f, job, number, 0);
    (void)snprintf(sql, sizeof(sql),
                   "update messages set mode = '%s', sender = '+15005550006'", mode);
    pg_exec(f->pg, sql);
}

static void fail_late(struct db_fixture *f, const struct sms_job *job, int code,
                      bool simulates)
{
    static int64_t offset;
    struct receipt receipt = {
        .recorded_at_us = clock_wall_us(),
        .offset = ++offset,
        .turn = 1,
        .twilio_sid = "SM00000000000000000000000000000001",
        .word = "undelivered",
        .status = "undelivered",
        .rank = status_rank("undelivered"),
        .error_code = code,
        .raw = { (const unsigned char *)"raw", 3 },
        .received_at_us = clock_wall_us(),
        .simulated = strcmp(job->mode, "simulate") == 0,
    };
    const struct receipt *best[] = { &receipt };
    const struct receipt_batch batch = { &receipt, 1, best, 1, simulates };
    struct ask ask = { 0 };

    memcpy(receipt.message_id, job->message_id, sizeof(receipt.message_id));
    store_receipts(f->db, &batch, &race_retry, ask_done, &ask);
    ask_wait(f, &ask);
}

static void assert_switches(struct db_fixture *f, const char *wanted)
{
    char *is = pg_text(f->pg, switches_sql);

    assert_string_equal(is, wanted);
    free(is);
}

struct stop_case {
    const char *mode;
    int code;
    bool simulates;
    const char *before;  // SQL
    const char *after;   // the switches
};

#define INSERT "insert into switches (name, scope, state, since, probe_at, changed_by) "
#define CLOSED(when)                                                                     \
    INSERT "values ('" SENDER "', 'sender', 'closed', " when ", null, 'me')"

static void each_case_stops_what_it_is_about(void **state)
{
    static const struct stop_case cases[] = {
        { "live", OF_SENDER, false, "", SENDER " sender off 30034" },
        { "live", OF_ACCOUNT, false, "", "account/twilio account off 30002" },
        { "live", FINAL, false, "", "" },
        { "simulate", OF_SENDER, true, "", SENDER " sender off 30034" },
        { "simulate", OF_SENDER, false, "", "" },
        { "simulate", OF_ACCOUNT, false, "", "account/simulator account off 30002" },
        { "live", OF_SENDER, false,
          INSERT "values ('" SENDER "', 'sender', 'open', now(), now(), 'me')",
          SENDER " sender off 30034" },
        { "live", OF_SENDER, false,
          INSERT "values ('" SENDER "', 'sender', 'off', now(), null, 'me')",
          SENDER " sender off" },
        { "live", OF_SENDER, false, CLOSED("now() - interval '1 h'"),
          SENDER " sender off 30034" },
        // Posted before somebody turned it on: that proves nothing against him.
        { "live", OF_SENDER, false, CLOSED("now() + interval '1 h'"),
          SENDER " sender closed" },
    };
    struct db_fixture *f = *state;
    struct sms_job job;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct stop_case *c = &cases[i];
        print_message("case %zu\n", i);
        pg_exec(f->pg, "delete from switches");
        claim(f, &job, (uint32_t)i + 1, c->mode);
        job.mode = c->mode;
        if (c->before[0])
            pg_exec(f->pg, c->before);
        fail_late(f, &job, c->code, c->simulates);
        assert_switches(f, c->after);
    }
    pg_exec(f->pg, "delete from switches");
}

// The worker's result came first: the time of the POST counts, not that of the callback.
static void the_time_of_the_post_counts(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    claim(f, &job, 1, "live");
    job.mode = "live";
    pg_exec(f->pg, "insert into attempts (message_id, turn, rank, status, posted_at)"
                   " select message_id, 1, 30, 'queued', now() - interval '2 h'"
                   "   from messages");
    pg_exec(f->pg, CLOSED("now() - interval '1 h'"));
    fail_late(f, &job, OF_SENDER, false);
    assert_switches(f, SENDER " sender closed");
    pg_exec(f->pg, "delete from switches");
}

// What is said twice is heard once: somebody turned it on in between.
static void a_repeated_failure_stops_nothing_again(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    claim(f, &job, 1, "live");
    job.mode = "live";
    fail_late(f, &job, OF_SENDER, false);
    pg_exec(f->pg,
            "update switches set state = 'closed', since = now() - interval '1 h'");
    fail_late(f, &job, OF_SENDER, false);
    assert_int_equal(
        pg_int(f->pg, "select count(*) from switches where state = 'closed'"), 1);
    assert_int_equal(pg_int(f->pg, "select count(*) from decisions where reason ="
                                   " 'stop_sender, code 30034'"),
                     1);
    pg_exec(f->pg, "delete from switches");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(each_case_stops_what_it_is_about),
        STORE_TEST(the_time_of_the_post_counts),
        STORE_TEST(a_repeated_failure_stops_nothing_again),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
