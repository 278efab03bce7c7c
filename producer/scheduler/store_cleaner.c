#include "store_cleaner.h"

// The oldest by the index; a key that somebody claims at this moment is left alone.
static const char forget_keys_sql[] =
    "delete from idempotency_keys where key_hash = any (array("
    "  select key_hash from idempotency_keys"
    "   where created_at < now() - $1::bigint * interval '1 microsecond'"
    "     and claimed_at < now() - $1 * interval '1 microsecond'"
    "   order by created_at limit $2::int for update skip locked))";

static const struct db_statement forget_keys = { "forget_keys", forget_keys_sql };

void store_forget_keys(struct db *db, int64_t keep_us, int32_t limit, db_done *done,
                       void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8(args, keep_us);
    db_args_int4(args, limit);
    db_submit(db, &forget_keys, args, done, arg);
}
