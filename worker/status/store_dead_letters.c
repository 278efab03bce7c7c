#include "store_dead_letters.h"

#include "db_columns.h"

#include <stdlib.h>

static const char keep_sql[] =
    "insert into dead_letters (topic, part, off, record_at, buried_at, reason, detail,"
    "                          program, message_id, client, is_whole, content_hash,"
    "                          sealed, replay_of, replays)"
    " select n.*, before.letter_id, coalesce(before.replays + 1, 0)"
    "   from unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[],"
    "               $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::uuid[],"
    "               $10::int[], $11::bool[], $12::bytea[], $13::bytea[])"
    "     as n(topic, part, off, record_at, buried_at, reason, detail, program,"
    "          message_id, client, is_whole, content_hash, sealed)"
    "   left join lateral ("
    "     select d.letter_id, d.replays from dead_letters d"
    "      where d.content_hash = n.content_hash and d.replay_began_at is not null"
    "        and d.buried_at < n.buried_at"
    "      order by d.letter_id desc limit 1) before on true"
    " on conflict (topic, part, off, record_at) do nothing";

static const struct db_statement keep = { "dead_letters", keep_sql };

#define AT(field) offsetof(struct dead_letter, field)

static const struct db_column columns[] = {
    { DB_TEXT, AT(topic), NEVER_NULL },        { DB_INT4, AT(partition), NEVER_NULL },
    { DB_INT8, AT(offset), NEVER_NULL },       { DB_TIME, AT(record_at_us), NEVER_NULL },
    { DB_TIME, AT(buried_at_us), NEVER_NULL }, { DB_TEXT, AT(reason), NEVER_NULL },
    { DB_TEXT, AT(detail), NEVER_NULL },       { DB_TEXT, AT(program), NEVER_NULL },
    { DB_UUID, AT(message_id), NEVER_NULL },   { DB_INT4, AT(client), 0 },
    { DB_BOOL, AT(is_whole), NEVER_NULL },     { DB_BYTEA, AT(content_hash), NEVER_NULL },
    { DB_BYTEA, AT(sealed), NEVER_NULL },
};

void store_dead_letters(struct db *db, const struct dead_letter *letters, size_t count,
                        db_done *done, void *arg)
{
    const void **rows = xcalloc(count ? count : 1, sizeof(*rows));
    struct db_args *args = db_args_new();

    for (size_t i = 0; i < count; i++)
        rows[i] = &letters[i];
    db_columns_add(args, columns, COUNT_OF(columns), rows, count);
    free(rows);
    db_submit(db, &keep, args, done, arg);
}
