#include "store_access.h"

#include "db_columns.h"

#include <stdlib.h>

static const char tokens_sql[] =
    "select token_id, version, client_id, key_id, mode, array_to_string(scopes, ' '),"
    "       token_hash, rate_per_minute, expires_at, revoked_at"
    "  from api_tokens where version > $1::bigint order by version limit $2::int";

static const char used_sql[] =
    "update api_tokens set last_used_at = date_trunc('hour', now())"
    " where token_id = any ($1::bigint[])"
    "   and last_used_at is distinct from date_trunc('hour', now())";

// A batch that comes again finds its own number, changes nothing and reads. Lives of
// producers that ended yesterday are forgotten on the way.
static const char rates_sql[] =
    "with once as ("
    "  insert into rate_limit_sources as s (epoch, seq, written_at)"
    "  values ($1::bigint, $2::bigint, now())"
    "  on conflict (epoch) do update set seq = excluded.seq, written_at = now()"
    "   where s.seq < excluded.seq returning 1"
    "), gone as ("
    "  delete from rate_limit_sources where $2::bigint = 1"
    "     and written_at < now() - interval '1 day'"
    "), n as ("
    "  select token_id, now() - $3::bigint * interval '1 microsecond'"
    "         + taken * interval_ns / 1000 * interval '1 microsecond' as tat"
    "    from unnest($4::bigint[], $5::bigint[], $6::bigint[])"
    "      as n(token_id, taken, interval_ns)"
    "), added as ("
    "  insert into rate_limits as r (token_id, tat)"
    "  select token_id, tat from n, once order by token_id"
    "  on conflict (token_id) do update set"
    "     tat = excluded.tat + greatest(interval '0',"
    "              r.tat - (now() - $3::bigint * interval '1 microsecond'))"
    "  returning token_id, tat"
    ")"
    "select token_id, (extract(epoch from tat - now()) * 1e6)::bigint from added"
    " union all "
    "select token_id, (extract(epoch from tat - now()) * 1e6)::bigint from rate_limits"
    " where not exists (select from once) and token_id = any ($4::bigint[])";

static const struct db_statement tokens = { "tokens", tokens_sql };
static const struct db_statement used = { "tokens_used", used_sql };
static const struct db_statement rates = { "rate_limits", rates_sql };

void store_tokens(struct db *db, int64_t version, db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8(args, version);
    db_args_int4(args, STORE_TOKENS_MAX);
    db_submit(db, &tokens, args, done, arg);
}

#define AT(field) offsetof(struct token_row, field)

static const struct db_column token_columns[] = {
    { DB_INT8, AT(token_id), NEVER_NULL }, { DB_INT8, AT(version), NEVER_NULL },
    { DB_INT4, AT(client), NEVER_NULL },   { DB_TEXT, AT(key_id), NEVER_NULL },
    { DB_TEXT, AT(mode), NEVER_NULL },     { DB_TEXT, AT(scopes), NEVER_NULL },
    { DB_BYTEA, AT(hash), NEVER_NULL },    { DB_INT4, AT(rate_per_minute), -1 },
    { DB_TIME, AT(expires_at), 0 },        { DB_TIME, AT(revoked_at), 0 },
};

void store_token_read(struct token_row *out, const struct db_result *rows, size_t row)
{
    *out = (struct token_row){ 0 };
    db_columns_read(out, token_columns, COUNT_OF(token_columns), rows, row, 0);
}

void store_tokens_used(struct db *db, const int64_t *token_ids, size_t count,
                       db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_int8s(args, token_ids, count);
    db_submit(db, &used, args, done, arg);
}

#undef AT
#define AT(field) offsetof(struct rate_taken, field)

void store_rates(struct db *db, const struct rate_batch *batch, db_done *done, void *arg)
{
    static const struct db_column columns[] = {
        { DB_INT8, AT(token_id), NEVER_NULL },
        { DB_INT8, AT(taken), NEVER_NULL },
        { DB_INT8, AT(interval_ns), NEVER_NULL },
    };
    const void **pointers = xcalloc(batch->count ? batch->count : 1, sizeof(*pointers));
    struct db_args *args = db_args_new();

    for (size_t i = 0; i < batch->count; i++)
        pointers[i] = &batch->rows[i];
    db_args_int8(args, batch->epoch);
    db_args_int8(args, batch->seq);
    db_args_int8(args, batch->age_us);
    db_columns_add(args, columns, COUNT_OF(columns), pointers, batch->count);
    free(pointers);
    db_submit(db, &rates, args, done, arg);
}
