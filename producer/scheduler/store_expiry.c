#include "store_expiry.h"

#include <string.h>

static const char waits_sql[] =
    "select d.message_id, d.turn,"
    "       coalesce(m.status = 'waiting' and m.turn = d.turn"
    "                and m.expires_at <= now(), false)"
    "  from (select message_id, turn from delayed"
    "         where kind <> 'schedule' and (message_id, turn) > ($1::uuid, $2::int)"
    "         order by message_id, turn limit $3::int) d"
    "  left join lateral (select x.status, x.turn, x.expires_at from messages x"
    "                      where x.message_id = d.message_id offset 0) m on true"
    " order by d.message_id, d.turn";

static const char expire_sql[] =
    "with ended as ("
    "  update messages m set status = 'expired', rank = 25, reason = 'too_late'"
    "    from unnest($1::uuid[], $2::int[]) as n(message_id, turn)"
    "   where m.message_id = n.message_id and m.turn = n.turn and m.status = 'waiting'"
    "     and m.expires_at <= now()" TURN_KEY_ROWS_SQL "  returning m.message_id, m.turn"
    "), gone as ("
    "  delete from delayed d using ended e"
    "   where d.message_id = e.message_id and d.turn = e.turn"
    "     and d.message_id = any ($1)"
    ")"
    "insert into decisions (message_id, turn, kind, reason, decided_by)"
    " select message_id, turn, 'expired', 'too_late', 'smsq-scheduler' from ended"
    " returning message_id, turn";

static const struct db_statement waits = { "waits", waits_sql };
static const struct db_statement expire = { "expire", expire_sql };

void store_waits(struct db *db, const struct turn_key *after, int32_t limit,
                 db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_uuid(args, after->message_id);
    db_args_int4(args, after->turn);
    db_args_int4(args, limit);
    db_submit(db, &waits, args, done, arg);
}

void store_waits_read(struct wait_row *out, const struct db_result *rows, size_t row)
{
    memcpy(out->key.message_id, db_uuid(rows, row, 0), sizeof(out->key.message_id));
    out->key.turn = (int32_t)db_int(rows, row, 1);
    out->is_over = db_bool(rows, row, 2);
}

void store_expire(struct db *db, const struct turn_key *keys, size_t count, db_done *done,
                  void *arg)
{
    struct db_args *args = db_args_new();

    turn_key_add_args(args, keys, count);
    db_submit(db, &expire, args, done, arg);
}
