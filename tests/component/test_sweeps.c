// What the scheduler does now and then: ends what waited too long, has partitions made.
#include "store_ask.h"

#include "expirer.h"
#include "metrics.h"
#include "partitions.h"
#include "reactor.h"
#include "sms_job_make.h"
#include "store_claims.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR_US INT64_C(3600000000)

static struct expirer *expirer_start(struct db_fixture *f)
{
    const struct expirer_settings set = { .reactor = f->reactor,
                                          .db = f->db,
                                          .rest_us = 20000,
                                          .page_rest_us = 1000,
                                          .lease_us = 600000 };

    return expirer_new(&set, f->metrics);
}

static bool is_idle(void *arg)
{
    return expirer_is_idle(arg);
}

static void expirer_end(struct db_fixture *f, struct expirer *e)
{
    expirer_stop(e);
    loop_until(f->reactor, is_idle, e);
    expirer_free(e);
}

struct wanted {
    struct metric *expired;
    uint64_t count;
};

static bool has_expired(void *arg)
{
    const struct wanted *w = arg;
    return metric_count(w->expired) >= w->count;
}

static void wait_expired(struct db_fixture *f, uint64_t count)
{
    struct wanted w = {
        metrics_counter(f->metrics, "smsq_delayed_expired_total", NULL, ""), count
    };

    loop_until(f->reactor, has_expired, &w);
    assert_int_equal(metric_count(w.expired), count);
}

// Waits at turn 2 for a time an hour ahead.
static void put_to_wait(struct db_fixture *f, size_t count, const char *kind)
{
    int64_t now_us = clock_wall_us();
    struct sms_job *jobs = xcalloc(count, sizeof(*jobs));
    struct sms_job **sorted = xcalloc(count, sizeof(*sorted));
    struct call call = { 0 };

    for (size_t i = 0; i < count; i++) {
        unsigned char id[16];
        sms_job_make_id(id, now_us / 1000, (uint32_t)i);
        sms_job_make(&jobs[i], id, now_us);
        jobs[i].send_at = now_us + HOUR_US;
        sorted[i] = &jobs[i];
    }
    store_claim(f->db, sorted, count, 1, 1, call_done, &call);
    call_wait(f->reactor, &call);
    free(jobs);
    free(sorted);
    char *sql = NULL;
    size_t len;
    FILE *out = open_memstream(&sql, &len);
    (void)fprintf(out, "update delayed set kind = '%s'; truncate decisions", kind);
    (void)fclose(out);
    pg_exec(f->pg, sql);
    free(sql);
}

#define OVER "update messages set expires_at = now() - interval '1 s' where message_id in"

static void what_waits_too_long_expires_with_a_decision(void **state)
{
    struct db_fixture *f = *state;

    put_to_wait(f, 3, "retry");
    pg_exec(f->pg, OVER " (select message_id from messages order by 1 limit 2)");
    struct expirer *e = expirer_start(f);
    wait_expired(f, 2);
    expirer_end(f, e);
    assert_int_equal(pg_int(f->pg, "select count(*) from messages m join decisions d"
                                   " using (message_id, turn)"
                                   " where m.status = 'expired' and m.rank = 25"
                                   "   and m.reason = 'too_late' and d.kind = 'expired'"
                                   "   and d.decided_by = 'smsq-scheduler'"),
                     2);
    assert_int_equal(pg_int(f->pg, "select count(*) from delayed"), 1);
    assert_int_equal(pg_int(f->pg, "select count(*) from messages"
                                   " where status = 'waiting'"),
                     1);
    assert_int_equal(pg_int(f->pg, "select count(*) from leases"), 0);
}

// The last of more than two pages, and the next round finds the first.
static void every_page_is_looked_at_in_every_round(void **state)
{
    struct db_fixture *f = *state;

    put_to_wait(f, 2 * EXPIRER_PAGE + 10, "hold");
    pg_exec(f->pg,
            OVER " (select message_id from messages order by message_id desc limit 1)");
    struct expirer *e = expirer_start(f);
    wait_expired(f, 1);
    pg_exec(f->pg, OVER " (select message_id from messages order by message_id limit 1)");
    wait_expired(f, 2);
    expirer_end(f, e);
}

// A row of an old turn, one of a message that is claimed, and one that is scheduled.
static void what_no_longer_waits_stays_as_it_is(void **state)
{
    struct db_fixture *f = *state;

    put_to_wait(f, 4, "retry");
    pg_exec(f->pg, OVER " (select message_id from messages)");
    pg_exec(f->pg, "with o as (select message_id, row_number() over (order by message_id)"
                   " as n from messages)"
                   " update messages m set turn = m.turn + (o.n = 1)::int,"
                   " status = case when o.n = 2 then 'claimed' else 'waiting' end,"
                   " rank = case when o.n = 2 then 10 else 0 end,"
                   " claimed_epoch = case when o.n = 2 then 7 end"
                   " from o where o.message_id = m.message_id");
    pg_exec(f->pg, "update delayed set kind = 'schedule' where message_id ="
                   " (select message_id from delayed order by 1 offset 2 limit 1)");
    struct expirer *e = expirer_start(f);
    wait_expired(f, 1);
    expirer_end(f, e);
    char *statuses = pg_text(f->pg, "select string_agg(status, ' ' order by message_id)"
                                    " from messages");
    assert_string_equal(statuses, "waiting claimed waiting expired");
    free(statuses);
}

static void an_expired_message_is_not_claimed_by_its_record(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;
    struct sms_job *jobs[] = { &job };
    struct call call = { 0 };

    put_to_wait(f, 1, "retry");
    pg_exec(f->pg, OVER " (select message_id from messages)");
    struct expirer *e = expirer_start(f);
    wait_expired(f, 1);
    expirer_end(f, e);
    char *id = pg_text(f->pg, "select replace(message_id::text, '-', '') from messages");
    unsigned char bytes[16];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] =
            (unsigned char)strtoul((char[]){ id[2 * i], id[2 * i + 1], 0 }, NULL, 16);
    free(id);
    sms_job_make(&job, bytes, clock_wall_us());
    job.turn = 2;
    store_claim(f->db, jobs, 1, 1, 1, call_done, &call);
    call_wait(f->reactor, &call);
    assert_int_equal(call.rows, 0);
}

#define NEXT_SQL                                                                         \
    "select count(*) from pg_class where relname = 'attempts_' ||"                       \
    " to_char(date_trunc('month', now() at time zone 'UTC') + interval '1 month',"       \
    " 'YYYY_MM')"

static bool is_there(void *arg)
{
    const struct db_fixture *f = arg;
    return pg_int(f->pg, NEXT_SQL) == 1;
}

static void a_partition_that_is_missing_is_made(void **state)
{
    struct db_fixture *f = *state;

    pg_exec(f->pg, "do $$ begin execute 'drop table attempts_' || to_char(date_trunc("
                   "'month', now() at time zone 'UTC') + interval '1 month', 'YYYY_MM');"
                   " end $$");
    assert_int_equal(pg_int(f->pg, NEXT_SQL), 0);
    struct partitions *p = partitions_new(f->reactor, f->db, 20000);
    loop_until(f->reactor, is_there, f);
    partitions_stop(p);
    while (db_in_flight(f->db) > 0)
        loop_once(f->reactor);
    partitions_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_waits_too_long_expires_with_a_decision),
        STORE_TEST(every_page_is_looked_at_in_every_round),
        STORE_TEST(what_no_longer_waits_stays_as_it_is),
        STORE_TEST(an_expired_message_is_not_claimed_by_its_record),
        STORE_TEST(a_partition_that_is_missing_is_made),
    };

    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
