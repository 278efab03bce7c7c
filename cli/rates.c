#include "rates.h"

#include "rate_card.h"

#include <libpq-fe.h>
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

// Errors of the data (22, 23), of rights and of missing tables (42) stay what they are;
// everything else may pass.
static enum outcome failed(PGconn *conn, const PGresult *answer, struct err *err)
{
    const char *state = answer ? PQresultErrorField(answer, PG_DIAG_SQLSTATE) : NULL;
    bool is_final =
        state && (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 ||
                  strncmp(state, "42", 2) == 0);
    const char *text = PQerrorMessage(conn);

    return err_set(err, is_final ? OUTCOME_REJECT : OUTCOME_RETRY, "PostgreSQL: %.*s",
                   (int)strcspn(text, "\n"), text);
}

static enum outcome finish(PGconn *conn, PGresult *answer, struct err *err)
{
    enum outcome rc = OUTCOME_OK;

    if (PQresultStatus(answer) != PGRES_COMMAND_OK)
        rc = failed(conn, answer, err);
    PQclear(answer);
    return rc;
}

static enum outcome upsert(PGconn *conn, const struct rate *rate, struct err *err)
{
    char price[MICROS_TEXT_BYTES], fee[MICROS_TEXT_BYTES];
    const char *const values[PARAMETERS] = {
        rate->country, rate->sender_type, rate->channel, rate->direction, price,
        fee,           rate->currency,    rate->source,  rate->as_of,
    };

    (void)snprintf(price, sizeof(price), "%lld", (long long)rate->price_micros);
    (void)snprintf(fee, sizeof(fee), "%lld", (long long)rate->carrier_fee_micros);
    return finish(conn, PQexecPrepared(conn, "rate", PARAMETERS, values, NULL, NULL, 0),
                  err);
}

// A failure leaves the transaction open; closing the connection rolls it back.
static enum outcome write_card(PGconn *conn, const struct rate_card *card,
                               struct err *err)
{
    if (PQstatus(conn) != CONNECTION_OK)
        return failed(conn, NULL, err);

    enum outcome rc = finish(conn, PQexec(conn, "begin"), err);
    if (!rc)
        rc = finish(conn, PQprepare(conn, "rate", upsert_sql, PARAMETERS, NULL), err);
    for (size_t i = 0; !rc && i < rate_card_count(card); i++)
        rc = upsert(conn, rate_card_at(card, i), err);
    if (!rc)
        rc = finish(conn, PQexec(conn, "commit"), err);
    return rc;
}

enum outcome rates_load(size_t *count, const char *path, const char *database_url,
                        struct err *err)
{
    struct rate_card *card = NULL;
    enum outcome rc = rate_card_load(&card, path, err);
    if (rc)
        return rc;

    PGconn *conn = PQconnectdb(database_url);
    rc = write_card(conn, card, err);
    PQfinish(conn);
    if (!rc)
        *count = rate_card_count(card);
    rate_card_free(card);
    return rc;
}
