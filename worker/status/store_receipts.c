#include "store_receipts.h"

#include "db_columns.h"
#include "retry_policy.h"
#include "status.h"
#include "store_adopt.h"
#include "turn_key.h"

#include <stdlib.h>
#include <string.h>

// First in the transaction: a message that appears between the two statements is then
// raised at once and once more by the join, never by none. Rank 30 is accepted, scheduled
// and queued, which are "queued" to us; all other words are ours too.
static const char receipts_sql[] =
    "with fresh as ("
    "  insert into receipts (recorded_at, part, off, message_id, turn, twilio_sid, word,"
    "                        rank, error_code, received_at, raw, simulated)"
    "  select recorded_at, part, off, message_id, turn, twilio_sid, word, rank,"
    "         error_code, received_at, raw, simulated"
    "    from unnest($1::timestamptz[], $2::int[], $3::bigint[], $4::uuid[], $5::int[],"
    "                $6::text[], $7::text[], $8::smallint[], $9::int[],"
    "                $10::timestamptz[], $11::bytea[], $12::bool[])"
    "      as n(recorded_at, part, off, message_id, turn, twilio_sid, word, rank,"
    "           error_code, received_at, raw, simulated)"
    "  on conflict do nothing"
    "  returning recorded_at, part, off, message_id, turn, twilio_sid, word, rank,"
    "            error_code, received_at, simulated"
    ")"
    "insert into receipts_unmatched (recorded_at, part, off, message_id, turn, "
    "twilio_sid,"
    "                                status, rank, error_code, received_at, simulated)"
    " select recorded_at, part, off, message_id, turn, twilio_sid,"
    "        case when rank = 30 then 'queued' else word end, rank, error_code,"
    "        received_at, simulated"
    "   from fresh f"
    "  where rank is not null"
    "    and (f.message_id is null or f.turn is null"
    "         or not exists (select from messages m where m.message_id = f.message_id"
    "                        offset 0))"
    " on conflict do nothing";

// What a failure of the provider's comes to, beside message m of row n: the code's row e,
// and next, as store_receipts.h says. Only a failure
// of the turn that stands counts, and none while another turn is on its way. policy names
// the arguments: tries of each class, and the limits of the wait in seconds; the wait is
// retry_decide's (retry_policy.h).
#define CLASSES "array['otp','emergency','transactional','marketing']"
#define NEXT_SQL(tries, delay, delay_max)                                                \
    " left join lateral ("                                                               \
    "  select e.*, case"                                                                 \
    "      when e.opt_out then 'opt_out'"                                                \
    "      when e.action in ('stop_sender', 'stop_account') then e.action"               \
    "      when e.action not in ('retry', 'slow_down') then 'final'"                     \
    "      when m.tries + 1 >= least(e.tries_max, " tries                                \
    "           [coalesce(array_position(" CLASSES                                       \
    ", m.class), 3)]) then 'tries_used_up'"                                              \
    "      when e.due > m.expires_at - interval '6 s' then 'too_late'"                   \
    "      when exists (select from attempts a where a.message_id = n.message_id"        \
    "                      and a.turn <> n.turn and a.rank between 30 and 50 offset 0)"  \
    "           then 'final' else 'again' end as next"                                   \
    "    from (select x.*, now() + interval '1 s' * (coalesce(x.least_wait_s, 0)"        \
    "               + random() * least(greatest(" delay_max ", x.least_wait_s),"         \
    "                   coalesce(nullif(x.least_wait_s, 0), " delay ") * 2 ^ m.tries))"  \
    "                 as due"                                                            \
    "            from error_codes x where x.code = n.error_code offset 0) e"             \
    "   where n.rank in (70, 72) and n.turn = m.turn and m.rank < 70 offset 0) e on "    \
    "true"

// What NEXT_SQL adds to n.
#define NEXT_COLUMNS                                                                     \
    " m.estimate_micros, m.currency, m.rate_note, m.mode, e.next, e.meaning, e.advice,"  \
    " case when e.next = 'again' then e.due end as due,"                                 \
    " n.rank in (70, 72) and n.turn = m.turn and m.rank < 70 as is_failure,"             \
    " m.status as was, m.rank as was_rank, m.turn as was_turn,"                          \
    " m.twilio_sid is distinct from n.sid as is_new"

// Raises attempts and messages by the rows of n, each (message_id, turn) once, that
// carry the message's estimate and what comes next. Within a turn a rank only rises;
// delivered and read of any turn win; proof that another turn is on its way takes a row
// that is not claimed and stands below queued or at a failure. A failure worth another
// try waits at the next turn, so that nothing can raise it again. One that is about its
// sender or the account turns that off, not open: a probe would be accepted, and fail as
// late. What was posted before a person closed it proves nothing. The ledger gets its
// entry if the worker has not written it: whoever sets a message's SID writes that too.
// What comes after we gave up, or stops a turn that waits, leaves a decision; so does the
// first news of an older turn that was taken while a later one is, or may be, out too.
#define RAISE_SQL(bounds, simulates)                                                     \
    "kept as ("                                                                          \
    "  insert into attempts as a (message_id, turn, twilio_sid, status, rank,"           \
    "                             error_code)"                                           \
    "  select message_id, turn, sid, status, rank, error_code"                           \
    "    from n order by message_id, turn"                                               \
    "  on conflict (message_id, turn) do update set"                                     \
    "     twilio_sid = coalesce(a.twilio_sid, excluded.twilio_sid),"                     \
    "     status = case when excluded.rank > a.rank then excluded.status"                \
    "                   else a.status end,"                                              \
    "     error_code = case when excluded.rank > a.rank then excluded.error_code"        \
    "                       else a.error_code end,"                                      \
    "     rank = greatest(a.rank, excluded.rank)"                                        \
    "   where excluded.rank > a.rank or a.twilio_sid is null"                            \
    "  returning message_id, turn, rank, posted_at"                                      \
    "), raised as ("                                                                     \
    "  update messages m set"                                                            \
    "         status = case when n.due is null then n.status else 'waiting' end,"        \
    "         rank = case when n.due is null then n.rank else 0 end,"                    \
    "         shown_turn = case when n.due is null then n.turn end,"                     \
    "         turn = m.turn + (n.due is not null)::int,"                                 \
    "         tries = m.tries + coalesce(n.is_failure, false)::int,"                     \
    "         claimed_epoch = null, twilio_sid = n.sid, error_code = n.error_code,"      \
    "         reason = case when n.due is not null then 'provider_failed'"               \
    "                       when n.next in ('tries_used_up', 'too_late') then n.next"    \
    "                  end,"                                                             \
    "         sent_at = least(m.sent_at, n.at),"                                         \
    "         delivered_at = case when n.rank >= 75 then least(m.delivered_at, n.at)"    \
    "                             else m.delivered_at end"                               \
    "    from n"                                                                         \
    "   where m.message_id = n.message_id" bounds                                        \
    "     and ((n.rank > m.rank and n.turn = coalesce(m.shown_turn, m.turn)"             \
    "           and (n.due is null or n.turn = m.turn))"                                 \
    "       or (n.rank > m.rank and n.rank >= 75)"                                       \
    "       or (n.rank between 30 and 50 and n.turn <> coalesce(m.shown_turn, m.turn)"   \
    "           and m.status <> 'claimed'"                                               \
    "           and (m.rank < 30 or m.rank between 70 and 72)"                           \
    "           and exists (select from kept k where k.message_id = n.message_id"        \
    "                          and k.turn = n.turn and k.rank = n.rank)))"               \
    "  returning m.message_id, n.turn, m.status, m.class, m.tries, n.error_code,"        \
    "            n.meaning, n.advice, n.next, n.due, m.lane, n.is_failure, n.at,"        \
    "            m.sender, m.mode, n.was, n.was_rank, n.was_turn"                        \
    "), stops as ("                                                                      \
    "  select distinct on (name) *"                                                      \
    "    from (select r.*, coalesce(k.posted_at, r.at) as began, case r.next"            \
    "                 when 'stop_sender' then 'sender/' || r.sender"                     \
    "                 else 'account/' || case r.mode when 'simulate' then 'simulator'"   \
    "                                    else 'twilio' end end as name"                  \
    "            from raised r left join kept k using (message_id, turn)"                \
    "           where r.next in ('stop_sender', 'stop_account')"                         \
    "             and (" simulates " or r.next = 'stop_account'"                         \
    "                  or r.mode is distinct from 'simulate')) r"                        \
    "   order by name, began desc"                                                       \
    "), stopped as ("                                                                    \
    "  insert into switches as s (name, scope, state, code, reason, changed_by)"         \
    "  select name, split_part(name, '/', 1), 'off', error_code,"                        \
    "         format('Twilio reported later, with code %s: %s', error_code, meaning),"   \
    "         'smsq-status-consumer'"                                                    \
    "    from stops where not exists (select from switches c where c.name = stops.name"  \
    "                           and c.state = 'closed' and c.since >= stops.began)"      \
    "  on conflict (name) do update set state = 'off', since = now(), probe_at = null,"  \
    "         prober = null, code = excluded.code, http_status = null,"                  \
    "         reason = excluded.reason, changed_by = excluded.changed_by"                \
    "   where s.state <> 'off'"                                                          \
    "), later as ("                                                                      \
    "  insert into delayed (message_id, turn, due, lane, kind)"                          \
    "  select message_id, turn + 1, due, lane, 'retry' from raised"                      \
    "   where due is not null on conflict do nothing"                                    \
    "), said as ("                                                                       \
    "  insert into decisions (message_id, turn, kind, reason, due, decided_by)"          \
    "  select message_id, turn,"                                                         \
    "         case next when 'again' then 'retry' when 'opt_out' then 'opt_out'"         \
    "                   else 'failed' end,"                                              \
    "         concat_ws(', ', case when next = 'again' then 'provider_failed'"           \
    "                              when next <> 'opt_out' then next end,"                \
    "                   'code ' || error_code),"                                         \
    "         due, 'smsq-status-consumer'"                                               \
    "    from raised where next <> 'final'"                                              \
    "  union all "                                                                       \
    "  select message_id, turn, 'late_truth',"                                           \
    "         case when was = 'waiting' then 'an older turn was taken: the waiting"      \
    " one does not go out'"                                                              \
    "              else 'told after it was given up as ' || was end,"                    \
    "         null, 'smsq-status-consumer'"                                              \
    "    from raised where was_rank in (25, 60) or (was = 'waiting' and was_turn > "     \
    "turn)"                                                                              \
    "  union all "                                                                       \
    "  select n.message_id, n.turn, 'late_truth',"                                       \
    "         'an older turn was taken too, it may come twice',"                         \
    "         null, 'smsq-status-consumer'"                                              \
    "    from n where n.was_turn > n.turn and n.rank >= 30 and n.rank not in (70, 71)"   \
    "     and exists (select from kept k where k.message_id = n.message_id"              \
    "                    and k.turn = n.turn)"                                           \
    "     and not exists (select from attempts a where a.message_id = n.message_id"      \
    "                        and a.turn = n.turn and a.rank >= 30 offset 0)"             \
    "     and (n.was = 'claimed' or exists (select from attempts a"                      \
    "             where a.message_id = n.message_id and a.turn > n.turn"                 \
    "               and a.rank >= 20 and a.rank not in (70, 71) offset 0))"              \
    "), cost as ("                                                                       \
    "  insert into cost_entries (message_id, twilio_sid, kind, seq, amount_micros,"      \
    "                            total_micros, currency, rate_note, mode)"               \
    "  select message_id, sid, 'estimate', 0, estimate_micros, estimate_micros,"         \
    "         currency, rate_note, mode"                                                 \
    "    from n where is_new and estimate_micros is not null order by message_id, sid"   \
    "  on conflict do nothing"                                                           \
    ")"

// The simulator's word counts for simulated messages, Twilio's for the others.
#define IS_VOUCHED(message, receipt)                                                     \
    "(" message ".mode is not distinct from 'simulate') = " receipt ".simulated"

#define ROWS_OF_N " and m.message_id = any (array(select n.message_id from n))"

#define RAISE_BATCH_SQL RAISE_SQL(TURN_KEY_ROWS_SQL, "$12::bool")
#define RAISE_N_SQL     RAISE_SQL(ROWS_OF_N, "$5::bool")

// clang-format off
static const char callback_sql[] =
    "with n as ("
    "  select n.*, " NEXT_COLUMNS
    "    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::smallint[],"
    "                $6::int[], $7::timestamptz[], $8::bool[])"
    "      as n(message_id, turn, sid, status, rank, error_code, at, simulated)"
    "    join messages m on m.message_id = n.message_id" TURN_KEY_ROWS_SQL
    NEXT_SQL("($9::smallint[])", "$10::float8", "$11::float8")
    "   where " IS_VOUCHED("m", "n")
    "), " RAISE_BATCH_SQL
    "select message_id, turn, status, class, tries, error_code, meaning, advice, next,"
    "       is_failure from raised";

static const char join_sql[] =
    "with taken as ("
    "  select u.recorded_at, u.part, u.off, m.message_id,"
    "         coalesce(a.turn, u.turn) as turn, u.twilio_sid as sid, u.status, u.rank,"
    "         u.error_code, u.received_at as at,"
    "         " IS_VOUCHED("m", "u") " as vouched"
    "    from receipts_unmatched u"
    "    left join lateral (select a.message_id, a.turn from attempts a"
    "                        where (u.message_id is null or u.turn is null)"
    "                          and a.twilio_sid = u.twilio_sid"
    "                          and exists (select from messages x"
    "                                       where x.message_id = a.message_id"
    "                                         and " IS_VOUCHED("x", "u") " offset 0)"
    "                        limit 1) a on true"
    "   cross join lateral (select m.* from messages m where m.message_id ="
    "                         case when u.turn is null then a.message_id"
    "                              else coalesce(u.message_id, a.message_id) end"
    "                        offset 0) m"
    "   order by u.recorded_at, u.part, u.off limit $1::int for update of u skip locked"
    "), best as ("
    "  select distinct on (message_id, turn) * from taken where vouched"
    "   order by message_id, turn, rank desc, at"
    "), n as ("
    "  select n.*, " NEXT_COLUMNS
    "    from best n cross join lateral (select m.* from messages m"
    "                        where m.message_id = n.message_id offset 0) m"
    NEXT_SQL("($2::smallint[])", "$3::float8", "$4::float8")
    "), " RAISE_N_SQL ", gone as ("
    "  delete from receipts_unmatched u using taken t"
    "   where u.recorded_at = t.recorded_at and u.part = t.part and u.off = t.off"
    "), late as ("
    "  select set_config('smsq.adopt', coalesce(string_agg(distinct message_id::text, ','),"
    "                    ''), true) from n where turn > 1 and rank between 70 and 72"
    ")"
    "select message_id, turn, sid from taken cross join late where vouched";
// clang-format on

static const struct db_statement receipts = { "receipts", receipts_sql };
static const struct db_statement callback = { "callback", callback_sql };
static const struct db_statement join_unmatched = { "receipts_join", join_sql };

#define AT(field) offsetof(struct receipt, field)

static const struct db_column receipt_columns[] = {
    { DB_TIME, AT(recorded_at_us), NEVER_NULL },
    { DB_INT4, AT(partition), NEVER_NULL },
    { DB_INT8, AT(offset), NEVER_NULL },
    { DB_UUID, AT(message_id), NEVER_NULL },
    { DB_INT4, AT(turn), 0 },
    { DB_TEXT, AT(twilio_sid), NEVER_NULL },
    { DB_TEXT, AT(word), NEVER_NULL },
    { DB_INT2, AT(rank), -1 },
    { DB_INT4, AT(error_code), 0 },
    { DB_TIME, AT(received_at_us), NEVER_NULL },
    { DB_BYTEA, AT(raw), NEVER_NULL },
    { DB_BOOL, AT(simulated), NEVER_NULL },
};

static const struct db_column callback_columns[] = {
    { DB_UUID, AT(message_id), NEVER_NULL },     { DB_INT4, AT(turn), NEVER_NULL },
    { DB_TEXT, AT(twilio_sid), NEVER_NULL },     { DB_TEXT, AT(status), NEVER_NULL },
    { DB_INT2, AT(rank), NEVER_NULL },           { DB_INT4, AT(error_code), 0 },
    { DB_TIME, AT(received_at_us), NEVER_NULL }, { DB_BOOL, AT(simulated), NEVER_NULL },
};

static struct db_args *receipt_args(const struct receipt *all, size_t count)
{
    const void **rows = xcalloc(count ? count : 1, sizeof(*rows));
    struct db_args *args = db_args_new();

    for (size_t i = 0; i < count; i++)
        rows[i] = &all[i];
    db_columns_add(args, receipt_columns, COUNT_OF(receipt_columns), rows, count);
    free(rows);
    return args;
}

static void add_policy(struct db_args *args, const struct retry_settings *retry,
                       bool simulates)
{
    db_args_array(args, DB_INT2, RETRY_CLASS_COUNT);
    for (size_t i = 0; i < RETRY_CLASS_COUNT; i++)
        db_args_add_int(args, retry->tries[i]);
    db_args_int8(args, retry->delay_s);
    db_args_int8(args, retry->delay_max_s);
    db_args_bool(args, simulates);
}

// Writes the messages of which a turn above 1 failed.
static struct db_args *late_args(const struct receipt_batch *b)
{
    unsigned char(*ids)[16] = xcalloc(b->best_count + 1, sizeof(*ids));
    size_t count = 0;

    for (size_t i = 0; i < b->best_count; i++) {
        const struct receipt *r = b->best[i];
        bool again = count && memcmp(ids[count - 1], r->message_id, sizeof(*ids)) == 0;
        if (r->turn > 1 && r->rank >= RANK_FAILED && r->rank < RANK_DELIVERED && !again)
            memcpy(ids[count++], r->message_id, sizeof(*ids));
    }
    struct db_args *args =
        count ? store_adopt_args((const unsigned char(*)[16])ids, count) : NULL;
    free(ids);
    return args;
}

void store_receipts(struct db *db, const struct receipt_batch *b,
                    const struct retry_settings *retry, db_done *done, void *arg)
{
    static const struct db_statement *const statements[] = { &receipts, &callback,
                                                             &store_adopt_statement };
    struct db_args *args[] = { receipt_args(b->all, b->count), db_args_new(),
                               late_args(b) };

    db_columns_add(args[1], callback_columns, COUNT_OF(callback_columns),
                   (const void *const *)b->best, b->best_count);
    add_policy(args[1], retry, b->simulates);
    db_submit_group(db, statements, args, args[2] ? 3 : 2, done, arg);
}

void store_receipts_join(struct db *db, int32_t limit, const struct retry_settings *retry,
                         bool simulates, db_done *done, void *arg)
{
    static const struct db_statement *const statements[] = {
        &join_unmatched, &store_adopt_noted_statement
    };
    struct db_args *args[] = { db_args_new(), db_args_new() };

    db_args_int4(args[0], limit);
    add_policy(args[0], retry, simulates);
    db_submit_group(db, statements, args, COUNT_OF(statements), done, arg);
}
