#include "store_keys.h"

#include <string.h>

// Sorted, so that two producers with the same keys wait for each other in one order. The
// first of a batch stands for a key; the reading tells the others.
static const char enter_sql[] =
    "insert into idempotency_keys as k (key_hash, client, request_hash, message_id, "
    "claim)"
    " select distinct on (key_hash) key_hash, client, request_hash, claim, claim"
    "   from unnest($1::bytea[], $2::int[], $3::bytea[], $4::uuid[]) with ordinality"
    "     as n(key_hash, client, request_hash, claim, place)"
    "  order by key_hash, place"
    " on conflict (key_hash) do update set claim = excluded.claim, claimed_at = now()"
    "  where k.published_at is null and k.request_hash = excluded.request_hash"
    "    and k.claimed_at <= now() - $5::bigint * interval '1 microsecond'";

// A statement of its own: its snapshot shows what others entered while the first waited.
static const char read_sql[] =
    "select n.place, k.message_id, k.request_hash = n.request_hash,"
    "       k.published_at is not null, k.claim = n.claim"
    "  from unnest($1::bytea[], $2::bytea[], $3::uuid[]) with ordinality"
    "    as n(key_hash, request_hash, claim, place)"
    "  join idempotency_keys k on k.key_hash = n.key_hash"
    " where k.key_hash = any ($1)";

// What a crash of PostgreSQL forgets here costs a repeat one more record, which the fence
// of the turn drops. So nobody waits for the disk: the next claims are behind in the
// pipe.
static const char relax_sql[] = "select set_config('synchronous_commit', 'off', true)";

// Locked in the order of the hashes, like the claims.
static const char end_sql[] =
    "with held as (select key_hash from idempotency_keys where key_hash = any ($1)"
    "               order by key_hash for update)"
    " update idempotency_keys k set"
    "    published_at = case when n.published then now() end,"
    "    claimed_at = case when n.published then k.claimed_at else now() - interval '1 "
    "minute' end"
    "   from held h, unnest($1::bytea[], $2::uuid[], $3::bool[])"
    "                  as n(key_hash, claim, published)"
    "  where k.key_hash = any ($1) and h.key_hash = k.key_hash"
    "    and n.key_hash = k.key_hash and k.published_at is null"
    "    and (n.published or k.claim = n.claim)";

static const struct db_statement enter = { "keys_enter", enter_sql };
static const struct db_statement read_back = { "keys_read", read_sql };
static const struct db_statement relax = { "keys_relax", relax_sql };
static const struct db_statement end = { "keys_end", end_sql };

static void add_hashes(struct db_args *args, const struct key_claim *const *claims,
                       size_t count, size_t offset)
{
    db_args_array(args, DB_BYTEA, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_bytes(args, (const char *)claims[i] + offset, KEY_HASH_BYTES);
}

static void add_ids(struct db_args *args, const struct key_claim *const *claims,
                    size_t count)
{
    db_args_array(args, DB_UUID, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_uuid(args, claims[i]->claim);
}

void store_keys_claim(struct db *db, const struct key_claim *const *claims, size_t count,
                      int64_t lease_us, db_done *done, void *arg)
{
    static const struct db_statement *const statements[] = { &enter, &read_back };
    struct db_args *args[] = { db_args_new(), db_args_new() };

    add_hashes(args[0], claims, count, offsetof(struct key_claim, key_hash));
    db_args_array(args[0], DB_INT4, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_int(args[0], claims[i]->client);
    add_hashes(args[0], claims, count, offsetof(struct key_claim, request_hash));
    add_ids(args[0], claims, count);
    db_args_int8(args[0], lease_us);

    add_hashes(args[1], claims, count, offsetof(struct key_claim, key_hash));
    add_hashes(args[1], claims, count, offsetof(struct key_claim, request_hash));
    add_ids(args[1], claims, count);
    db_submit_group(db, statements, args, COUNT_OF(args), done, arg);
}

void store_keys_read(struct key_row *out, const struct db_result *rows, size_t row)
{
    out->place = (size_t)db_int(rows, row, 0) - 1;  // ordinality counts from 1
    memcpy(out->message_id, db_uuid(rows, row, 1), sizeof(out->message_id));
    out->same_request = db_bool(rows, row, 2);
    out->published = db_bool(rows, row, 3);
    out->claimed = db_bool(rows, row, 4);
}

void store_keys_end(struct db *db, const struct key_end *ends, size_t count,
                    db_done *done, void *arg)
{
    static const struct db_statement *const statements[] = { &relax, &end };
    struct db_args *both[] = { db_args_new(), db_args_new() };
    struct db_args *args = both[1];

    db_args_array(args, DB_BYTEA, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_bytes(args, ends[i].claim.key_hash, KEY_HASH_BYTES);
    db_args_array(args, DB_UUID, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_uuid(args, ends[i].claim.claim);
    db_args_array(args, DB_BOOL, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_int(args, ends[i].published);
    db_submit_group(db, statements, both, COUNT_OF(both), done, arg);
}
