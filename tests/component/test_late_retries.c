// Failures that Twilio reports later: the statement's word on tries, waits and useful
// time is retry_decide's (tests/unit/test_retry_policy.c).
#include "race.h"
#include "sms_job_make.h"
#include "status.h"
#include "store_ask.h"
#include "store_receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 200, CODE = 777777 };

struct late_case {
    const char *class;
    int tries;      // before this one
    int least_s;    // of the code; 0 = none
    int tries_max;  // of the code; 0 = none
    int useful_s;
    const char *end;   // "status turn tries reason"
    int from_s, to_s;  // the wait lies there; 0 0 = none
};

static const struct late_case cases[] = {
    { "otp", 0, 0, 0, 7200, "waiting 2 1 provider_failed", 0, 60 },
    { "otp", 1, 0, 0, 7200, "waiting 2 2 provider_failed", 0, 120 },
    { "otp", 2, 0, 0, 7200, "undelivered 1 3 tries_used_up", 0, 0 },
    { "emergency", 8, 0, 0, 7200, "waiting 2 9 provider_failed", 0, 3600 },
    { "emergency", 9, 0, 0, 7200, "undelivered 1 10 tries_used_up", 0, 0 },
    { "transactional", 7, 0, 0, 7200, "undelivered 1 8 tries_used_up", 0, 0 },
    { "marketing", 4, 0, 0, 7200, "undelivered 1 5 tries_used_up", 0, 0 },
    { "transactional", 0, 600, 0, 7200, "waiting 2 1 provider_failed", 600, 1200 },
    { "transactional", 1, 600, 2, 7200, "undelivered 1 2 tries_used_up", 0, 0 },
    { "transactional", 0, 600, 0, 600, "undelivered 1 1 too_late", 0, 0 },
};

static size_t prepare(struct db_fixture *f, const struct late_case *c,
                      struct receipt *all, const struct receipt **best)
{
    char sql[512];
    struct sms_job job;

    (void)snprintf(sql, sizeof(sql),
                   "truncate messages, attempts, receipts, delayed, decisions;"
                   " delete from error_codes where code = %d; insert into error_codes"
                   " (code, shows, action, least_wait_s, tries_max, meaning, advice)"
                   " values (%d, 'callback', 'retry', nullif(%d, 0), nullif(%d, 0), 'm',"
                   " 'a')",
                   CODE, CODE, c->least_s, c->tries_max);
    pg_exec(f->pg, sql);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        ask_claim(f, &job, i + 1, 0);
        all[i] = (struct receipt){
            .recorded_at_us = clock_wall_us(),
            .offset = i,
            .turn = 1,
            .twilio_sid = "SM00000000000000000000000000000001",
            .word = "undelivered",
            .status = "undelivered",
            .rank = status_rank("undelivered"),
            .error_code = CODE,
            .raw = { (const unsigned char *)"raw", 3 },
            .received_at_us = clock_wall_us(),
            .simulated = true,
        };
        memcpy(all[i].message_id, job.message_id, sizeof(all[i].message_id));
        best[i] = &all[i];
    }
    (void)snprintf(sql, sizeof(sql),
                   "update messages set mode = 'simulate', class = '%s', tries = %d,"
                   " expires_at = now() + interval '%d s'",
                   c->class, c->tries, c->useful_s);
    pg_exec(f->pg, sql);
    return MESSAGES;
}

static int compare_best(const void *a, const void *b)
{
    const struct receipt *const *x = a, *const *y = b;
    return memcmp((*x)->message_id, (*y)->message_id, 16);
}

static void assert_waits(struct db_fixture *f, const struct late_case *c)
{
    char sql[512];

    if (c->to_s == 0) {
        assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 0);
        return;
    }
    // The whole range is used: an eighth at each end missed by 200 is chance's once in
    // 10^11.
    int range_s = c->to_s - c->from_s;
    (void)snprintf(sql, sizeof(sql),
                   "select (count(*) = %d and min(wait) between %d - 2 and %d"
                   "        and max(wait) between %d and %d)::int"
                   "  from (select extract(epoch from delayed.due - decided_at) as wait"
                   "          from delayed join decisions using (message_id)) w",
                   MESSAGES, c->from_s, c->from_s + range_s / 8, c->to_s - range_s / 8,
                   c->to_s);
    assert_int_equal(pg_int(f->pg, sql), 1);
}

static void the_statement_decides_as_the_worker_does(void **state)
{
    struct receipt all[MESSAGES];
    const struct receipt *best[MESSAGES];
    struct db_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct late_case *c = &cases[i];
        struct ask ask = { 0 };
        print_message("case %zu\n", i);
        size_t count = prepare(f, c, all, best);
        qsort(best, count, sizeof(best[0]), compare_best);
        const struct receipt_batch batch = { all, count, best, count, true };
        store_receipts(f->db, &batch, &race_retry, ask_done, &ask);
        ask_wait(f, &ask);
        char *ends = pg_text(f->pg, "select string_agg(distinct concat_ws(' ', status,"
                                    " turn, tries, reason), '; ') from messages");
        assert_string_equal(ends, c->end);
        free(ends);
        assert_waits(f, c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_statement_decides_as_the_worker_does),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
