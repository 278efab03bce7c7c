#include "tokens.h"

#include "buf.h"
#include "sql.h"

#include <stdio.h>
#include <string.h>

enum { SCOPES_MAX_BYTES = 256, SHOWN_MAX_BYTES = 64, NUMBER_BYTES = 24 };

// The columns of token_info, from api_tokens t and the client's name.
#define TIME(column)                                                                     \
    "coalesce(to_char(" column " at time zone 'UTC', " TIME_FORMAT "), '')"
#define TIME_FORMAT "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'"
#define INFO(client)                                                                     \
    " t.key_id, " client ", t.mode, array_to_string(t.scopes, ' '),"                     \
    " coalesce(t.rate_per_minute::text, ''), " TIME(                                     \
        "t.created_at") ","                                                              \
                        " " TIME("t.expires_at") ", " TIME("t.revoked_at") ", " TIME(    \
                            "t.last_used_at") ","                                        \
                                              " case when t.revoked_at <= now() then "   \
                                              "'revoked'"                                \
                                              "      when t.expires_at <= now() then "   \
                                              "'expired' else 'active' end"

// The client is made when it is new; the union finds it when it is not.
static const char create_sql[] =
    "WITH made AS ("
    " INSERT INTO clients (name) VALUES ($1) ON CONFLICT (name) DO NOTHING"
    " RETURNING client_id"
    "), one AS ("
    " SELECT client_id FROM made UNION ALL SELECT client_id FROM clients WHERE name = $1"
    " LIMIT 1)"
    " INSERT INTO api_tokens AS t (client_id, token_hash, key_id, shown_prefix, scopes,"
    "                              expires_at, rate_per_minute, mode)"
    " SELECT client_id, decode($2, 'hex'), $3, $4, string_to_array($5, ' '),"
    " now() + nullif($6::int, 0) * interval '1 day', nullif($7::int, -1), $8 FROM one"
    " RETURNING" INFO("$1::text");

static const char list_sql[] =
    "SELECT" INFO("c.name") " FROM api_tokens t JOIN clients c USING (client_id)"
                            " WHERE (c.name = $1 OR $1 IS NULL)"
                            " AND ($2::bool OR ((t.revoked_at <= now()) IS NOT TRUE"
                            "                   AND (t.expires_at <= now()) IS NOT TRUE))"
                            " ORDER BY t.token_id";

static const char revoke_sql[] =
    "UPDATE api_tokens t SET revoked_at = least(t.revoked_at, now())"
    " FROM clients c WHERE c.client_id = t.client_id AND t.key_id = $1"
    " RETURNING" INFO("c.name");

static void tell(const struct sql_answer *rows, tokens_each *each, void *arg)
{
    for (size_t i = 0; i < sql_rows(rows); i++) {
        const struct token_info info = {
            .key_id = sql_text(rows, i, 0),
            .client = sql_text(rows, i, 1),
            .mode = sql_text(rows, i, 2),
            .scopes = sql_text(rows, i, 3),
            .rate_per_minute = sql_text(rows, i, 4),
            .created_at = sql_text(rows, i, 5),
            .expires_at = sql_text(rows, i, 6),
            .revoked_at = sql_text(rows, i, 7),
            .last_used_at = sql_text(rows, i, 8),
            .state = sql_text(rows, i, 9),
        };
        each(arg, &info);
    }
}

// *count is how many rows the statement gave.
static enum outcome ask(size_t *count, const char *database_url, const char *sql,
                        const char *const *values, int value_count, tokens_each *each,
                        void *arg, struct err *err)
{
    struct sql_answer answer;
    enum outcome rc = sql_ask(&answer, database_url, sql, values, value_count, err);

    if (rc)
        return rc;
    *count = sql_rows(&answer);
    tell(&answer, each, arg);
    sql_answer_free(&answer);
    return OUTCOME_OK;
}

static enum outcome insert(const char *token, const struct token_name *name,
                           const struct token_order *order, const struct keys *keys,
                           const char *database_url, tokens_each *each, void *arg,
                           struct err *err)
{
    unsigned char hash[KEY_BYTES];
    char hash_hex[2 * KEY_BYTES + 1], days[NUMBER_BYTES], rate[NUMBER_BYTES];
    struct buf scopes = BUF_INIT(SCOPES_MAX_BYTES), shown = BUF_INIT(SHOWN_MAX_BYTES);
    size_t count = 0;

    keys_token_hash(keys, token, strlen(token), hash);
    hex_encode(hash_hex, hash, sizeof(hash));
    (void)snprintf(days, sizeof(days), "%lld", (long long)order->expires_days);
    (void)snprintf(rate, sizeof(rate), "%lld", (long long)order->rate_per_minute);
    for (size_t i = 0; i < order->scope_count; i++)
        buf_addf(&scopes, "%s%s", i ? " " : "", order->scopes[i]);
    buf_addf(&shown, "smsq_%s_%s", account_mode_name(name->mode), name->key_id);
    const char *const values[] = {
        order->client,     hash_hex, name->key_id, buf_text(&shown),
        buf_text(&scopes), days,     rate,         account_mode_name(name->mode),
    };

    enum outcome rc =
        ask(&count, database_url, create_sql, values, COUNT_OF(values), each, arg, err);
    if (!rc && count != 1)
        rc = err_set(err, OUTCOME_RETRY, "somebody else is making this client just now");
    buf_free(&shown);
    buf_free(&scopes);
    return rc;
}

enum outcome tokens_create(char out[TOKEN_TEXT_BYTES], const struct token_order *order,
                           const struct keys *keys, const char *database_url,
                           tokens_each *each, void *arg, struct err *err)
{
    struct token_name name;

    token_make(out, &name, order->mode);
    return insert(out, &name, order, keys, database_url, each, arg, err);
}

enum outcome tokens_list(const char *client, bool all, const char *database_url,
                         tokens_each *each, void *arg, struct err *err)
{
    const char *const values[] = { client, all ? "true" : "false" };
    size_t count;

    return ask(&count, database_url, list_sql, values, COUNT_OF(values), each, arg, err);
}

enum outcome tokens_revoke(const char *key_id, const char *database_url,
                           tokens_each *each, void *arg, struct err *err)
{
    const char *const values[] = { key_id };
    size_t count;

    return ask(&count, database_url, revoke_sql, values, COUNT_OF(values), each, arg,
               err);
}
