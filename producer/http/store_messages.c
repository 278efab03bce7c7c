#include "store_messages.h"

#include "db_columns.h"
#include "rate_card.h"

#include <stdio.h>
#include <string.h>

// The ledger may hold a second currency, after the provider billed in another than the
// estimate: then the estimate was taken back, and the larger sum is the one that stands.
#define STATUS_SQL(found)                                                                \
    "select m.message_id, m.client, m.status,"                                           \
    "       coalesce(d.kind, case when m.turn = 0 then 'schedule' end), m.reason,"       \
    "       m.class, m.channel,"                                                         \
    "       m.mode, m.country, m.to_hint, m.sender, m.sender_type, m.template_ref,"      \
    "       m.reference, m.twilio_sid, m.sealed, m.to_hash, m.turn, m.tries,"            \
    "       m.error_code, coalesce(a.segments, m.segments), m.accepted_at, m.send_at,"   \
    "       m.claimed_at, m.sent_at, m.delivered_at, m.expires_at, m.estimate_micros,"   \
    "       c.sum is not null, c.sum, coalesce(c.currency, m.currency), m.rate_note,"    \
    "       e.meaning, e.advice"                                                         \
    "  from messages m"                                                                  \
    "  left join delayed d on d.message_id = m.message_id and d.turn = m.turn"           \
    "                     and m.status = 'waiting'"                                      \
    "  left join attempts a on a.message_id = m.message_id"                              \
    "                      and a.turn = coalesce(m.shown_turn, m.turn)"                  \
    "  left join lateral (select e.currency, sum(e.amount_micros)::bigint as sum"        \
    "                       from cost_entries e where e.message_id = m.message_id"       \
    "                      group by e.currency order by 2 desc limit 1) c on true"       \
    "  left join error_codes e on e.code = m.error_code"                                 \
    " where m.client = $2::int and m.message_id = " found

static const char status_by_id_sql[] = STATUS_SQL("$1::uuid");

static const char status_by_sid_sql[] = STATUS_SQL(
    "(select x.message_id from attempts x where x.twilio_sid = $1::text limit 1)");

// Ended: by us (rank 25), or by a callback that tells the end (from 60 on).
static const char news_sql[] =
    "select m.message_id, m.twilio_sid, m.status, m.reason, m.error_code"
    "  from messages m"
    " where m.message_id = any ($1::uuid[])"
    "   and m.message_id >= $2::uuid and m.message_id <= $3::uuid"
    "   and (m.twilio_sid is not null or m.rank = 25 or m.rank >= 60)";

static const char rate_card_sql[] =
    "select country, sender_type, channel, direction, currency, as_of::text, source,"
    "       price_micros, carrier_fee_micros"
    "  from rate_card order by country, sender_type, channel, direction";

static const struct db_statement status_by_id = { "status_by_id", status_by_id_sql };
static const struct db_statement status_by_sid = { "status_by_sid", status_by_sid_sql };
static const struct db_statement news = { "news", news_sql };
static const struct db_statement rate_card_rows = { "rate_card", rate_card_sql };

#define AT(field) offsetof(struct message_row, field)

static const struct db_column message_columns[] = {
    { DB_UUID, AT(message_id), NEVER_NULL },
    { DB_INT4, AT(client), NEVER_NULL },
    { DB_TEXT, AT(status), NEVER_NULL },
    { DB_TEXT, AT(waiting_kind), NEVER_NULL },
    { DB_TEXT, AT(reason), NEVER_NULL },
    { DB_TEXT, AT(message_class), NEVER_NULL },
    { DB_TEXT, AT(channel), NEVER_NULL },
    { DB_TEXT, AT(mode), NEVER_NULL },
    { DB_TEXT, AT(country), NEVER_NULL },
    { DB_TEXT, AT(to_hint), NEVER_NULL },
    { DB_TEXT, AT(sender), NEVER_NULL },
    { DB_TEXT, AT(sender_type), NEVER_NULL },
    { DB_TEXT, AT(template_ref), NEVER_NULL },
    { DB_TEXT, AT(reference), NEVER_NULL },
    { DB_TEXT, AT(twilio_sid), NEVER_NULL },
    { DB_BYTEA, AT(sealed), NEVER_NULL },
    { DB_BYTEA, AT(to_hash), NEVER_NULL },
    { DB_INT4, AT(turn), NEVER_NULL },
    { DB_INT2, AT(tries), NEVER_NULL },
    { DB_INT4, AT(error_code), NEVER_NULL },
    { DB_INT2, AT(segments), NEVER_NULL },
    { DB_TIME, AT(accepted_at), NEVER_NULL },
    { DB_TIME, AT(send_at), NEVER_NULL },
    { DB_TIME, AT(claimed_at), NEVER_NULL },
    { DB_TIME, AT(sent_at), NEVER_NULL },
    { DB_TIME, AT(delivered_at), NEVER_NULL },
    { DB_TIME, AT(expires_at), NEVER_NULL },
    { DB_INT8, AT(estimate_micros), NEVER_NULL },
    { DB_BOOL, AT(cost_known), NEVER_NULL },
    { DB_INT8, AT(cost_micros), NEVER_NULL },
    { DB_TEXT, AT(currency), NEVER_NULL },
    { DB_TEXT, AT(rate_note), NEVER_NULL },
    { DB_TEXT, AT(error_meaning), NEVER_NULL },
    { DB_TEXT, AT(error_advice), NEVER_NULL },
};

void store_status_by_id(struct db *db, const unsigned char id[16], int32_t client,
                        db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_uuid(args, id);
    db_args_int4(args, client);
    db_submit(db, &status_by_id, args, done, arg);
}

void store_status_by_sid(struct db *db, const char *sid, int32_t client, db_done *done,
                         void *arg)
{
    struct db_args *args = db_args_new();

    db_args_text(args, sid);
    db_args_int4(args, client);
    db_submit(db, &status_by_sid, args, done, arg);
}

bool store_status_read(struct message_row *out, const struct db_result *rows)
{
    if (db_rows(rows) == 0)
        return false;
    *out = (struct message_row){ 0 };
    db_columns_read(out, message_columns, COUNT_OF(message_columns), rows, 0, 0);
    return true;
}

// The first and the last id leave out the months in which there is none of them.
void store_news(struct db *db, const unsigned char *const *ids, size_t count,
                db_done *done, void *arg)
{
    struct db_args *args = db_args_new();
    const unsigned char *first = ids[0], *last = ids[0];

    db_args_array(args, DB_UUID, count);
    for (size_t i = 0; i < count; i++) {
        db_args_add_uuid(args, ids[i]);
        if (memcmp(ids[i], first, 16) < 0)
            first = ids[i];
        if (memcmp(ids[i], last, 16) > 0)
            last = ids[i];
    }
    db_args_uuid(args, first);
    db_args_uuid(args, last);
    db_submit(db, &news, args, done, arg);
}

void store_news_read(struct news_row *out, const struct db_result *rows, size_t row)
{
    static const struct db_column columns[] = {
        { DB_UUID, offsetof(struct news_row, message_id), NEVER_NULL },
        { DB_TEXT, offsetof(struct news_row, news.sid), NEVER_NULL },
        { DB_TEXT, offsetof(struct news_row, news.status), NEVER_NULL },
        { DB_TEXT, offsetof(struct news_row, news.reason), NEVER_NULL },
        { DB_INT4, offsetof(struct news_row, news.error_code), NEVER_NULL },
    };

    *out = (struct news_row){ 0 };
    db_columns_read(out, columns, COUNT_OF(columns), rows, row, 0);
}

void store_rate_card(struct db *db, db_done *done, void *arg)
{
    db_submit(db, &rate_card_rows, db_args_new(), done, arg);
}

// Texts that do not fit are cut; rate_card_add refuses what is not one of its words.
static void read_rate(struct rate *out, const struct db_result *rows, size_t row)
{
    const struct {
        char *text;
        size_t room;
    } fields[] = {
        { out->country, sizeof(out->country) },
        { out->sender_type, sizeof(out->sender_type) },
        { out->channel, sizeof(out->channel) },
        { out->direction, sizeof(out->direction) },
        { out->currency, sizeof(out->currency) },
        { out->as_of, sizeof(out->as_of) },
        { out->source, sizeof(out->source) },
    };

    for (size_t i = 0; i < COUNT_OF(fields); i++)
        (void)snprintf(fields[i].text, fields[i].room, "%s", db_text(rows, row, (int)i));
    out->price_micros = db_int(rows, row, COUNT_OF(fields));
    out->carrier_fee_micros = db_int(rows, row, COUNT_OF(fields) + 1);
}

enum outcome store_rate_card_read(struct rate_card **out, const struct db_result *rows,
                                  struct err *err)
{
    struct rate_card *card = rate_card_new();

    for (size_t i = 0; i < db_rows(rows); i++) {
        struct rate rate = { 0 };

        read_rate(&rate, rows, i);
        enum outcome rc = rate_card_add(card, &rate, err);
        if (rc) {
            rate_card_free(card);
            return rc;
        }
    }
    *out = card;
    return OUTCOME_OK;
}
