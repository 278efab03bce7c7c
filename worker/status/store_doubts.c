#include "store_doubts.h"

#include "db_columns.h"

#include <string.h>

#define US " * interval '1 microsecond'"

#define BY_CLASS(class)                                                                  \
    "(case " class " when 'otp' then $1::bigint when 'emergency' then $2::bigint"        \
                   " when 'marketing' then $4::bigint else $3::bigint end" US ")"

#define BY_US "'smsq-status-consumer'"

// The doubt begins when the POST ended; nobody knows when that of a dead worker did.
static const char enter_sql[] =
    "insert into doubts as d (message_id, turn, class, since, next_look_at)"
    " select m.message_id, m.turn, m.class, s.since, s.since + " BY_CLASS(
        "m.class") "   from messages_held m cross join lateral"
                   "        (select coalesce((select a.answered_at from attempts a"
                   "                           where a.message_id = m.message_id and "
                   "a.turn = m.turn"
                   "                          offset 0), now()) as since) s"
                   "  where m.status = 'in_doubt'"
                   "    and not exists (select from doubts x where x.message_id = "
                   "m.message_id"
                   "                       and x.turn = m.turn offset 0)"
                   "  order by m.message_id limit $5::int"
                   " on conflict (message_id) do update set"
                   "    turn = excluded.turn, class = excluded.class, since = "
                   "excluded.since,"
                   "    next_look_at = excluded.next_look_at, looks = 0, empty_lists = 0,"
                   "    last_empty_at = null, is_ambiguous = false, note = null"
                   "  where d.turn < excluded.turn"
                   " returning message_id, turn, class";

#define IS_OPEN                                                                          \
    "exists (select from messages m where m.message_id = d.message_id"                   \
    "          and m.turn = d.turn and m.status = 'in_doubt' offset 0)"

static const char clean_sql[] =
    "with gone as ("
    "  delete from doubts d where not d.message_id = any ($1::uuid[])"
    "     and not " IS_OPEN "  returning d.message_id, d.turn, case"
    "            when exists (select from decisions c where c.message_id = d.message_id"
    "                            and c.turn = d.turn and c.decided_by like '%@%' offset "
    "0)"
    "            then 'person'"
    "            when exists (select from attempts a where a.message_id = d.message_id"
    "                            and a.turn <= d.turn and a.rank >= 30 offset 0)"
    "            then 'callback' else 'other' end as way"
    "), told as ("
    "  insert into decisions (message_id, turn, kind, reason, decided_by)"
    "  select message_id, turn, 'found', 'a callback or a late answer tells of "
    "it', " BY_US "    from gone where way = 'callback'"
    ")"
    "select message_id, turn, way from gone";

// Another turn of the same message of which nobody knows the SID.
#define IS_OLDER_DOUBT                                                                   \
    "a.message_id = m.message_id and a.turn < m.turn and a.rank = 20"                    \
    " and a.twilio_sid is null and a.claimed_at is not null offset 0"

static const char due_sql[] =
    "select d.message_id, d.turn, d.looks, d.empty_lists, m.client,"
    "       (select count(*) from decisions c where c.message_id = d.message_id"
    "           and c.kind = 'resend')::int,"
    "       d.since, d.last_empty_at, now(), m.expires_at, m.claimed_at, m.class,"
    "       coalesce(m.mode, 'live'), m.sender, m.sender_type, m.on_doubt, m.to_hash,"
    "       m.sealed, d.is_ambiguous,"
    "       coalesce((select min(a.claimed_at) from attempts a where " IS_OLDER_DOUBT
    "                ), m.claimed_at),"
    "       exists (select from attempts a where a.message_id = d.message_id"
    "                  and a.turn <> d.turn and a.rank between 30 and 50 offset 0)"
    "  from doubts d cross join lateral"
    "       (select x.* from messages x where x.message_id = d.message_id"
    "           and x.turn = d.turn and x.status = 'in_doubt' offset 0) m"
    " where d.next_look_at <= now() and not d.message_id = any ($1::uuid[])"
    " order by d.next_look_at limit $2::int";

#define OF_KEY " where d.message_id = $1::uuid and d.turn = $2::int and d.looks = $3::int"

static const char later_sql[] =
    "update doubts d set next_look_at = $4::timestamptz" OF_KEY;

static const char looked_sql[] =
    "update doubts d set looks = d.looks + 1,"
    "       empty_lists = d.empty_lists + ($4::int > 0)::int,"
    "       last_empty_at = case when $4::int > 0 then now() else d.last_empty_at end,"
    "       is_ambiguous = case when $4::int > 0 then $4::int = 2 else d.is_ambiguous "
    "end,"
    "       next_look_at = $5::timestamptz, note = $6::text" OF_KEY;

// Older turns of ours, and whoever is claimed, or was in doubt in that time and has no
// SID, may own what the list shows as well as we: each POST is a row.
static const char rivals_sql[] =
    "select a.twilio_sid, null::uuid, null::int, null::bytea, null::timestamptz, null"
    "  from unnest($3::text[]) as s(sid) cross join lateral"
    "       (select x.* from attempts x where x.twilio_sid = s.sid offset 0) a"
    " where (a.message_id, a.turn) <> ($1::uuid, $2::int)"
    " union all "
    "select null, a.message_id, null, null, a.claimed_at, a.turn"
    "  from (select $1::uuid as message_id, $2::int as turn) m cross join lateral"
    "       (select a.* from attempts a where " IS_OLDER_DOUBT ") a"
    " union all "
    "select null, m.message_id, m.client, m.sealed, p.claimed_at, p.turn"
    "  from (select x.* from messages x where x.to_hash = $4::bytea"
    "           and x.claimed_at >= $5::timestamptz offset 0) m"
    " cross join lateral"
    "       (select m.claimed_at, m.turn where m.status in ('claimed', 'in_doubt')"
    "        union all "
    "        select coalesce(a.claimed_at, m.claimed_at), a.turn from attempts a"
    "         where a.message_id = m.message_id and a.rank = 20 and a.twilio_sid is null"
    "           and (a.turn <> m.turn or m.status not in ('claimed', 'in_doubt'))) p"
    " where m.message_id <> $1::uuid and m.sealed is not null"
    "   and m.sender = $7::text and (m.mode is not distinct from 'simulate') = ($8::int "
    "= 1)"
    "   and p.claimed_at between $5::timestamptz and $6::timestamptz";

static const char found_sql[] =
    "with gone as (delete from doubts d where d.message_id = $1::uuid"
    "                 and d.turn = $2::int returning d.message_id, d.turn)"
    "insert into decisions (message_id, turn, kind, reason, decided_by)"
    " select message_id, turn, 'found', $3::text, " BY_US
    " from gone returning message_id";

static const char end_sql[] =
    "with ended as ("
    "  update messages m set status = $3::text, rank = 25, claimed_epoch = null,"
    "         reason = 'in_doubt'"
    "   where m.message_id = $1::uuid and m.turn = $2::int and m.status = 'in_doubt'"
    "     and not exists (select from attempts a where a.message_id = m.message_id"
    "                        and a.turn <> m.turn and a.rank between 30 and 50 offset 0)"
    "  returning m.message_id, m.turn"
    "), gone as ("
    "  delete from doubts d using ended e where d.message_id = e.message_id"
    ")"
    "insert into decisions (message_id, turn, kind, reason, decided_by)"
    " select message_id, turn, $3::text, $4::text, " BY_US " from ended"
    " returning message_id";

// The older attempts are looked at in the same snapshot; a proof that comes later takes
// the waiting row. The turn that may have gone out keeps its attempt, so that later lists
// find it.
static const char resend_sql[] =
    "with again as ("
    "  update messages m set turn = m.turn + 1, status = 'waiting', rank = 0,"
    "         claimed_epoch = null, reason = 'maybe_twice'"
    "   where m.message_id = $1::uuid and m.turn = $2::int and m.status = 'in_doubt'"
    "     and not exists (select from attempts a where a.message_id = m.message_id"
    "                        and (a.rank between 30 and 65 or a.rank >= 75) offset 0)"
    "  returning m.message_id, m.turn, m.lane, m.claimed_at"
    "), tried as ("
    "  insert into attempts as a (message_id, turn, status, rank, claimed_at)"
    "  select message_id, turn - 1, 'in_doubt', 20, claimed_at from again"
    "  on conflict (message_id, turn) do update set claimed_at = excluded.claimed_at"
    "   where a.claimed_at is null"
    "), later as ("
    "  insert into delayed (message_id, turn, due, lane, kind)"
    "  select message_id, turn, now(), lane, 'doubt' from again on conflict do nothing"
    "), gone as ("
    "  delete from doubts d using again a where d.message_id = a.message_id"
    ")"
    "insert into decisions (message_id, turn, due, kind, reason, decided_by)"
    " select message_id, turn - 1, now(), 'resend', $3::text, " BY_US " from again"
    " returning message_id";

static const char count_sql[] =
    "select d.class, count(*), count(*) filter (where d.since + " BY_CLASS(
        "d.class") "       < now()) from doubts d group by d.class";

static const struct db_statement enter = { "doubts_enter", enter_sql };
static const struct db_statement clean = { "doubts_clean", clean_sql };
static const struct db_statement due = { "doubts_due", due_sql };
static const struct db_statement later = { "doubts_later", later_sql };
static const struct db_statement looked = { "doubts_looked", looked_sql };
static const struct db_statement rivals_of = { "doubts_rivals", rivals_sql };
static const struct db_statement found = { "doubts_found", found_sql };
static const struct db_statement end = { "doubts_end", end_sql };
static const struct db_statement resend = { "doubts_resend", resend_sql };
static const struct db_statement count_by_class = { "doubts_count", count_sql };

static struct db_args *by_class(const struct doubt_firsts *times)
{
    struct db_args *args = db_args_new();

    db_args_int8(args, times->otp_us);
    db_args_int8(args, times->emergency_us);
    db_args_int8(args, times->transactional_us);
    db_args_int8(args, times->marketing_us);
    return args;
}

static struct db_args *ids(const unsigned char (*in_hand)[16], size_t count)
{
    struct db_args *args = db_args_new();

    db_args_array(args, DB_UUID, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_uuid(args, in_hand[i]);
    return args;
}

static struct db_args *key_args(const struct doubt_key *key)
{
    struct db_args *args = db_args_new();

    db_args_uuid(args, key->message_id);
    db_args_int4(args, key->turn);
    return args;
}

void store_doubts_enter(struct db *db, const struct doubt_firsts *firsts, int32_t limit,
                        db_done *done, void *arg)
{
    struct db_args *args = by_class(firsts);

    db_args_int4(args, limit);
    db_submit(db, &enter, args, done, arg);
}

void store_doubts_clean(struct db *db, const unsigned char (*in_hand)[16], size_t count,
                        db_done *done, void *arg)
{
    db_submit(db, &clean, ids(in_hand, count), done, arg);
}

void store_doubts_due(struct db *db, const unsigned char (*in_hand)[16], size_t count,
                      int32_t limit, db_done *done, void *arg)
{
    struct db_args *args = ids(in_hand, count);

    db_args_int4(args, limit);
    db_submit(db, &due, args, done, arg);
}

#define AT(field) offsetof(struct doubt_row, field)

static const struct db_column row_columns[] = {
    { DB_UUID, AT(message_id), NEVER_NULL },   { DB_INT4, AT(turn), NEVER_NULL },
    { DB_INT4, AT(looks), NEVER_NULL },        { DB_INT4, AT(empty_lists), NEVER_NULL },
    { DB_INT4, AT(client), NEVER_NULL },       { DB_INT4, AT(resends), NEVER_NULL },
    { DB_TIME, AT(since_us), NEVER_NULL },     { DB_TIME, AT(last_empty_us), 0 },
    { DB_TIME, AT(now_us), NEVER_NULL },       { DB_TIME, AT(expires_us), NEVER_NULL },
    { DB_TIME, AT(claimed_us), NEVER_NULL },   { DB_TEXT, AT(message_class), NEVER_NULL },
    { DB_TEXT, AT(mode), NEVER_NULL },         { DB_TEXT, AT(sender), NEVER_NULL },
    { DB_TEXT, AT(sender_type), NEVER_NULL },  { DB_TEXT, AT(on_doubt), NEVER_NULL },
    { DB_BYTEA, AT(to_hash), NEVER_NULL },     { DB_BYTEA, AT(sealed), NEVER_NULL },
    { DB_BOOL, AT(is_ambiguous), NEVER_NULL }, { DB_TIME, AT(first_claimed_us), 0 },
    { DB_BOOL, AT(is_settled), NEVER_NULL },
};

void store_doubts_read(struct doubt_row *out, const struct db_result *rows, size_t row)
{
    *out = (struct doubt_row){ 0 };
    db_columns_read(out, row_columns, COUNT_OF(row_columns), rows, row, 0);
}

void store_doubts_later(struct db *db, const struct doubt_key *key, int64_t next_us,
                        db_done *done, void *arg)
{
    struct db_args *args = key_args(key);

    db_args_int4(args, key->looks);
    db_args_time(args, next_us);
    db_submit(db, &later, args, done, arg);
}

void store_doubts_looked(struct db *db, const struct doubt_key *key, enum doubt_look look,
                         int64_t next_us, const char *note, db_done *done, void *arg)
{
    struct db_args *args = key_args(key);

    db_args_int4(args, key->looks);
    db_args_int4(args, (int32_t)look);
    db_args_time(args, next_us);
    db_args_text(args, note);
    db_submit(db, &looked, args, done, arg);
}

void store_doubts_rivals(struct db *db, const struct doubt_rivals *rivals, db_done *done,
                         void *arg)
{
    struct db_args *args = key_args(rivals->key);

    db_args_array(args, DB_TEXT, rivals->sid_count);
    for (size_t i = 0; i < rivals->sid_count; i++)
        db_args_add_text(args, rivals->sids[i]);
    db_args_bytes(args, rivals->to_hash.bytes, rivals->to_hash.len);
    db_args_time(args, rivals->from_us);
    db_args_time(args, rivals->to_us);
    db_args_text(args, rivals->sender);
    db_args_int4(args, rivals->simulated);
    db_submit(db, &rivals_of, args, done, arg);
}

void store_doubts_found(struct db *db, const struct doubt_key *key, const char *reason,
                        db_done *done, void *arg)
{
    struct db_args *args = key_args(key);

    db_args_text(args, reason);
    db_submit(db, &found, args, done, arg);
}

void store_doubts_end(struct db *db, const struct doubt_key *key, const char *status,
                      const char *reason, db_done *done, void *arg)
{
    struct db_args *args = key_args(key);

    db_args_text(args, status);
    db_args_text(args, reason);
    db_submit(db, &end, args, done, arg);
}

void store_doubts_resend(struct db *db, const struct doubt_key *key, const char *reason,
                         db_done *done, void *arg)
{
    struct db_args *args = key_args(key);

    db_args_text(args, reason);
    db_submit(db, &resend, args, done, arg);
}

void store_doubts_count(struct db *db, const struct doubt_firsts *overdue, db_done *done,
                        void *arg)
{
    db_submit(db, &count_by_class, by_class(overdue), done, arg);
}
