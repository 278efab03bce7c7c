#include "store_adopt.h"

// ids: a sorted array of uuid.
#define ADOPT_SQL(ids)                                                                   \
    "adopted as ("                                                                       \
    "  update messages m set status = a.status, rank = a.rank, shown_turn = a.turn,"     \
    "         twilio_sid = a.twilio_sid, error_code = null, reason = null,"              \
    "         claimed_epoch = null"                                                      \
    "    from (select distinct on (message_id) message_id, turn, status, rank,"          \
    "                 twilio_sid"                                                        \
    "            from attempts where message_id = any (" ids ")"                         \
    "             and message_id >= (" ids ")[1]"                                        \
    "             and message_id <= (" ids ")[cardinality(" ids ")]"                     \
    "             and rank between 30 and 50 order by message_id, rank desc, turn) a"    \
    "   where m.message_id = a.message_id and m.message_id = any (" ids ")"              \
    "     and m.message_id >= (" ids ")[1]"                                              \
    "     and m.message_id <= (" ids ")[cardinality(" ids ")]"                           \
    "     and m.turn > 1 and (m.rank in (0, 20, 25) or m.rank between 70 and 72)"        \
    "     and a.turn <> coalesce(m.shown_turn, m.turn)"                                  \
    "  returning m.message_id, a.turn"                                                   \
    ")"                                                                                  \
    "insert into decisions (message_id, turn, kind, reason, decided_by)"                 \
    " select message_id, turn, 'adopted', 'this turn is on its way', 'smsq' from "       \
    "adopted"

static const char adopt_sql[] = "with " ADOPT_SQL("$1::uuid[]");

#define NOTED "(select ids from noted)::uuid[]"
static const char adopt_noted_sql[] =
    "with noted as ("
    "  select coalesce(array_agg(id order by id), '{}') as ids from "
    "unnest(string_to_array("
    "         nullif(current_setting('smsq.adopt', true), ''), ',')::uuid[]) as n(id)"
    "), " ADOPT_SQL(NOTED);

const struct db_statement store_adopt_statement = { "adopt", adopt_sql };
const struct db_statement store_adopt_noted_statement = { "adopt_noted",
                                                          adopt_noted_sql };

struct db_args *store_adopt_args(const unsigned char (*ids)[16], size_t count)
{
    struct db_args *args = db_args_new();

    db_args_array(args, DB_UUID, count);
    for (size_t i = 0; i < count; i++)
        db_args_add_uuid(args, ids[i]);
    return args;
}

void store_adopt(struct db *db, const unsigned char (*ids)[16], size_t count,
                 db_done *done, void *arg)
{
    db_submit(db, &store_adopt_statement, store_adopt_args(ids, count), done, arg);
}
