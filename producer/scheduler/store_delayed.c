#include "store_delayed.h"

#include "db_columns.h"
#include "job_columns.h"

#include <string.h>

static const char due_sql[] =
    "select d.message_id, d.turn,"
    "       coalesce(m.status = 'waiting' and m.turn = d.turn, false) as live,"
    "       " JOB_COLUMNS_SQL "  from delayed d left join lateral"
    "       (select x.* from messages x where x.message_id = d.message_id offset 0) m"
    "       on true"
    " where d.lane = $1::text and d.due <= now() order by d.due limit $2::int";

static const char moved_sql[] =
    "delete from delayed d using unnest($1::uuid[], $2::int[]) as n(message_id, turn)"
    " where d.message_id = n.message_id and d.turn = n.turn"
    "   and d.message_id = any ($1)";

static const struct db_statement due = { "due", due_sql };
static const struct db_statement moved = { "moved", moved_sql };

enum { COLUMN_ID, COLUMN_TURN, COLUMN_LIVE, COLUMN_JOB };

void store_due(struct db *db, const char *lane, int32_t limit, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_text(args, lane);
    db_args_int4(args, limit);
    db_submit(db, &due, args, done, arg);
}

void store_due_read(struct due_row *out, const struct db_result *rows, size_t row)
{
    *out = (struct due_row){ 0 };
    memcpy(out->key.message_id, db_uuid(rows, row, COLUMN_ID),
           sizeof(out->key.message_id));
    out->key.turn = (int32_t)db_int(rows, row, COLUMN_TURN);
    out->live = db_bool(rows, row, COLUMN_LIVE);

    memcpy(out->job.message_id, out->key.message_id, sizeof(out->job.message_id));
    out->job.turn = out->key.turn;
    db_columns_read(&out->job, job_columns, JOB_COLUMN_COUNT, rows, row, COLUMN_JOB);
}

void store_moved(struct db *db, const struct turn_key *keys, size_t count, db_done *done,
                 void *arg)
{
    struct db_args *args = db_args_new();

    turn_key_add_args(args, keys, count);
    db_submit(db, &moved, args, done, arg);
}
