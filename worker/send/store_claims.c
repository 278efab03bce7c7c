#include "store_claims.h"

#include "db_columns.h"
#include "job_columns.h"
#include "status.h"
#include "store_adopt.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

// What the breakers kept back: it leaves no attempt.
#define HELD "('account_stopped', 'sender_stopped', 'emergency_only')"

// Both statements write rows in the order of their arguments, which is that of the ids:
// so sessions lock them in one order. A sort here would only copy every row once more.

// A redelivered record or a stale turn takes nothing: only a new row at turn 1, or one
// that waits at exactly this turn, is taken. A row at turn 0 was canceled or rescheduled
// before any worker saw it: it gets its payload and keeps its status; its useful time
// counts from the time it was rescheduled to. Every record of a message carries the same
// payload. An exists with "offset 0" is looked up row by row, never turned into a join.
static const char claim_sql[] =
    "with job as ("
    "  select j.*, case j.class when 'otp' then 'urgent' when 'emergency' then 'urgent'"
    "      when 'marketing' then 'bulk' else 'normal' end as lane,"
    "      case when j.expires_at <= now() + interval '5 s' then 'expired'"
    "      when j.send_at > now() then 'waiting' else 'claimed' end as status"
    "    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
    "      $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)"
    "      as j(message_id, turn, " JOB_COLUMNS_SQL ")"
    "   where j.turn = 1"
    "      or exists (select from messages x where x.message_id = j.message_id offset 0)"
    "), took as ("
    "  insert into messages as m (message_id, " JOB_COLUMNS_SQL ", lane, turn, status,"
    "      rank, reason, claimed_epoch, claimed_at)"
    "  select message_id, " JOB_COLUMNS_SQL ", lane,"
    "      turn + (status = 'waiting')::int, status,"
    "      case status when 'claimed' then 10 when 'waiting' then 0 else 25 end,"
    "      case status when 'expired' then 'too_late' end,"
    "      case status when 'claimed' then $26::bigint end, now()"
    "    from job"
    "  on conflict (message_id) do update set"
    "     turn = case when m.turn = 0 then 2 else excluded.turn end,"
    "     status = case when m.turn = 0 then m.status else excluded.status end,"
    "     rank = case when m.turn = 0 then m.rank else excluded.rank end,"
    "     reason = case when m.turn = 0 then m.reason else excluded.reason end,"
    "     claimed_epoch = case when m.turn > 0 then excluded.claimed_epoch end,"
    "     claimed_at = excluded.claimed_at,"
    "     send_at = case when m.turn = 0 then m.send_at"
    "      else coalesce(excluded.send_at, m.send_at) end,"
    "     (lane, class, channel, sealed, to_hash, country, to_hint, sender, sender_type,"
    "      segments, estimate_micros, currency, rate_note, template_ref, campaign_id,"
    "      campaign_row, reference, expires_at, mode, accepted_at, traceparent, on_doubt)"
    "     = row(excluded.lane, excluded.class, excluded.channel, excluded.sealed,"
    "    excluded.to_hash, excluded.country, excluded.to_hint, excluded.sender,"
    "    excluded.sender_type, excluded.segments, excluded.estimate_micros,"
    "    excluded.currency, excluded.rate_note, excluded.template_ref,"
    "    excluded.campaign_id, excluded.campaign_row, excluded.reference,"
    "    excluded.expires_at + case when m.turn = 0 then coalesce(m.send_at"
    "      - coalesce(excluded.send_at, excluded.accepted_at), '0') else '0' end,"
    "    excluded.mode, excluded.accepted_at, excluded.traceparent, excluded.on_doubt)"
    "   where (m.status = 'waiting' and m.turn > 0"
    "      and m.turn = excluded.turn - (excluded.status = 'waiting')::int)"
    "      or (m.turn = 0 and excluded.turn - (excluded.status = 'waiting')::int = 1)"
    "  returning m.message_id, m.turn, m.status, m.lane, m.send_at, m.reason, m.tries"
    "), batch as ("
    "  insert into claim_batches as b (epoch, number, message_ids)"
    "  select $26, $27::bigint, array_agg(message_id) from took"
    "   where status = 'claimed' having count(*) > 0"
    "  on conflict (epoch, number) do update"
    "     set message_ids = b.message_ids || excluded.message_ids"
    "), asleep as ("
    " insert into delayed (message_id, turn, due, lane, kind)"
    " select message_id, turn, send_at, lane, 'schedule' from took"
    "  where status = 'waiting' on conflict do nothing"
    "), why as ("
    " insert into decisions (message_id, turn, kind, due, reason, decided_by)"
    " select message_id, turn - 1, 'schedule', send_at, reason, 'smsq-worker' from took"
    "  where status = 'waiting' union all select message_id, turn, status, null, reason,"
    "   'smsq-worker' from took where status = 'expired'"
    ")"
    "select message_id, turn, status, tries from took"
    " union all "
    "select n.message_id, n.turn, 'no_row', 0 from unnest($1, $2) as n(message_id, turn)"
    " where n.turn > 1"
    "   and not exists (select from messages x where x.message_id = n.message_id"
    "      offset 0)";

static const char settled_sql[] =
    "delete from claim_batches b using unnest($1::bigint[], $2::bigint[]) as n(epoch,"
    "       number) where b.epoch = n.epoch and b.number = n.number";

static const char renew_sql[] =
    "update messages m set claimed_at = now()"
    "  from unnest($1::uuid[], $2::int[]) as n(message_id, turn)"
    " where m.message_id = n.message_id and m.turn = n.turn" TURN_KEY_ROWS_SQL
    "   and m.status = 'claimed' and m.claimed_epoch = $3::bigint"
    " returning m.message_id, m.turn";

// The three writes do not depend on each other: an outcome that comes after a callback,
// or after another turn, still leaves its SID, its times and its cost. The message takes
// it as news of its claim (another turn is to come, or a higher rank), as proof that an
// older turn is on its way, or, overtaken by a callback, only for the earlier time.
static const char result_sql[] =
    "with n as ("
    "  select * from unnest($1::uuid[], $2::int[], $3::text[], $4::smallint[], "
    "$5::text[],"
    "         $6::smallint[], $7::int[], $8::text[], $9::smallint[],"
    "         $10::smallint[], $11::timestamptz[], $12::timestamptz[],"
    "         $13::bigint[], $14::text[], $15::text[], $16::text[], $17::bigint[],"
    "         $18::timestamptz[], $19::timestamptz[], $20::text[], $21::text[])"
    "    as n(message_id, turn, status, rank, outcome, http_status, error_code, sid,"
    "         segments, failures, due, answered_at, estimate, currency, rate_note, mode,"
    "         epoch, claimed_at, posted_at, reason, decision)"
    "), kept as ("
    "  insert into attempts as a (message_id, turn, twilio_sid, outcome, http_status,"
    "         error_code, segments, status, rank, answered_at, epoch, claimed_at,"
    "         posted_at)"
    "  select message_id, turn, sid, outcome, http_status, error_code, segments,"
    "         case when status not in ('waiting', 'expired') then status end,"
    "         case when status <> 'expired' then rank else 0 end, answered_at, epoch,"
    "         claimed_at, posted_at"
    "    from n where outcome not in ('not_sent', 'not_listed') and outcome not in " HELD
    "  on conflict (message_id, turn) do update set"
    "     twilio_sid = coalesce(a.twilio_sid, excluded.twilio_sid),"
    "     outcome = coalesce(a.outcome, excluded.outcome),"
    "     http_status = coalesce(a.http_status, excluded.http_status),"
    "     segments = coalesce(a.segments, excluded.segments),"
    "     answered_at = coalesce(a.answered_at, excluded.answered_at),"
    "     epoch = coalesce(a.epoch, excluded.epoch),"
    "     claimed_at = coalesce(a.claimed_at, excluded.claimed_at),"
    "     posted_at = coalesce(a.posted_at, excluded.posted_at),"
    "     error_code = case when excluded.rank > a.rank then excluded.error_code"
    "         else a.error_code end,"
    "     status = case when excluded.rank > a.rank then excluded.status"
    "         else a.status end,"
    "     rank = greatest(a.rank, excluded.rank)"
    "  returning message_id, turn, rank"
    "), raised as ("
    "  update messages m set"
    "     turn = m.turn + (n.status = 'waiting')::int,"
    "     tries = m.tries + n.failures,"
    "     status = case when m.shown_turn = n.turn and m.rank >= n.rank then m.status"
    "         else n.status end,"
    "     rank = case when m.shown_turn = n.turn and m.rank >= n.rank then m.rank"
    "         else n.rank end,"
    "     error_code = case when m.shown_turn = n.turn and m.rank >= n.rank"
    "         then m.error_code else n.error_code end,"
    "     reason = case when m.shown_turn = n.turn and m.rank >= n.rank then m.reason"
    "         else coalesce(n.reason, nullif(n.outcome, 'accepted')) end,"
    "     claimed_epoch = case when n.status = 'in_doubt' then m.claimed_epoch end,"
    "     shown_turn = case when n.rank >= 30 then n.turn end,"
    "     twilio_sid = coalesce(n.sid, m.twilio_sid),"
    "     sent_at = case when n.sid is null then m.sent_at"
    "         else least(m.sent_at, n.answered_at) end"
    "    from n"
    "   where m.message_id = n.message_id" TURN_KEY_ROWS_SQL
    "     and ((n.status = 'waiting' and m.turn = n.turn"
    "           and m.status in ('claimed', 'in_doubt'))"
    "       or (n.status <> 'waiting' and m.turn = n.turn and n.rank > m.rank"
    "           and m.status <> 'waiting')"
    "       or (n.sid is not null and n.rank >= 30 and m.shown_turn = n.turn"
    "           and m.rank >= n.rank and n.answered_at < m.sent_at)"
    "       or (n.rank between 30 and 50 and n.turn < m.turn and m.status <> 'claimed'"
    "           and (m.rank < 30 or m.rank between 70 and 72)"
    "           and exists (select from kept k where k.message_id = n.message_id"
    "         and k.turn = n.turn and k.rank = n.rank)))"
    "  returning m.message_id, m.turn, m.status, m.lane, n.due, n.turn as posted_turn,"
    "            n.decision, coalesce(n.reason, n.outcome) as why, n.http_status,"
    "            n.error_code,"
    "            case when n.outcome in " HELD " then 'hold' else 'retry' end as kind"
    "), said as ("
    "  insert into decisions (message_id, turn, kind, reason, due, decided_by)"
    "  select message_id, posted_turn, decision,"
    "         concat_ws(', ', why, 'HTTP ' || http_status, 'code ' || error_code), due,"
    "         'smsq-worker'"
    "    from raised where decision is not null"
    "), later as ("
    "  insert into delayed (message_id, turn, due, lane, kind)"
    "  select message_id, turn, due, lane, kind from raised"
    "   where status = 'waiting' on conflict do nothing"
    "), cost as ("
    "  insert into cost_entries (message_id, twilio_sid, kind, seq, amount_micros,"
    "         total_micros, currency, rate_note, mode)"
    "  select message_id, sid, 'estimate', 0, estimate, estimate, currency, rate_note, "
    "mode"
    "    from n where sid is not null on conflict do nothing"
    ")"
    "select message_id, turn, status from raised";

static const char release_sql[] =
    "with freed as ("
    "  update messages m set turn = m.turn + 1, status = 'waiting', rank = 0,"
    "         claimed_epoch = null, reason = 'never_began'"
    "   where m.message_id = any (array(select message_id from messages_held"
    "                                    where claimed_epoch = $1::bigint))"
    "     and m.claimed_epoch = $1::bigint and m.status in ('claimed', 'in_doubt')"
    "     and m.claimed_at <= now() - $4::bigint * interval '1 microsecond'"
    "     and not exists (select from unnest($2::uuid[], $3::int[])"
    "                              as h(message_id, turn)"
    "                      where h.message_id = m.message_id and h.turn = m.turn)"
    "     and not exists (select from attempts a"
    "                      where a.message_id = m.message_id and a.turn = m.turn"
    "                     offset 0)"
    "  returning m.message_id, m.turn, m.lane"
    "), decided as ("
    "  insert into decisions (message_id, turn, kind, reason, due, decided_by)"
    "  select message_id, turn - 1, 'release', 'never_began', now(), 'smsq-worker'"
    "    from freed)"
    "insert into delayed (message_id, turn, due, lane, kind)"
    " select message_id, turn, now(), lane, 'released' from freed"
    " on conflict do nothing returning message_id, turn";

static const struct db_statement claim = { "claim", claim_sql };
static const struct db_statement settled = { "claims_settled", settled_sql };
static const struct db_statement renew = { "renew", renew_sql };
static const struct db_statement result = { "result", result_sql };
static const struct db_statement release_claims = { "release", release_sql };

// What waits at a later turn while an older one is on its way is not claimed, and does
// not expire.
static void submit_claim(struct db *db, struct sms_job *const *jobs, size_t count,
                         struct db_args *args, db_done *done, void *arg)
{
    static const struct db_statement *const both[] = { &store_adopt_statement, &claim };
    unsigned char(*ids)[16] = xcalloc(count ? count : 1, sizeof(*ids));
    size_t later = 0;

    for (size_t i = 0; i < count; i++)
        if (jobs[i]->turn > 1)
            memcpy(ids[later++], jobs[i]->message_id, sizeof(*ids));
    if (later == 0) {
        db_submit(db, &claim, args, done, arg);
    } else {
        struct db_args *all[] = {
            store_adopt_args((const unsigned char(*)[16])ids, later), args
        };
        db_submit_group(db, both, all, COUNT_OF(both), done, arg);
    }
    free(ids);
}

void store_claim(struct db *db, struct sms_job *const *jobs, size_t count, int64_t epoch,
                 int64_t number, db_done *done, void *arg)
{
    static const struct db_column key_columns[] = {
        { DB_UUID, offsetof(struct sms_job, message_id), NEVER_NULL },
        { DB_INT4, offsetof(struct sms_job, turn), NEVER_NULL },
    };
    const void *const *rows = (const void *const *)jobs;
    struct db_args *args = db_args_new();

    db_columns_add(args, key_columns, COUNT_OF(key_columns), rows, count);
    db_columns_add(args, job_columns, JOB_COLUMN_COUNT, rows, count);
    db_args_int8(args, epoch);
    db_args_int8(args, number);
    submit_claim(db, jobs, count, args, done, arg);
}

void store_claims_settled(struct db *db, const int64_t *epochs, const int64_t *numbers,
                          size_t count, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8s(args, epochs, count);
    db_args_int8s(args, numbers, count);
    db_submit(db, &settled, args, done, arg);
}

void store_renew(struct db *db, const struct turn_key *keys, size_t count, int64_t epoch,
                 db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    turn_key_add_args(args, keys, count);
    db_args_int8(args, epoch);
    db_submit(db, &renew, args, done, arg);
}

#define AT(field) offsetof(struct send_outcome, field)

static const struct db_column outcome_columns[] = {
    { DB_UUID, AT(message_id), NEVER_NULL },
    { DB_INT4, AT(turn), NEVER_NULL },
    { DB_TEXT, AT(status), NEVER_NULL },
    { DB_INT2, AT(rank), NEVER_NULL },
    { DB_TEXT, AT(outcome), NEVER_NULL },
    { DB_INT2, AT(http_status), 0 },
    { DB_INT4, AT(error_code), 0 },
    { DB_TEXT, AT(sid), NEVER_NULL },
    { DB_INT2, AT(segments), 0 },
    { DB_INT2, AT(failures), NEVER_NULL },
    { DB_TIME, AT(due_us), 0 },
    { DB_TIME, AT(answered_us), 0 },
    { DB_INT8, AT(estimate_micros), NEVER_NULL },
    { DB_TEXT, AT(currency), NEVER_NULL },
    { DB_TEXT, AT(rate_note), NEVER_NULL },
    { DB_TEXT, AT(mode), NEVER_NULL },
    { DB_INT8, AT(epoch), NEVER_NULL },
    { DB_TIME, AT(claimed_us), 0 },
    { DB_TIME, AT(posted_us), 0 },
    { DB_TEXT, AT(reason), NEVER_NULL },
    { DB_TEXT, AT(decision), NEVER_NULL },
};

// A later turn that waits again or ended badly may leave an older one on its way.
static void submit_result(struct db *db, const struct send_outcome *rows, size_t count,
                          struct db_args *args, db_done *done, void *arg)
{
    static const struct db_statement *const both[] = { &result, &store_adopt_statement };
    unsigned char(*ids)[16] = xcalloc(count ? count : 1, sizeof(*ids));
    size_t later = 0;

    for (size_t i = 0; i < count; i++)
        if (rows[i].turn > 1 && !rows[i].sid && rows[i].rank != RANK_IN_DOUBT)
            memcpy(ids[later++], rows[i].message_id, sizeof(*ids));
    if (later == 0) {
        db_submit(db, &result, args, done, arg);
    } else {
        struct db_args *all[] = { args, store_adopt_args((const unsigned char(*)[16])ids,
                                                         later) };
        db_submit_group(db, both, all, COUNT_OF(both), done, arg);
    }
    free(ids);
}

void store_result(struct db *db, const struct send_outcome *rows, size_t count,
                  db_done *done, void *arg)
{
    const void **pointers = xcalloc(count ? count : 1, sizeof(*pointers));
    struct db_args *args = db_args_new();

    for (size_t i = 0; i < count; i++)
        pointers[i] = &rows[i];
    db_columns_add(args, outcome_columns, COUNT_OF(outcome_columns), pointers, count);
    free(pointers);
    submit_result(db, rows, count, args, done, arg);
}

void store_release(struct db *db, int64_t epoch, const struct turn_key *held,
                   size_t count, int64_t older_us, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8(args, epoch);
    turn_key_add_args(args, held, count);
    db_args_int8(args, older_us);
    db_submit(db, &release_claims, args, done, arg);
}
