// rows.c: what PostgreSQL costs without Kafka and HTTP: the worker's two statements over
// a number of messages, in its batches, or the same rows inserted barely: no conflict is
// looked for and no row is changed. Prints one line of JSON.
//
//   smsq-bench-rows URL ours|bare MESSAGES
#include "db.h"
#include "job_columns.h"
#include "message_id.h"
#include "reactor.h"
#include "store_claims.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 500, LIVE_BATCHES = 2, SEALED_BYTES = 160 };

#define DAY_US INT64_C(86400000000)

// The sender's tables without their keys' conflicts, history and updates.
static const char bare_sql[] =
    "with j as ("
    "  select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
    "                $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)"
    "         as j(message_id, turn, " JOB_COLUMNS_SQL ")"
    "), a as ("
    "  insert into bench_attempts (message_id, turn, rank, http_status, segments,"
    "                              twilio_sid, status, outcome, answered_at)"
    "  select message_id, turn, 30, 201, segments, 'SM' || replace(message_id::text, '-',"
    "         ''), 'queued', 'accepted', now() from j"
    "), c as ("
    "  insert into bench_cost_entries (message_id, amount_micros, total_micros, seq,"
    "                                  twilio_sid, kind, currency, mode)"
    "  select message_id, estimate_micros, estimate_micros, 0, 'SM' ||"
    "         replace(message_id::text, '-', ''), 'estimate', currency, mode from j"
    ")"
    "insert into bench_messages (message_id, " JOB_COLUMNS_SQL
    ", lane, turn, status, rank)"
    " select message_id, " JOB_COLUMNS_SQL ", 'normal', turn, 'queued', 30 from j";

static const struct db_statement bare = { "bench_bare", bare_sql };

static struct reactor *loop;
static struct db *claims, *results;
static long wanted, begun, done_count;
static bool is_bare;
static unsigned char sealed[SEALED_BYTES], to_hash[16];

struct batch {
    int64_t number;
    size_t count;
    struct sms_job jobs[BATCH];
    char sids[BATCH][40];
};

static void begin(void);

static void check(const struct db_answer *answer)
{
    if (answer->rc) {
        (void)fprintf(stderr, "refused: %s\n", answer->reason);
        exit(EXIT_FAILURE);
    }
}

static void finish(struct batch *b, const struct db_answer *answer)
{
    check(answer);
    done_count += (long)b->count;
    free(b);
    begin();
    if (done_count >= wanted)
        reactor_stop(loop);
}

static void on_settled(void *arg, const struct db_answer *answer)
{
    (void)arg;
    check(answer);
}

static void on_written(void *arg, const struct db_answer *answer)
{
    const struct batch *b = arg;

    if (!is_bare)
        store_claims_settled(results, (const int64_t[]){ 1 }, &b->number, 1, on_settled,
                             NULL);
    finish(arg, answer);
}

static void on_claimed(void *arg, const struct db_answer *answer)
{
    struct batch *b = arg;
    struct send_outcome outcomes[BATCH];

    if (answer->rc || db_rows(answer->rows) != b->count) {
        finish(b, answer);
        return;
    }
    for (size_t i = 0; i < b->count; i++) {
        char id[MESSAGE_ID_TEXT_BYTES];
        const struct sms_job *job = &b->jobs[i];
        message_id_format(id, job->message_id);
        (void)snprintf(b->sids[i], sizeof(b->sids[i]), "SM%.8s%.4s%.4s%.4s%.12s", id,
                       id + 9, id + 14, id + 19, id + 24);
        outcomes[i] = (struct send_outcome){
            .turn = 1,
            .status = "queued",
            .rank = 30,
            .outcome = "accepted",
            .http_status = 201,
            .sid = b->sids[i],
            .segments = 1,
            .answered_us = clock_wall_us(),
            .estimate_micros = job->estimate_micros,
            .currency = job->currency,
            .mode = job->mode,
        };
        memcpy(outcomes[i].message_id, job->message_id, 16);
    }
    store_result(results, outcomes, b->count, on_written, b);
}

static void insert_barely(struct batch *b, const void *const *rows)
{
    static const struct db_column key[] = {
        { DB_UUID, offsetof(struct sms_job, message_id), NEVER_NULL },
        { DB_INT4, offsetof(struct sms_job, turn), NEVER_NULL },
    };
    struct db_args *args = db_args_new();

    db_columns_add(args, key, COUNT_OF(key), rows, b->count);
    db_columns_add(args, job_columns, JOB_COLUMN_COUNT, rows, b->count);
    db_submit(results, &bare, args, on_written, b);
}

static void fill(struct sms_job *job)
{
    int64_t now_us = clock_wall_us();

    random_bytes(to_hash, sizeof(to_hash));
    *job = (struct sms_job){
        .turn = 1,
        .message_class = "transactional",
        .channel = "sms",
        .client = 1,
        .sealed = { sealed, sizeof(sealed) },
        .to_hash = { to_hash, sizeof(to_hash) },
        .country = "US",
        .to_hint = "US…567",
        .from = "+15005550006",
        .sender_type = "number",
        .segments = 1,
        .estimate_micros = 12800,
        .currency = "USD",
        .expires_at = now_us + DAY_US,
        .mode = "simulate",
        .accepted_at = now_us,
    };
    random_bytes(job->message_id, 16);
    for (int i = 0; i < 6; i++)
        job->message_id[i] = (unsigned char)(now_us / 1000 >> (40 - 8 * i));
}

static int by_id(const void *a, const void *b)
{
    const struct sms_job *x = a, *y = b;
    return memcmp(x->message_id, y->message_id, 16);
}

static void begin(void)
{
    struct sms_job *rows[BATCH];

    if (begun >= wanted)
        return;
    struct batch *b = xcalloc(1, sizeof(*b));
    b->number = begun;
    b->count = wanted - begun < BATCH ? (size_t)(wanted - begun) : BATCH;
    begun += (long)b->count;
    for (size_t i = 0; i < b->count; i++)
        fill(&b->jobs[i]);
    qsort(b->jobs, b->count, sizeof(b->jobs[0]), by_id);
    for (size_t i = 0; i < b->count; i++)
        rows[i] = &b->jobs[i];
    if (is_bare)
        insert_barely(b, (const void *const *)rows);
    else
        store_claim(claims, rows, b->count, 1, b->number, on_claimed, b);
}

int main(int argc, char *argv[])
{
    struct err err = { 0 };

    if (argc != 4) {
        (void)fputs("smsq-bench-rows URL ours|bare MESSAGES\n", stderr);
        return EXIT_FAILURE;
    }
    const struct db_settings set = { argv[1], 30000000 };
    is_bare = strcmp(argv[2], "bare") == 0;
    wanted = strtol(argv[3], NULL, 10);
    random_bytes(sealed, sizeof(sealed));
    stop_install();
    if (reactor_open(&loop, &err) || db_open(&claims, loop, &set, "bench", NULL, &err) ||
        db_open(&results, loop, &set, "bench", NULL, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    int64_t began_us = clock_boot_us();
    for (int i = 0; i < LIVE_BATCHES; i++)
        begin();
    reactor_run(loop);
    double seconds = (double)(clock_boot_us() - began_us) / 1e6;
    printf("{\"rows\": %ld, \"rate\": %.1f}\n", done_count, (double)done_count / seconds);
    db_close(claims);
    db_close(results);
    reactor_close(loop);
    return EXIT_SUCCESS;
}
