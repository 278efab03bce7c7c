#include "store_takeover.h"

static const char database_sql[] =
    "select case when not pg_is_in_recovery() then"
    "         (select system_identifier::text from pg_control_system()) || ':' ||"
    "         (select oid::text from pg_database where datname = current_database())"
    "         || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8) end";

#define DECIDE                                                                           \
    "insert into decisions (message_id, turn, kind, reason, decided_by)"                 \
    " select message_id, turn, 'in_doubt', 'worker_died', 'smsq-worker' from changed"

// The attempt is written also for a claim that somebody else found in doubt before: it
// says that the POST began, so nobody releases it.
static const char doubt_sql[] =
    "with n as ("
    "  select * from unnest($1::uuid[], $2::int[]) as n(message_id, turn)"
    "), changed as ("
    "  update messages m set status = 'in_doubt', rank = 20, reason = 'worker_died'"
    "    from n"
    "   where m.message_id = n.message_id and m.turn = n.turn"
    "     and m.status = 'claimed'" TURN_KEY_ROWS_SQL "  returning m.message_id, m.turn"
    "), kept as ("
    "  insert into attempts (message_id, turn, outcome, status, rank)"
    "  select message_id, turn, 'in_doubt', 'in_doubt', 20 from n"
    "   order by message_id, turn on conflict do nothing"
    "), why as (" DECIDE ")"
    "select message_id, turn from changed";

static const char doubt_epochs_sql[] =
    "with changed as ("
    "  update messages m set status = 'in_doubt', rank = 20, reason = 'worker_died'"
    "   where m.message_id = any (array(select message_id from messages_held"
    "                                    where claimed_epoch = any ($1::bigint[])))"
    "     and m.claimed_epoch = any ($1::bigint[]) and m.status = 'claimed'"
    "  returning m.message_id, m.turn"
    "), why as (" DECIDE ")"
    "select message_id, turn from changed";

static const struct db_statement database = { "database", database_sql };
static const struct db_statement doubt = { "doubt", doubt_sql };
static const struct db_statement doubt_epochs = { "doubt_epochs", doubt_epochs_sql };

void store_database(struct db *db, db_done *done, void *arg)
{
    db_submit(db, &database, db_args_new(), done, arg);
}

void store_doubt(struct db *db, const struct turn_key *keys, size_t count, db_done *done,
                 void *arg)
{
    struct db_args *args = db_args_new();

    turn_key_add_args(args, keys, count);
    db_submit(db, &doubt, args, done, arg);
}

void store_doubt_epochs(struct db *db, const int64_t *epochs, size_t count, db_done *done,
                        void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8s(args, epochs, count);
    db_submit(db, &doubt_epochs, args, done, arg);
}
