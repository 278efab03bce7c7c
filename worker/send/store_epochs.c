#include "store_epochs.h"

static const char start_sql[] =
    "insert into workers (epoch, host, pid, version, dead_after, rescue_after)"
    " values ($1::bigint, $2::text, $3::int, $4::text,"
    "         $5::bigint * interval '1 microsecond',"
    "         $6::bigint * interval '1 microsecond') on conflict do nothing";

static const char heartbeat_sql[] =
    "update workers set heartbeat_at = now()"
    " where epoch = $1::bigint and dead_at is null returning epoch";

static const char bury_sql[] = "update workers set dead_at = now()"
                               " where epoch = any ($1::bigint[]) and dead_at is null"
                               " returning epoch";

static const char strays_sql[] =
    "select m.claimed_epoch, count(*) from messages_held m"
    " where m.claimed_epoch = any ($1::bigint[]) and m.status = 'claimed'"
    "   and m.claimed_at <= now() - $4::bigint * interval '1 microsecond'"
    "   and not exists (select from unnest($2::uuid[], $3::int[]) as h(message_id, turn)"
    "                    where h.message_id = m.message_id and h.turn = m.turn)"
    " group by m.claimed_epoch";

static const struct db_statement start_worker = { "worker_start", start_sql };
static const struct db_statement heartbeat = { "heartbeat", heartbeat_sql };
static const struct db_statement bury = { "bury", bury_sql };
static const struct db_statement strays = { "strays", strays_sql };

void store_worker_start(struct db *db, const struct worker_start *start, db_done *done,
                        void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8(args, start->epoch);
    db_args_text(args, start->host);
    db_args_int4(args, start->pid);
    db_args_text(args, start->version);
    db_args_int8(args, start->dead_after_us);
    db_args_int8(args, start->rescue_after_us);
    db_submit(db, &start_worker, args, done, arg);
}

void store_heartbeat(struct db *db, int64_t epoch, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8(args, epoch);
    db_submit(db, &heartbeat, args, done, arg);
}

void store_bury(struct db *db, const int64_t *epochs, size_t count, db_done *done,
                void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8s(args, epochs, count);
    db_submit(db, &bury, args, done, arg);
}

void store_strays(struct db *db, const int64_t *epochs, size_t epoch_count,
                  const struct turn_key *held, size_t held_count, int64_t older_us,
                  db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8s(args, epochs, epoch_count);
    turn_key_add_args(args, held, held_count);
    db_args_int8(args, older_us);
    db_submit(db, &strays, args, done, arg);
}
