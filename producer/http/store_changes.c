#include "store_changes.h"

#define BY_CLIENT_SQL                                                                    \
    "'client ' || coalesce((select c.name from clients c where c.client_id = $2::int),"  \
    "                      ($2::int)::text)"

static const char cancel_sql[] =
    "with ended as ("
    "  insert into messages as m (message_id, client, turn, status, rank, reason)"
    "  values ($1::uuid, $2::int, 0, 'canceled', 25, 'by_client')"
    "  on conflict (message_id) do update"
    "     set status = 'canceled', rank = 25, reason = 'by_client'"
    "   where m.client = excluded.client and m.status = 'waiting'"
    "  returning m.message_id, m.turn, m.status"
    "), gone as ("
    "  delete from delayed d using ended e"
    "   where d.message_id = $1 and d.turn <= e.turn"
    "), noted as ("
    "  insert into decisions (message_id, turn, kind, reason, decided_by)"
    "  select message_id, turn, 'canceled', 'by_client', " BY_CLIENT_SQL " from ended"
    ")"
    "select message_id, turn, status from ended";

// Its useful time is as long as it was, from the new moment on. An old turn's row in
// delayed goes; one that this statement cannot see yet is not alive for the mover.
static const char reschedule_sql[] =
    "with moved as ("
    "  insert into messages as m (message_id, client, turn, status, rank, send_at)"
    "  values ($1::uuid, $2::int, 0, 'waiting', 0, $3::timestamptz)"
    "  on conflict (message_id) do update"
    "     set turn = case when m.turn = 0 then 0 else m.turn + 1 end,"
    "         send_at = excluded.send_at, reason = null,"
    "         expires_at = excluded.send_at"
    "                      + (m.expires_at - coalesce(m.send_at, m.accepted_at))"
    "   where m.client = excluded.client and m.status = 'waiting'"
    "     and m.send_at is distinct from excluded.send_at"
    "  returning m.message_id, m.turn, m.status, m.lane, m.send_at"
    "), gone as ("
    "  delete from delayed d using moved n"
    "   where d.message_id = $1 and d.turn < n.turn"
    "), put as ("
    "  insert into delayed (message_id, turn, due, lane, kind)"
    "  select message_id, turn, send_at, lane, 'schedule' from moved where turn > 0"
    "  on conflict do nothing"
    "), noted as ("
    "  insert into decisions (message_id, turn, kind, reason, due, decided_by)"
    "  select message_id, turn, 'rescheduled', 'by_client', send_at, " BY_CLIENT_SQL
    "    from moved"
    ")"
    "select message_id, turn, status from moved";

static const struct db_statement cancel = { "cancel", cancel_sql };
static const struct db_statement reschedule = { "reschedule", reschedule_sql };

void store_cancel(struct db *db, const unsigned char id[16], int32_t client,
                  db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_uuid(args, id);
    db_args_int4(args, client);
    db_submit(db, &cancel, args, done, arg);
}

void store_reschedule(struct db *db, const unsigned char id[16], int32_t client,
                      int64_t send_at_us, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_uuid(args, id);
    db_args_int4(args, client);
    db_args_time(args, send_at_us);
    db_submit(db, &reschedule, args, done, arg);
}
