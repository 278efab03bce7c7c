#include "rates.h"

#include "rate_card.h"
#include "sql.h"
#include "terminal.h"

#include <stdio.h>
#include <string.h>

static const char upsert_sql[] =
    "insert into rate_card as r (country, sender_type, channel, direction, price_micros,"
    "                            carrier_fee_micros, currency, source, as_of)"
    " values ($1, $2, $3, $4, $5::bigint, $6::bigint, $7, $8, $9::date)"
    " on conflict (country, sender_type, channel, direction) do update set"
    "    price_micros = excluded.price_micros,"
    "    carrier_fee_micros = excluded.carrier_fee_micros,"
    "    currency = excluded.currency, source = excluded.source, as_of = excluded.as_of,"
    "    loaded_at = now()";

enum { PARAMETERS = 9, MICROS_TEXT_BYTES = 24 };

static enum outcome upsert(PGconn *conn, const struct rate *rate, struct err *err)
{
    char price[MICROS_TEXT_BYTES], fee[MICROS_TEXT_BYTES];
    const char *const values[PARAMETERS] = {
        rate->country, rate->sender_type, rate->channel, rate->direction, price,
        fee,           rate->currency,    rate->source,  rate->as_of,
    };

    (void)snprintf(price, sizeof(price), "%lld", (long long)rate->price_micros);
    (void)snprintf(fee, sizeof(fee), "%lld", (long long)rate->carrier_fee_micros);
    return sql_take(conn, PQexecPrepared(conn, "rate", PARAMETERS, values, NULL, NULL, 0),
                    PGRES_COMMAND_OK, err);
}

static enum outcome run(PGconn *conn, const char *sql, struct err *err)
{
    return sql_take(conn, PQexec(conn, sql), PGRES_COMMAND_OK, err);
}

static enum outcome write_card(PGconn *conn, const struct rate_card *card,
                               struct err *err)
{
    struct progress progress;
    enum outcome rc = run(conn, "begin", err);
    if (!rc)
        rc = sql_take(conn, PQprepare(conn, "rate", upsert_sql, PARAMETERS, NULL),
                      PGRES_COMMAND_OK, err);
    progress_begin(&progress, "loaded", rate_card_count(card));
    for (size_t i = 0; !rc && i < rate_card_count(card); i++) {
        rc = upsert(conn, rate_card_at(card, i), err);
        progress_at(&progress, i);
    }
    progress_end(&progress);
    return rc ? rc : run(conn, "commit", err);
}

enum outcome rates_load(size_t *count, const char *path, const char *database_url,
                        struct err *err)
{
    struct rate_card *card = NULL;
    PGconn *conn;
    enum outcome rc = rate_card_load(&card, path, err);
    if (rc)
        return rc;

    rc = sql_open(&conn, database_url, err);
    if (!rc) {
        rc = write_card(conn, card, err);
        PQfinish(conn);
    }
    if (!rc)
        *count = rate_card_count(card);
    rate_card_free(card);
    return rc;
}
