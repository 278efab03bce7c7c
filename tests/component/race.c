#include "race.h"

#include "retry_policy.h"
#include "sms_job_make.h"
#include "status.h"
#include "store_changes.h"
#include "store_claims.h"
#include "store_delayed.h"
#include "store_receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 256, S_US = 1000000, SID_BYTES = 35 };

const struct retry_settings race_retry = { 60, 3600, { 3, 10, 8, 5 } };

// The answer to one step.
struct told {
    const struct race *race;
    enum verb verb;
    bool came;
    enum outcome rc;
    char rows[TEXT_BYTES];
};

static void make_sid(char out[SID_BYTES], const struct race *r, const char *letter)
{
    (void)snprintf(out, SID_BYTES, "SM%031d%s", (int)r->number, letter);
}

static void tell_row(struct told *t, const struct db_result *rows, size_t row)
{
    size_t len = strlen(t->rows);
    const char *word =
        t->verb == DO_RENEW || t->verb == DO_RELEASE ? "" : db_text(rows, row, 2);

    if (t->verb == DO_JOIN)
        word += SID_BYTES - 2;
    (void)snprintf(t->rows + len, sizeof(t->rows) - len, "%s%d%s%s", len ? ", " : "",
                   (int)db_int(rows, row, 1), word[0] ? " " : "", word);
}

static void on_answer(void *arg, const struct db_answer *answer)
{
    struct told *t = arg;

    t->came = true;
    t->rc = answer->rc;
    for (size_t i = 0; t->verb != DO_MOVED && i < db_rows(answer->rows); i++)
        if (memcmp(db_uuid(answer->rows, i, 0), t->race->message_id, 16) == 0)
            tell_row(t, answer->rows, i);
}

static bool came(void *arg)
{
    return ((struct told *)arg)->came;
}

void race_begin(struct race *r, struct db_fixture *fixture)
{
    static int32_t number;

    r->fixture = fixture;
    r->number = ++number;
    r->born_us = clock_wall_us();
    r->offset = 0;
    sms_job_make_id(r->message_id, r->born_us / 1000, (uint32_t)r->number);
}

static int64_t epoch_of(const struct race *r, const struct step *s)
{
    return (int64_t)r->number * 100 + (s->epoch ? s->epoch : 1);
}

static void submit_claim(struct race *r, const struct step *s, struct told *t)
{
    struct sms_job job;
    struct sms_job *jobs[] = { &job };

    sms_job_make(&job, r->message_id, r->born_us);
    job.turn = s->turn;
    if (s->word && strcmp(s->word, "expired") == 0)
        job.expires_at = clock_wall_us() + 4 * S_US;
    if (s->word && strcmp(s->word, "later") == 0)
        job.send_at = clock_wall_us() + 3600 * (int64_t)S_US;
    store_claim(r->fixture->db, jobs, 1, epoch_of(r, s), 1, on_answer, t);
}

static const struct send_outcome results[] = {
    { .outcome = "accepted", .status = "queued", .rank = 30, .http_status = 201 },
    { .outcome = "rejected",
      .status = "failed",
      .rank = 70,
      .http_status = 400,
      .error_code = 21211,
      .failures = 1 },
    { .outcome = "in_doubt", .status = "in_doubt", .rank = 20, .failures = 1 },
    { .outcome = "not_sent", .status = "waiting" },
    { .outcome = "sender_stopped", .status = "waiting" },
    { .outcome = "not_processed",
      .status = "waiting",
      .http_status = 429,
      .error_code = 20429,
      .failures = 1 },
    { .outcome = "misconfigured", .status = "waiting", .http_status = 404 },
};

static void submit_result(struct race *r, const struct step *s, struct told *t)
{
    struct send_outcome row = { 0 };
    char sid[SID_BYTES];

    for (size_t i = 0; i < COUNT_OF(results); i++)
        if (strcmp(results[i].outcome, s->word) == 0)
            row = results[i];
    assert_non_null(row.outcome);
    memcpy(row.message_id, r->message_id, sizeof(row.message_id));
    row.turn = s->turn;
    if (s->sid) {
        make_sid(sid, r, s->sid);
        row.sid = sid;
        row.segments = 2;
    }
    row.due_us = strcmp(row.status, "waiting") == 0 ? r->born_us + 60 * (int64_t)S_US : 0;
    row.answered_us = r->born_us + s->turn * (int64_t)S_US;
    row.estimate_micros = SMS_JOB_ESTIMATE;
    row.currency = "USD";
    row.mode = "simulate";
    store_result(r->fixture->db, &row, 1, on_answer, t);
}

static void submit_callback(struct race *r, const struct step *s, struct told *t)
{
    char sid[SID_BYTES];
    int rank = status_rank(s->word);
    struct receipt receipt = {
        .recorded_at_us = r->born_us,
        .partition = r->number,
        .offset = s->verb == DO_REDELIVERED ? r->offset : ++r->offset,
        .turn = s->turn,
        .twilio_sid = sid,
        .word = s->word,
        .status = status_of_provider(s->word),
        .rank = rank,
        .error_code = s->code,
        .raw = { (const unsigned char *)"raw", 3 },
        .simulated = true,
        .received_at_us = r->born_us + (s->turn * 1000 + rank) * (int64_t)S_US,
    };
    const struct receipt *best[] = { &receipt };
    bool is_known = s->verb != DO_STRAY;

    make_sid(sid, r, s->sid);
    if (is_known)
        memcpy(receipt.message_id, r->message_id, sizeof(receipt.message_id));
    const struct receipt_batch batch = { &receipt, 1, best, is_known && rank >= 0, true };
    store_receipts(r->fixture->db, &batch, &race_retry, on_answer, t);
}

static void submit(struct race *r, const struct step *s, struct told *t)
{
    struct db *db = r->fixture->db;
    struct turn_key key = { .turn = s->turn };

    memcpy(key.message_id, r->message_id, sizeof(key.message_id));
    switch (s->verb) {
    case DO_CLAIM:
        submit_claim(r, s, t);
        break;
    case DO_RENEW:
        store_renew(db, &key, 1, epoch_of(r, s), on_answer, t);
        break;
    case DO_RESULT:
        submit_result(r, s, t);
        break;
    case DO_CALLBACK:
    case DO_REDELIVERED:
    case DO_STRAY:
        submit_callback(r, s, t);
        break;
    case DO_JOIN:
        store_receipts_join(db, 100, &race_retry, true, on_answer, t);
        break;
    case DO_RELEASE:
        store_release(db, epoch_of(r, s), &key, s->turn > 0, 0, on_answer, t);
        break;
    case DO_MOVED:
        store_moved(db, &key, 1, on_answer, t);
        break;
    case DO_CANCEL:
        store_cancel(db, r->message_id, SMS_JOB_CLIENT, on_answer, t);
        break;
    case DO_RESCHEDULE:
        store_reschedule(db, r->message_id, SMS_JOB_CLIENT,
                         r->born_us + s->code * INT64_C(3600) * S_US, on_answer, t);
        break;
    case DO_SQL:
    case DO_END:
        break;
    }
}

// Puts the id for each $id of the statement.
static char *with_id(const struct race *r, const char *sql)
{
    char hex[33], *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);

    hex_encode(hex, r->message_id, sizeof(r->message_id));
    for (const char *at; (at = strstr(sql, "$id")); sql = at + 3)
        (void)fprintf(f, "%.*s'%s'::uuid", (int)(at - sql), sql, hex);
    (void)fputs(sql, f);
    (void)fclose(f);
    return out;
}

static char *ask(const struct race *r, const char *sql)
{
    char *statement = with_id(r, sql);
    char *answer = pg_text(r->fixture->pg, statement);

    free(statement);
    return answer;
}

static void run_sql(const struct race *r, const char *sql)
{
    char *statement = with_id(r, sql);

    pg_exec(r->fixture->pg, statement);
    free(statement);
}

void race_step(struct race *r, const struct step *s)
{
    struct told told = { .race = r, .verb = s->verb };

    if (s->verb == DO_SQL) {
        run_sql(r, s->word);
        return;
    }
    submit(r, s, &told);
    loop_until(r->fixture->reactor, came, &told);
    assert_int_equal(told.rc, OUTCOME_OK);
    if (s->want)
        assert_string_equal(told.rows, s->want);
}

static void check(const struct race *r, const char *want, const char *sql)
{
    char *is = ask(r, sql);

    assert_string_equal(is, want ? want : "");
    free(is);
}

static const char message_sql[] =
    "select coalesce((select format('%s turn %s tries %s shown %s error %s sid %s',"
    "    status, turn, tries, coalesce(shown_turn::text, '-'),"
    "    coalesce(error_code::text, '-'), coalesce(right(twilio_sid, 1), '-'))"
    "  from messages where message_id = $id), '')";
static const char attempts_sql[] =
    "select coalesce(string_agg(format('%s %s %s %s', turn, coalesce(status, '-'),"
    "    coalesce(right(twilio_sid, 1), '-'), coalesce(outcome, '-')), ', ' order by "
    "turn),"
    "    '') from attempts where message_id = $id";
static const char ledger_sql[] =
    "select coalesce(string_agg(format('%s %s', right(twilio_sid, 1), amount_micros), ', "
    "'"
    "    order by twilio_sid), '') from cost_entries where message_id = $id";
static const char delayed_sql[] =
    "select coalesce(string_agg(format('%s %s', turn, kind), ', ' order by turn), '')"
    "  from delayed where message_id = $id";
static const char receipts_sql[] =
    "select format('%s %s',"
    "    (select count(*) from receipts where part = $n),"
    "    (select count(*) from receipts_unmatched where part = $n))";

// What is wrong with any row of the message, in words; "" = nothing.
static const char always_sql[] =
    "select concat("
    "  (select 'rank ' || rank || ' of ' || status from messages where message_id = $id"
    "      and rank <> case status when 'waiting' then 0 when 'claimed' then 10"
    "        when 'in_doubt' then 20 when 'queued' then 30 when 'sending' then 40"
    "        when 'sent' then 50 when 'failed' then 70 when 'undelivered' then 72"
    "        when 'delivered' then 75 when 'read' then 80 else"
    "        case when shown_turn is null then 25 else 71 end end),"
    "  (select 'epoch' from messages where message_id = $id"
    "      and (claimed_epoch is not null) <> (status in ('claimed', 'in_doubt'))),"
    "  (select 'batch' from messages where message_id = $id and claimed_epoch is not null"
    "      and message_id not in (select message_id from messages_held)),"
    "  (select 'ledger ' || string_agg(twilio_sid, ' ') from"
    "    (select twilio_sid from attempts where message_id = $id and twilio_sid is not "
    "null"
    "      except all select twilio_sid from cost_entries where message_id = $id"
    "        and kind = 'estimate') x),"
    "  (select 'reason ' || coalesce(reason, '-') from messages where message_id = $id"
    "      and ((status in ('queued', 'sending', 'sent', 'delivered', 'read', "
    "'undelivered')"
    "            and reason is not null)"
    "        or (status in ('in_doubt', 'expired') and reason is null))),"
    "  (select 'wait' from messages m where message_id = $id and status = 'waiting'"
    "      and turn > 0 and not exists (select from delayed d where d.message_id = $id"
    "        and d.turn = m.turn)))";

void race_check_end(struct race *r, const struct race_end *end)
{
    char sql[sizeof(receipts_sql) + 32];
    const char *first = strstr(receipts_sql, "$n"), *second = strstr(first + 2, "$n");

    check(r, "", always_sql);
    check(r, end->message, message_sql);
    check(r, end->attempts, attempts_sql);
    check(r, end->ledger, ledger_sql);
    check(r, end->delayed, delayed_sql);

    (void)snprintf(sql, sizeof(sql), "%.*s%d%.*s%d%s", (int)(first - receipts_sql),
                   receipts_sql, (int)r->number, (int)(second - first - 2), first + 2,
                   (int)r->number, second + 2);
    check(r, end->receipts ? end->receipts : "0 0", sql);
}

static const char rows_sql[] =
    "with born as (select accepted_at as at from messages where message_id = $id)"
    " select concat("
    "  (select row(status, rank, turn, tries, shown_turn, error_code, reason, segments,"
    "              right(twilio_sid, 1), estimate_micros, currency,"
    "              sent_at - at, delivered_at - at)"
    "     from messages, born where message_id = $id), e'\\n',"
    "  (select string_agg(row(turn, status, rank, right(twilio_sid, 1), outcome,"
    "              http_status, error_code, segments, answered_at - at)::text, e'\\n'"
    "              order by turn)"
    "     from attempts, born where message_id = $id), e'\\n',"
    "  (select string_agg(row(right(twilio_sid, 1), kind, seq, amount_micros,"
    "              total_micros, currency, rate_note, mode)::text, e'\\n'"
    "              order by twilio_sid, kind, seq)"
    "     from cost_entries where message_id = $id))";

char *race_rows(struct race *r)
{
    return ask(r, rows_sql);
}

// Of the group: cmocka gives each case its own state.
static struct pg *server;

static int start_server(void **state)
{
    (void)state;
    server = pg_start(PG_MIGRATED);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    pg_stop(server);
    return 0;
}

static void run_case(void **state)
{
    const struct race_case *c = *state;
    struct db_fixture fixture;
    struct race race;

    db_fixture_open(&fixture, server);
    race_begin(&race, &fixture);
    for (const struct step *s = c->steps; s < c->steps + RACE_MAX_STEPS && s->verb; s++)
        race_step(&race, s);
    race_check_end(&race, &c->end);
    db_fixture_close(&fixture);
}

int race_run_cases(const struct race_case *cases, size_t count)
{
    struct CMUnitTest *tests = xcalloc(count, sizeof(*tests));

    for (size_t i = 0; i < count; i++) {
        tests[i].name = cases[i].what;
        tests[i].test_func = run_case;
        tests[i].initial_state = (void *)&cases[i];
    }
    int failed =
        _cmocka_run_group_tests("cases", tests, count, start_server, stop_server);
    free(tests);
    return failed;
}
