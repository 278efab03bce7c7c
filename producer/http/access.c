#include "access.h"

#include "db.h"
#include "http_server.h"
#include "keys.h"
#include "patience.h"
#include "store_messages.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    REMEMBERED_US = 5000000,  // revocation takes effect within this
    PLACES = 4096,            // tokens remembered at most; a collision forgets the older
    TOKEN_MAX_BYTES = 512,
};

struct place {
    unsigned char hash[KEY_BYTES];
    struct caller caller;
    int64_t until_us;  // clock_boot_us; 0 = free
};

struct access {
    struct db *db;
    const struct keys *keys;
    struct patience *patience;
    struct place places[PLACES];
};

// A request whose token PostgreSQL is asked about.
struct lookup {
    struct patient waiting;
    struct access *access;
    struct http_request *req;
    unsigned wanted;
    access_granted *granted;
    void *arg;
    unsigned char hash[KEY_BYTES];
};

struct access *access_new(struct db *db, const struct keys *keys,
                          struct patience *patience)
{
    struct access *a = xcalloc(1, sizeof(*a));

    a->db = db;
    a->keys = keys;
    a->patience = patience;
    return a;
}

void access_free(struct access *a)
{
    free(a);
}

bool caller_has(const struct caller *caller, enum scope scope)
{
    return (caller->scopes & (scope | SCOPE_ADMIN)) != 0;
}

static void refuse_token(struct http_request *req, const char *detail)
{
    static const struct http_header headers[] = {
        { "WWW-Authenticate", "Bearer realm=\"smsq\"" },
        { NULL, NULL },
    };
    http_problem(req, &(struct http_problem){ .status = 401,
                                              .code = "unauthorized",
                                              .detail = detail,
                                              .headers = headers });
}

static void refuse_scope(struct http_request *req, unsigned wanted)
{
    struct err detail;

    err_set(&detail, OUTCOME_REJECT,
            "this token lacks the scope %s; make one with: smsq token create --scope %s",
            scope_name(wanted), scope_name(wanted));
    http_problem(req, &(struct http_problem){
                          .status = 403, .code = "forbidden", .detail = detail.text });
}

static void decide(struct http_request *req, const struct caller *caller, unsigned wanted,
                   access_granted *granted, void *arg)
{
    if (caller->scopes & (wanted | SCOPE_ADMIN))
        granted(arg, req, caller);
    else
        refuse_scope(req, wanted);
}

static struct place *place_of(struct access *a, const unsigned char hash[KEY_BYTES])
{
    return &a->places[(hash[0] | hash[1] << 8) % PLACES];
}

static unsigned parse_scopes(const char *words)
{
    unsigned found = 0;

    while (*words) {
        size_t len = strcspn(words, " ");
        found |= scope_find(words, len);
        words += len;
        words += strspn(words, " ");
    }
    return found;
}

static void settle(const struct lookup *l, const struct token_row *row)
{
    int64_t now_us = clock_wall_us();

    if (row->revoked_at && row->revoked_at <= now_us) {
        refuse_token(l->req, "this API token was revoked");
        return;
    }
    if (row->expires_at && row->expires_at <= now_us) {
        refuse_token(l->req, "this API token has expired");
        return;
    }
    struct place *p = place_of(l->access, l->hash);
    memcpy(p->hash, l->hash, sizeof(p->hash));
    p->caller = (struct caller){ row->client, parse_scopes(row->scopes) };
    p->until_us = clock_boot_us() + REMEMBERED_US;
    const struct caller caller = p->caller;
    decide(l->req, &caller, l->wanted, l->granted, l->arg);
}

static void on_token(void *arg, const struct db_answer *answer)
{
    struct lookup *l = arg;
    struct token_row row;
    bool is_awaited = patience_end(l->access->patience, &l->waiting);

    if (is_awaited && answer->rc)
        http_problem(l->req, &(struct http_problem){ .status = 500,
                                                     .code = "internal",
                                                     .detail = "the token could not be "
                                                               "looked up" });
    else if (is_awaited && !store_token_read(&row, answer->rows))
        refuse_token(l->req, "this API token is not known");
    else if (is_awaited)
        settle(l, &row);
    free(l);
}

static void ask(struct access *a, const struct lookup *lookup)
{
    if (!db_is_up(a->db)) {
        patience_refuse(lookup->req);
        return;
    }
    struct lookup *l = xcalloc(1, sizeof(*l));
    *l = *lookup;
    patience_begin(a->patience, &l->waiting, l->req);
    store_token(a->db, l->hash, on_token, l);
}

// Returns the token behind "Bearer ", or NULL.
static const char *bearer(const struct http_request *req)
{
    const char *text = http_request_header(req, "Authorization");

    if (!text || strncasecmp(text, "Bearer ", 7) != 0)
        return NULL;
    text += 7;
    text += strspn(text, " ");
    return text[0] && strlen(text) <= TOKEN_MAX_BYTES ? text : NULL;
}

void access_check(struct access *a, struct http_request *req, unsigned wanted,
                  access_granted *granted, void *arg)
{
    const char *token = bearer(req);
    struct lookup l = {
        .access = a, .req = req, .wanted = wanted, .granted = granted, .arg = arg
    };

    if (!token) {
        refuse_token(req,
                     "send an API token: Authorization: Bearer TOKEN; make one with: "
                     "smsq token create");
        return;
    }
    keys_token_hash(a->keys, token, strlen(token), l.hash);
    struct place *p = place_of(a, l.hash);
    if (p->until_us > clock_boot_us() && CRYPTO_memcmp(p->hash, l.hash, KEY_BYTES) == 0) {
        const struct caller caller = p->caller;
        decide(req, &caller, wanted, granted, arg);
        return;
    }
    ask(a, &l);
}
