#include "store_delayed.h"

#include "db_columns.h"
#include "job_columns.h"

#include <string.h>

// The rows of a page come by the index, which has the order of the place: what was
// deleted behind the place is never looked at again.
#define DUE_SQL(found)                                                                   \
    "select d.message_id, d.turn, d.due,"                                                \
    "       coalesce(m.status = 'waiting' and m.turn = d.turn, false) as live,"          \
    "       " JOB_COLUMNS_SQL "  from delayed d left join lateral"                       \
    "       (select x.* from messages x where x.message_id = d.message_id offset 0) m"   \
    "       on true"                                                                     \
    " where d.lane = $1::text and " found

static const char due_sql[] = DUE_SQL(
    "d.due <= now() and (d.due, d.message_id, d.turn) > ($2::timestamptz, $3::uuid, "
    "$4::int)"
    " order by d.due, d.message_id, d.turn limit $5::int");

static const char due_again_sql[] =
    DUE_SQL("d.message_id = $2::uuid and d.turn = $3::int");

static const char moved_sql[] =
    "delete from delayed d using unnest($1::uuid[], $2::int[]) as n(message_id, turn)"
    " where d.message_id = n.message_id and d.turn = n.turn"
    "   and d.message_id = any ($1)";

static const char unmovable_sql[] =
    "with ended as ("
    "  update messages m set status = 'failed', rank = 70, shown_turn = m.turn,"
    "         reason = 'cannot_publish'"
    "    from unnest($1::uuid[], $2::int[]) as n(message_id, turn)"
    "   where m.message_id = n.message_id and m.turn = n.turn and m.status = 'waiting'"
    "     and m.message_id = any ($1)"
    "  returning m.message_id, m.turn"
    "), gone as ("
    "  delete from delayed d using ended e"
    "   where d.message_id = e.message_id and d.turn = e.turn"
    "     and d.message_id = any ($1)"
    ")"
    "insert into decisions (message_id, turn, kind, reason, decided_by)"
    " select message_id, turn, 'failed', $3::text, 'smsq-scheduler' from ended"
    " returning message_id, turn";

static const struct db_statement due = { "due", due_sql };
static const struct db_statement due_again = { "due_again", due_again_sql };
static const struct db_statement moved = { "moved", moved_sql };
static const struct db_statement unmovable = { "unmovable", unmovable_sql };

enum { COLUMN_ID, COLUMN_TURN, COLUMN_DUE, COLUMN_LIVE, COLUMN_JOB };

void store_due(struct db *db, const char *lane, const struct due_place *after,
               int32_t limit, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_text(args, lane);
    db_args_time(args, after->due_us);
    db_args_uuid(args, after->key.message_id);
    db_args_int4(args, after->key.turn);
    db_args_int4(args, limit);
    db_submit(db, &due, args, done, arg);
}

void store_due_again(struct db *db, const char *lane, const struct turn_key *key,
                     db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_text(args, lane);
    db_args_uuid(args, key->message_id);
    db_args_int4(args, key->turn);
    db_submit(db, &due_again, args, done, arg);
}

void store_due_read(struct due_row *out, const struct db_result *rows, size_t row)
{
    struct turn_key *key = &out->place.key;

    *out = (struct due_row){ 0 };
    memcpy(key->message_id, db_uuid(rows, row, COLUMN_ID), sizeof(key->message_id));
    key->turn = (int32_t)db_int(rows, row, COLUMN_TURN);
    out->place.due_us = db_time_us(rows, row, COLUMN_DUE);
    out->live = db_bool(rows, row, COLUMN_LIVE);

    memcpy(out->job.message_id, key->message_id, sizeof(out->job.message_id));
    out->job.turn = key->turn;
    db_columns_read(&out->job, job_columns, JOB_COLUMN_COUNT, rows, row, COLUMN_JOB);
}

void store_moved(struct db *db, const struct turn_key *keys, size_t count, db_done *done,
                 void *arg)
{
    struct db_args *args = db_args_new();

    turn_key_add_args(args, keys, count);
    db_submit(db, &moved, args, done, arg);
}

void store_unmovable(struct db *db, const struct turn_key *keys, size_t count,
                     const char *reason, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    turn_key_add_args(args, keys, count);
    db_args_text(args, reason);
    db_submit(db, &unmovable, args, done, arg);
}
