#include "access.h"

#include "db.h"
#include "http_server.h"
#include "keys.h"
#include "limits.h"
#include "metrics.h"
#include "patience.h"
#include "token.h"
#include "token_cache.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELD_BYTES = 96 };

struct access {
    struct access_settings set;
    struct token_cache *tokens;
    struct limits *limits;
    struct metric *no_token, *no_scope, *no_rate;
};

// A request with a token; it may have to wait for PostgreSQL.
struct asking {
    struct patient patient;
    struct token_wait wait;
    struct access *access;
    struct http_request *req;
    unsigned wanted;
    access_granted *granted;
    void *arg;
    struct token_name name;
    unsigned char hash[KEY_BYTES];
};

struct access *access_new(struct reactor *r, const struct access_settings *set,
                          struct metrics *metrics)
{
    static const char help[] = "Requests refused for their token, by what was wrong.";
    struct access *a = xcalloc(1, sizeof(*a));

    a->set = *set;
    a->tokens = token_cache_new(r, set->db);
    a->limits = limits_new(r, set->db);
    a->no_token =
        metrics_counter(metrics, "smsq_requests_denied_total", "reason=\"token\"", help);
    a->no_scope =
        metrics_counter(metrics, "smsq_requests_denied_total", "reason=\"scope\"", help);
    a->no_rate =
        metrics_counter(metrics, "smsq_requests_denied_total", "reason=\"rate\"", help);
    return a;
}

void access_free(struct access *a)
{
    if (!a)
        return;
    limits_free(a->limits);
    token_cache_free(a->tokens);
    free(a);
}

bool caller_has(const struct caller *caller, enum scope scope)
{
    return (caller->scopes & (scope | SCOPE_ADMIN)) != 0;
}

static void refuse_token(struct access *a, struct http_request *req, const char *detail)
{
    static const struct http_header headers[] = {
        { "WWW-Authenticate", "Bearer realm=\"smsq\"" },
        { NULL, NULL },
    };
    metric_add(a->no_token, 1);
    http_problem(req, &(struct http_problem){ .status = 401,
                                              .code = "unauthorized",
                                              .detail = detail,
                                              .headers = headers });
}

static void refuse_scope(struct access *a, struct http_request *req, unsigned wanted)
{
    struct err detail;

    err_set(&detail, OUTCOME_REJECT,
            "this token lacks the scope %s; make one with: smsq token create --scope %s",
            scope_name(wanted), scope_name(wanted));
    metric_add(a->no_scope, 1);
    http_problem(req, &(struct http_problem){
                          .status = 403, .code = "forbidden", .detail = detail.text });
}

static void refuse_rate(struct access *a, struct http_request *req,
                        const struct limit_answer *limit)
{
    struct err detail;
    char seconds[24];
    const struct http_header headers[] = { { "Retry-After", seconds }, { NULL, NULL } };

    (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)limit->wait_s);
    err_set(&detail, OUTCOME_RETRY,
            "this token may ask %lld times a minute; come again in %s s",
            (long long)limit->quota, seconds);
    metric_add(a->no_rate, 1);
    http_problem(req, &(struct http_problem){ .status = 429,
                                              .code = "rate_limited",
                                              .detail = detail.text,
                                              .headers = headers });
}

// Fields of draft-ietf-httpapi-ratelimit-headers (10): q requests in a window of w
// seconds; r of them are left, and all are again after t seconds.
static void add_fields(struct http_request *req, const struct limit_answer *limit)
{
    char text[FIELD_BYTES];

    (void)snprintf(text, sizeof(text), "\"token\";q=%lld;w=60", (long long)limit->quota);
    http_request_add_header(req, "RateLimit-Policy", text);
    (void)snprintf(text, sizeof(text), "\"token\";r=%lld;t=%lld", (long long)limit->left,
                   (long long)limit->full_s);
    http_request_add_header(req, "RateLimit", text);
}

// Returns false when it has answered the request.
static bool is_in_rate(struct access *a, struct http_request *req, struct token *token)
{
    int64_t rate =
        token->rate_per_minute < 0 ? *a->set.rate_limit : token->rate_per_minute;

    if (rate == 0)
        return true;
    struct limit_answer limit = limits_take(a->limits, &token->limit, rate);
    add_fields(req, &limit);
    if (!limit.granted)
        refuse_rate(a, req, &limit);
    return limit.granted;
}

// What is wrong with it, or NULL.
static const char *objection(const struct token *token, const unsigned char *hash)
{
    int64_t now_us = clock_wall_us();

    if (!token || CRYPTO_memcmp(token->hash, hash, KEY_BYTES) != 0)
        return "this API token is not known";
    if (token->revoked_at)  // PostgreSQL's clock, which may be ahead of ours
        return "this API token was revoked";
    if (token->expires_at && token->expires_at <= now_us)
        return "this API token has expired";
    return NULL;
}

static void decide(const struct asking *q, struct token *token)
{
    struct access *a = q->access;
    const char *detail = objection(token, q->hash);

    if (detail) {
        refuse_token(a, q->req, detail);
        return;
    }
    token_cache_used(a->tokens, token);
    if (!is_in_rate(a, q->req, token))
        return;
    if (!(token->scopes & (q->wanted | SCOPE_ADMIN))) {
        refuse_scope(a, q->req, q->wanted);
        return;
    }
    const struct caller caller = { token->client, token->scopes, token->mode };
    q->granted(q->arg, q->req, &caller);
}

static void on_told(struct token_wait *wait, const struct db_answer *answer)
{
    struct asking *q = (struct asking *)((char *)wait - offsetof(struct asking, wait));
    bool is_awaited = patience_end(q->access->set.patience, &q->patient);

    if (is_awaited && answer->rc)
        http_problem(q->req, &(struct http_problem){ .status = 500,
                                                     .code = "internal",
                                                     .detail = "the token could not be "
                                                               "looked up" });
    else if (is_awaited)
        decide(q, token_cache_find(q->access->tokens, q->name.key_id));
    free(q);
}

static void wait_for_tokens(const struct asking *asking)
{
    struct access *a = asking->access;

    // Without an error it is connecting for the first time.
    if (!db_is_up(a->set.db) && db_error(a->set.db)[0]) {
        patience_refuse(asking->req);
        return;
    }
    struct asking *q = xcalloc(1, sizeof(*q));
    *q = *asking;
    q->wait.done = on_told;
    patience_begin(a->set.patience, &q->patient, q->req);
    token_cache_wait(a->tokens, &q->wait);
}

// Returns the token behind "Bearer ", or NULL.
static const char *bearer(const struct http_request *req)
{
    const char *text = http_request_header(req, "Authorization");

    if (!text || strncasecmp(text, "Bearer ", 7) != 0)
        return NULL;
    text += 7;
    text += strspn(text, " ");
    return text[0] ? text : NULL;
}

void access_check(struct access *a, struct http_request *req, unsigned wanted,
                  access_granted *granted, void *arg)
{
    const char *text = bearer(req);
    struct asking q = {
        .access = a, .req = req, .wanted = wanted, .granted = granted, .arg = arg
    };

    if (!text) {
        refuse_token(a, req,
                     "send an API token: Authorization: Bearer TOKEN; make one with: "
                     "smsq token create");
        return;
    }
    size_t len = strlen(text);
    if (!token_parse(&q.name, text, len)) {
        refuse_token(a, req, "this is no API token of smsq: it was cut or mistyped");
        return;
    }
    keys_token_hash(a->set.keys, text, len, q.hash);
    struct token *token = token_cache_find(a->tokens, q.name.key_id);
    if (token && token_cache_is_fresh(a->tokens))
        decide(&q, token);
    else
        wait_for_tokens(&q);
}
