#include "store_ask.h"

#include "race.h"
#include "sms_job_make.h"
#include "status.h"
#include "store_claims.h"
#include "store_receipts.h"

#include <stdlib.h>
#include <string.h>

void ask_done(void *arg, const struct db_answer *answer)
{
    struct ask *ask = arg;

    ask->came = true;
    assert_int_equal(answer->rc, OUTCOME_OK);
    if (ask->check)
        ask->check(answer->rows, ask->arg);
}

static bool came(void *arg)
{
    return ((struct ask *)arg)->came;
}

void ask_wait(struct db_fixture *f, struct ask *ask)
{
    loop_until(f->reactor, came, ask);
}

void ask_no_rows(const struct db_result *rows, void *arg)
{
    (void)arg;
    assert_int_equal(db_rows(rows), 0);
}

enum { ASK_EVERY_US = 50000 };  // each is a session of its own

struct condition {
    struct pg *pg;
    const char *sql;
    int64_t next_us;
    bool is_true;
};

static bool is_true(void *arg)
{
    struct condition *c = arg;

    if (c->is_true || clock_boot_us() < c->next_us)
        return c->is_true;
    c->next_us = clock_boot_us() + ASK_EVERY_US;
    c->is_true = pg_int(c->pg, c->sql) != 0;
    return c->is_true;
}

void ask_until(struct db_fixture *f, const char *sql)
{
    struct condition c = { f->pg, sql, 0, false };
    loop_until(f->reactor, is_true, &c);
}

void ask_is(struct db_fixture *f, const char *sql, int64_t wanted)
{
    int64_t is = pg_int(f->pg, sql);
    if (is != wanted)
        fail_msg("%s: %lld, not %lld", sql, (long long)is, (long long)wanted);
}

int ask_group_start(void **state)
{
    *state = pg_start(PG_MIGRATED);
    return 0;
}

int ask_test_start(void **state)
{
    struct db_fixture *f = xcalloc(1, sizeof(*f));

    db_fixture_open(f, *state);
    pg_exec(f->pg,
            "truncate messages, attempts, cost_entries, delayed, workers, claim_batches,"
            " rate_card,"
            " api_tokens, clients, leases, decisions restart identity");
    *state = f;
    return 0;
}

int ask_test_stop(void **state)
{
    db_fixture_close(*state);
    free(*state);
    return 0;
}

void ask_claim(struct db_fixture *f, struct sms_job *job, uint32_t number,
               int64_t send_in_us)
{
    unsigned char id[16];
    struct ask ask = { 0 };

    sms_job_make_id(id, clock_wall_us() / 1000, number);
    sms_job_make(job, id, clock_wall_us());
    job->country = "DE";
    job->rate_note = "default_rate";
    memset(job->campaign_id, 9, sizeof(job->campaign_id));
    job->row = 12;
    job->traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    job->on_doubt = "resend";
    if (send_in_us > 0)
        job->send_at = clock_wall_us() + send_in_us;
    store_claim(f->db, &job, 1, 1, 1, ask_done, &ask);
    ask_wait(f, &ask);
}

void ask_receipt(struct db_fixture *f, const unsigned char *id, int32_t turn,
                 const char *sid, const char *word, bool simulated)
{
    static int64_t offset;
    struct receipt receipt = {
        .recorded_at_us = clock_wall_us(),
        .offset = ++offset,
        .turn = turn,
        .twilio_sid = sid,
        .word = word,
        .status = status_of_provider(word),
        .rank = status_rank(word),
        .raw = { (const unsigned char *)"raw", 3 },
        .received_at_us = clock_wall_us(),
        .simulated = simulated,
    };
    const struct receipt *best[] = { &receipt };
    struct ask ask = { 0 };

    if (id)
        memcpy(receipt.message_id, id, sizeof(receipt.message_id));
    const struct receipt_batch batch = { &receipt, 1, best, id ? 1 : 0, false };
    store_receipts(f->db, &batch, &race_retry, ask_done, &ask);
    ask_wait(f, &ask);
}
