#include "store_sweeps.h"

#include "db_columns.h"

#include <stdlib.h>

#define BY_US "'smsq-status-consumer'"

static const char load_sql[] = "select name, message_id, turn from sweeps";

static const char move_sql[] =
    "insert into sweeps as s (name, message_id, turn)"
    " values ($1::text, $2::uuid, $3::int)"
    " on conflict (name) do update set message_id = excluded.message_id,"
    "    turn = excluded.turn, moved_at = now()"
    "  where (s.message_id, s.turn) < (excluded.message_id, excluded.turn)";

// Most rows of a slice end at the filter on rank; only the others are looked up.
#define SLICE_SQL(wanted)                                                                \
    "with slice as materialized ("                                                       \
    "  select a.message_id, a.turn, a.rank, a.twilio_sid,"                               \
    "         coalesce(a.posted_at, a.answered_at) as at from attempts a"                \
    "   where a.message_id >= $1::uuid and (a.message_id > $1 or a.turn > $2::int)"      \
    "     and a.message_id < $3::uuid"                                                   \
    "   order by a.message_id, a.turn limit $4::int"                                     \
    "), open as ("                                                                       \
    "  select s.message_id, s.turn, s.twilio_sid, coalesce(m.mode, 'live') as mode,"     \
    "         s.at"                                                                      \
    "    from slice s cross join lateral"                                                \
    "         (select x.mode, x.class from messages x where x.message_id = s.message_id" \
    "          offset 0) m"                                                              \
    "   where s.twilio_sid is not null and " wanted                                      \
    "     and ($5::text is null or (m.mode is not distinct from 'simulate') = ($5 = "    \
    "'t'))"                                                                              \
    ")"                                                                                  \
    "select message_id, turn, twilio_sid, mode, at from open"                            \
    " union all "                                                                        \
    "select * from (select message_id, turn, null::text, null::text, null::timestamptz"  \
    "                 from slice order by message_id desc, turn desc limit 1) last"

#define HAS_NO_PRICE(a)                                                                  \
    "not exists (select from cost_entries c where c.message_id = " a ".message_id"       \
    "               and c.twilio_sid = " a ".twilio_sid and c.kind = 'price' offset 0)"

#define IS_ON_ITS_WAY(a) a ".rank between 30 and 59"

static const char status_slice_sql[] = SLICE_SQL(IS_ON_ITS_WAY("s"));
static const char otp_slice_sql[] = SLICE_SQL(IS_ON_ITS_WAY("s") " and m.class = 'otp'");
static const char price_slice_sql[] = SLICE_SQL("s.rank >= 30 and " HAS_NO_PRICE("s"));

static const char note_late_sql[] =
    "insert into sweep_late (message_id, next_at)"
    " select m.message_id, now() + interval '5 min' from messages m"
    "  where m.message_id > $1::uuid and m.message_id <= $2::uuid"
    "    and m.status in ('waiting', 'claimed', 'in_doubt')"
    "  order by m.message_id on conflict do nothing";

static const char late_sql[] =
    "select l.message_id, coalesce(a.turn, 0), a.twilio_sid, coalesce(m.mode, 'live'),"
    "       null::timestamptz, l.stage::int, m.status in ('waiting', 'claimed', "
    "'in_doubt')"
    "  from sweep_late l cross join lateral"
    "       (select x.mode, x.status from messages x where x.message_id = l.message_id"
    "        offset 0) m"
    "  left join lateral (select a.turn, a.twilio_sid from attempts a"
    "       where a.message_id = l.message_id and a.twilio_sid is not null"
    "         and (" IS_ON_ITS_WAY("a") " or a.rank >= 30 and " HAS_NO_PRICE(
        "a") ")"
             "       order by a.turn desc limit 1) a on true"
             " where l.next_at <= now() order by l.next_at limit $1::int";

static const char late_move_sql[] =
    "with n as (select * from unnest($1::uuid[], $2::int[], $3::timestamptz[])"
    "             as n(message_id, stage, next_at)"
    "), gone as ("
    "  delete from sweep_late l using n"
    "   where l.message_id = n.message_id and n.next_at = 'infinity'"
    ")"
    "update sweep_late l set stage = n.stage, next_at = n.next_at from n"
    " where l.message_id = n.message_id and n.next_at < 'infinity'";

static const char time_out_sql[] =
    "with kept as ("
    "  update attempts a set status = 'timed_out', rank = 60"
    "    from unnest($1::uuid[], $2::int[]) as n(message_id, turn)"
    "   where a.message_id = n.message_id and a.turn = n.turn"
    "     and a.message_id = any ($1) and " IS_ON_ITS_WAY(
        "a") "  returning a.message_id, a.turn"
             "), raised as ("
             "  update messages m set status = 'timed_out', rank = 60, reason = "
             "'no_final_status'"
             "    from kept k"
             "   where m.message_id = k.message_id and m.message_id = any ($1)"
             "     and coalesce(m.shown_turn, m.turn) = k.turn and m.rank between 30 and "
             "59"
             "  returning m.message_id, k.turn"
             "), told as ("
             "  insert into decisions (message_id, turn, kind, reason, decided_by)"
             "  select message_id, turn, 'timed_out',"
             "         'neither callback nor Twilio itself told a final status', " BY_US
             "    from raised"
             ")"
             "select message_id, turn from raised";

// The sums are by currency, so that those of each currency are the bill in it.
static const char prices_sql[] =
    "with n as ("
    "  select n.message_id, n.sid, coalesce(n.currency, m.currency) as currency,"
    "         n.price + case when n.price > 0 then n.segments * coalesce(f.fee, 0)"
    "                        else 0 end as price, m.rate_note, m.mode,"
    "         m.currency as estimated_in, c.*"
    "    from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::int[])"
    "      as n(message_id, sid, price, currency, segments)"
    "   cross join lateral (select x.* from messages x"
    "                        where x.message_id = n.message_id offset 0) m"
    "    left join lateral (select r.carrier_fee_micros as fee from rate_card r"
    "         where r.country in (m.country, '*') and r.sender_type = m.sender_type"
    "           and r.channel = m.channel and r.direction = 'outbound'"
    "           and r.currency = coalesce(n.currency, m.currency)"
    "         order by r.country = '*' limit 1) f on true"
    "   cross join lateral ("
    "         select coalesce(max(e.seq) filter (where e.kind = 'price'), 0) as seq,"
    "                coalesce(sum(e.amount_micros) filter (where e.currency ="
    "                         coalesce(n.currency, m.currency)), 0)::bigint as same,"
    "                coalesce(sum(e.amount_micros) filter (where e.currency <>"
    "                         coalesce(n.currency, m.currency)), 0)::bigint as other"
    "           from cost_entries e where e.message_id = n.message_id"
    "            and e.twilio_sid = n.sid) c"
    "), entries as ("
    "  select message_id, sid, seq + 1 as seq, -other as amount, 0 as total,"
    "         estimated_in as currency, rate_note, mode from n where other <> 0"
    "  union all "
    "  select message_id, sid, seq + 1 + (other <> 0)::int, price - same, price, "
    "currency,"
    "         null, mode from n where price <> same or seq = 0"
    ")"
    "insert into cost_entries (message_id, twilio_sid, kind, seq, amount_micros,"
    "                          total_micros, currency, rate_note, mode)"
    " select message_id, sid, 'price', seq, amount, total, currency, rate_note, mode"
    "   from entries order by message_id, sid, seq on conflict do nothing"
    " returning message_id";

static const struct db_statement load = { "sweep_load", load_sql };
static const struct db_statement move = { "sweep_move", move_sql };
static const struct db_statement slices[] = {
    [SWEEP_STATUS] = { "sweep_status", status_slice_sql },
    [SWEEP_OTP_STATUS] = { "sweep_otp_status", otp_slice_sql },
    [SWEEP_PRICE] = { "sweep_price", price_slice_sql },
};
static const struct db_statement note_late = { "sweep_note_late", note_late_sql };
static const struct db_statement late = { "sweep_late", late_sql };
static const struct db_statement late_move = { "sweep_late_move", late_move_sql };
static const struct db_statement time_out = { "sweep_time_out", time_out_sql };
static const struct db_statement prices = { "sweep_prices", prices_sql };

void store_sweep_load(struct db *db, db_done *done, void *arg)
{
    db_submit(db, &load, db_args_new(), done, arg);
}

void store_sweep_move(struct db *db, const char *name, const struct turn_key *upto,
                      db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_text(args, name);
    db_args_uuid(args, upto->message_id);
    db_args_int4(args, upto->turn);
    db_submit(db, &move, args, done, arg);
}

void store_sweep_slice(struct db *db, const struct sweep_slice *slice, db_done *done,
                       void *arg)
{
    static const char *const simulated[] = {
        [SWEEP_ANY_LINE] = NULL, [SWEEP_REAL] = "f", [SWEEP_SIMULATED] = "t"
    };
    struct db_args *args = db_args_new();

    db_args_uuid(args, slice->after.message_id);
    db_args_int4(args, slice->after.turn);
    db_args_uuid(args, slice->before);
    db_args_int4(args, slice->scan_max);
    db_args_text(args, simulated[slice->line]);
    db_submit(db, &slices[slice->wants], args, done, arg);
}

void store_sweep_note_late(struct db *db, const unsigned char after[16],
                           const unsigned char upto[16], db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_uuid(args, after);
    db_args_uuid(args, upto);
    db_submit(db, &note_late, args, done, arg);
}

void store_sweep_late(struct db *db, int32_t limit, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int4(args, limit);
    db_submit(db, &late, args, done, arg);
}

static void add_rows(struct db_args *args, const struct db_column *columns, size_t width,
                     const void *all, size_t size, size_t count)
{
    const void **rows = xcalloc(count ? count : 1, sizeof(*rows));

    for (size_t i = 0; i < count; i++)
        rows[i] = (const char *)all + i * size;
    db_columns_add(args, columns, width, rows, count);
    free(rows);
}

void store_sweep_late_move(struct db *db, const struct sweep_later *all, size_t count,
                           db_done *done, void *arg)
{
    static const struct db_column columns[] = {
        { DB_UUID, offsetof(struct sweep_later, message_id), NEVER_NULL },
        { DB_INT4, offsetof(struct sweep_later, stage), NEVER_NULL },
        { DB_TIME, offsetof(struct sweep_later, next_us), NEVER_NULL },
    };
    struct db_args *args = db_args_new();

    add_rows(args, columns, COUNT_OF(columns), all, sizeof(*all), count);
    db_submit(db, &late_move, args, done, arg);
}

void store_sweep_time_out(struct db *db, const struct turn_key *keys, size_t count,
                          db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    turn_key_add_args(args, keys, count);
    db_submit(db, &time_out, args, done, arg);
}

void store_sweep_prices(struct db *db, const struct sweep_price *all, size_t count,
                        db_done *done, void *arg)
{
    static const struct db_column columns[] = {
        { DB_UUID, offsetof(struct sweep_price, message_id), NEVER_NULL },
        { DB_TEXT, offsetof(struct sweep_price, twilio_sid), NEVER_NULL },
        { DB_INT8, offsetof(struct sweep_price, price_micros), NEVER_NULL },
        { DB_TEXT, offsetof(struct sweep_price, currency), NEVER_NULL },
        { DB_INT4, offsetof(struct sweep_price, segments), NEVER_NULL },
    };
    struct db_args *args = db_args_new();

    add_rows(args, columns, COUNT_OF(columns), all, sizeof(*all), count);
    db_submit(db, &prices, args, done, arg);
}
