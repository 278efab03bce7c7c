#include "store_rescue.h"

// The session's age is asked for here, not where we keep it: db may send this again in a
// later session, right after the outage.
static const char bury_sql[] =
    "update workers w set dead_at = now()"
    " where w.dead_at is null and w.heartbeat_at < now() - w.dead_after"
    "   and (select a.backend_start from pg_stat_activity a"
    "         where a.pid = pg_backend_pid()) < now() - 2 * w.dead_after"
    " returning w.epoch, w.host, w.pid,"
    "           (extract(epoch from now() - w.heartbeat_at) * 1000000)::bigint";

// Live epochs are left out before their messages are looked up, which is each second.
// Rows that somebody else has locked are left for the next round: their result is on its
// way.
static const char claims_sql[] =
    "with lost as ("
    "  select h.message_id"
    "    from messages_held h left join workers w on w.epoch = h.claimed_epoch"
    "   where h.claimed_epoch <> all (array(select epoch from workers"
    "                                        where dead_at is null))"
    "     and h.status = 'claimed'"
    "     and h.claimed_at < now() - coalesce(w.rescue_after,"
    "                                         $1::bigint * interval '1 microsecond')"
    "   order by h.message_id limit $2::bigint"
    "), locked as ("
    "  select x.message_id from messages x"
    "   where x.message_id = any (array(select message_id from lost))"
    "   order by x.message_id for update skip locked"
    "), doubted as ("
    "  update messages m set status = 'in_doubt', rank = 20, reason = 'worker_died'"
    "   where m.message_id = any (array(select message_id from locked))"
    "     and m.status = 'claimed'"
    "  returning m.message_id, m.turn, m.claimed_epoch"
    "), decided as ("
    "  insert into decisions (message_id, turn, kind, reason, decided_by)"
    "  select message_id, turn, 'in_doubt', 'worker_died', 'smsq-status-consumer'"
    "    from doubted)"
    "select message_id, turn, claimed_epoch from doubted";

static const char count_sql[] = "select count(*) filter (where dead_at is null),"
                                "       count(*) filter (where dead_at is not null)"
                                "  from workers";

static const char forget_sql[] =
    "delete from workers w"
    " where w.dead_at < now() - $1::bigint * interval '1 microsecond'"
    "   and not exists (select from claim_batches b where b.epoch = w.epoch)";

// A worker deletes its batch with the last result. Left are those with a doubt, and those
// of the dead.
static const char tidy_sql[] =
    "delete from claim_batches b"
    " where b.claimed_at < now() - interval '1 minute'"
    "   and not exists (select from unnest(b.message_ids) as i(id) cross join lateral"
    "                          (select from messages m where m.message_id = i.id"
    "                              and m.claimed_epoch = b.epoch offset 0) held)";

static const struct db_statement bury = { "rescue_bury", bury_sql };
static const struct db_statement claims = { "rescue_claims", claims_sql };
static const struct db_statement count = { "rescue_count", count_sql };
static const struct db_statement tidy = { "rescue_tidy", tidy_sql };
static const struct db_statement forget = { "rescue_forget", forget_sql };

void store_rescue_bury(struct db *db, db_done *done, void *arg)
{
    db_submit(db, &bury, db_args_new(), done, arg);
}

void store_rescue_claims(struct db *db, int64_t unknown_us, int64_t limit, db_done *done,
                         void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8(args, unknown_us);
    db_args_int8(args, limit);
    db_submit(db, &claims, args, done, arg);
}

void store_rescue_count(struct db *db, db_done *done, void *arg)
{
    db_submit(db, &count, db_args_new(), done, arg);
}

void store_rescue_tidy(struct db *db, db_done *done, void *arg)
{
    db_submit(db, &tidy, db_args_new(), done, arg);
}

void store_rescue_forget(struct db *db, int64_t keep_us, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8(args, keep_us);
    db_submit(db, &forget, args, done, arg);
}
