#include "tokens.h"

#include "buf.h"
#include "sql.h"

#include <stdio.h>
#include <string.h>

enum { SCOPES_MAX_BYTES = 256, RANDOM_BYTES = 24 };

// The client is made when it is new; the union finds it when it is not.
static const char create_sql[] =
    "WITH made AS ("
    " INSERT INTO clients (name) VALUES ($1) ON CONFLICT (name) DO NOTHING"
    " RETURNING client_id"
    "), one AS ("
    " SELECT client_id FROM made UNION ALL SELECT client_id FROM clients WHERE name = $1"
    " LIMIT 1)"
    " INSERT INTO api_tokens (client_id, token_hash, shown_prefix, scopes, expires_at)"
    " SELECT client_id, decode($2, 'hex'), $3, string_to_array($4, ' '),"
    " now() + nullif($5::int, 0) * interval '1 day' FROM one RETURNING token_id";

static void make_token(char out[TOKEN_TEXT_BYTES])
{
    unsigned char secret[RANDOM_BYTES];

    random_bytes(secret, sizeof(secret));
    memcpy(out, "smsq_", 5);
    hex_encode(out + 5, secret, sizeof(secret));
}

static enum outcome insert(PGconn *db, const char *token, const struct token_order *order,
                           const struct keys *keys, struct err *err)
{
    unsigned char hash[KEY_BYTES];
    char hash_hex[2 * KEY_BYTES + 1], prefix[TOKEN_PREFIX_BYTES] = "", days[24];
    struct buf scopes = BUF_INIT(SCOPES_MAX_BYTES);

    keys_token_hash(keys, token, strlen(token), hash);
    hex_encode(hash_hex, hash, sizeof(hash));
    memcpy(prefix, token, sizeof(prefix) - 1);
    snprintf(days, sizeof(days), "%lld", (long long)order->expires_days);
    for (size_t i = 0; i < order->scope_count; i++)
        buf_addf(&scopes, "%s%s", i ? " " : "", order->scopes[i]);
    const char *const values[] = { order->client, hash_hex, prefix, buf_text(&scopes),
                                   days };

    PGresult *answer =
        PQexecParams(db, create_sql, COUNT_OF(values), NULL, values, NULL, NULL, 0);
    bool is_written = PQntuples(answer) == 1;
    enum outcome rc = sql_take(db, answer, PGRES_TUPLES_OK, err);
    if (!rc && !is_written)
        rc = err_set(err, OUTCOME_RETRY, "somebody else is making this client just now");
    buf_free(&scopes);
    return rc;
}

enum outcome tokens_create(char out[TOKEN_TEXT_BYTES], const struct token_order *order,
                           const struct keys *keys, const char *database_url,
                           struct err *err)
{
    char token[TOKEN_TEXT_BYTES];
    PGconn *db;
    enum outcome rc = sql_open(&db, database_url, err);
    if (rc)
        return rc;

    make_token(token);
    rc = insert(db, token, order, keys, err);
    PQfinish(db);
    if (!rc)
        memcpy(out, token, sizeof(token));
    return rc;
}
