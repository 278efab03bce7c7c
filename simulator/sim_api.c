#include "sim_api.h"
#include "account.h"
#include "buf.h"
#include "form.h"
#include "http_server.h"
#include "sim_answers.h"
#include "sim_ledger.h"
#include "sim_list.h"
#include "sim_settings.h"
#include "sim_sids.h"
#include "sim_store.h"
#include "simulator.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    ANSWER_MAX_BYTES = 64 << 20,  // 1000 messages of the longest kind
    CREDENTIALS_MAX_BYTES = 1024,
    SID_CHARACTERS = 34,
};

struct sim_api {
    struct simulator *sim;
    struct buf credentials;  // the right Authorization, behind "Basic "
    struct buf answer;
    struct sim_list_page page;
};

static void send_answer(struct sim_api *api, struct http_request *req, int status)
{
    sim_answers_send(api->sim->answers, req, status, buf_text(&api->answer),
                     api->answer.len);
}

static void send_error(struct sim_api *api, struct http_request *req,
                       const struct sim_error *error)
{
    buf_clear(&api->answer);
    sim_error_render(&api->answer, error);
    send_answer(api, req, error->status);
}

static enum outcome read_form(struct form *form, struct http_request *req,
                              struct sim_error *error)
{
    size_t len = 0;
    const char *body = http_request_body(req, &len);
    struct err err = { 0 };

    if (!form_parse(form, body ? body : "", len, &err))
        return OUTCOME_OK;
    return sim_error_set(error, 400, 20001, "The form cannot be read: %s.",
                         (struct sim_text){ err.text, strlen(err.text) });
}

static void create(struct sim_api *api, struct http_request *req)
{
    struct simulator *sim = api->sim;
    struct form form = { 0 };
    struct sim_error error;
    struct sim_checked checked;

    enum outcome rc = read_form(&form, req, &error);
    if (!rc)
        rc = sim_check(&checked, &sim->checker, &form, &error);

    buf_clear(&api->answer);
    if (rc) {
        sim_ledger_refuse(sim->ledger);
        sim_error_render(&api->answer, &error);
    } else {
        const struct sim_message *m = simulator_create(sim, &checked.draft);
        sim_json_message(&api->answer, &sim->json, m, true);
    }
    form_free(&form);
    sim_answers_send_late(sim->answers, req, rc ? error.status : 201,
                          buf_text(&api->answer), api->answer.len);
}

static void not_found(struct sim_api *api, struct http_request *req)
{
    const char *path = http_request_path(req);
    struct sim_error error;

    (void)sim_error_set(&error, 404, 20404, "The requested resource %s was not found",
                        (struct sim_text){ path, strlen(path) });
    send_error(api, req, &error);
}

static void fetch(struct sim_api *api, struct http_request *req, struct sim_text sid)
{
    uint32_t number = 0;
    const struct sim_message *m = NULL;

    if (sim_sids_read(api->sim->sids, sid.bytes, sid.len, &number))
        m = sim_store_get(api->sim->store, number);
    if (!m) {
        not_found(api, req);
        return;
    }
    buf_clear(&api->answer);
    sim_json_message(&api->answer, &api->sim->json, m, false);
    send_answer(api, req, 200);
}

// Reads a plain decimal of up to nine digits; false for anything else.
static bool read_count(const char *text, size_t *out)
{
    size_t value = 0;

    if (!*text || strlen(text) > 9)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (size_t)(*text - '0');
    }
    *out = value;
    return true;
}

static const char *filter(const struct http_request *req, const char *name)
{
    const char *value = http_request_query(req, name);
    return value && value[0] ? value : NULL;
}

static enum outcome read_query(struct sim_list_query *q, struct sim_api *api,
                               const struct http_request *req, struct sim_error *error)
{
    const char *size = filter(req, "PageSize"), *page = filter(req, "Page");
    const char *token = filter(req, "PageToken");
    const char *bad = NULL;

    *q = (struct sim_list_query){
        .to = filter(req, "To"),
        .from = filter(req, "From"),
        .page_size = SIM_LIST_PAGE_SIZE,
    };
    if (size && (!read_count(size, &q->page_size) || q->page_size == 0))
        bad = size;
    else if (page && !read_count(page, &q->page))
        bad = page;
    else if (token && sim_list_read_token(q, api->sim->sids, token, NULL))
        bad = token;
    if (bad)
        return sim_error_set(error, 400, 20001, "Invalid paging parameter: %s",
                             (struct sim_text){ bad, strlen(bad) });
    if (q->page_size > SIM_LIST_PAGE_MAX)
        return sim_error_set(error, 400, 20007,
                             "Page size too large: %s; maximum is 1000",
                             (struct sim_text){ size, strlen(size) });
    return OUTCOME_OK;
}

static void list(struct sim_api *api, struct http_request *req)
{
    struct simulator *sim = api->sim;
    struct sim_list_query q;
    struct sim_error error;

    if (read_query(&q, api, req, &error)) {
        send_error(api, req, &error);
        return;
    }
    sim_list_select(&api->page, sim->store, &q);
    buf_clear(&api->answer);
    sim_list_render(&api->answer, &sim->json, sim->store, &q, &api->page);
    send_answer(api, req, 200);
}

static void not_allowed(struct sim_api *api, struct http_request *req)
{
    struct sim_error error;

    (void)sim_error_set(&error, 405, 20004, "Method not allowed",
                        (struct sim_text){ "", 0 });
    send_error(api, req, &error);
}

// Credentials in canonical base64 have one form only, so the texts are compared.
static bool is_authorized(const struct sim_api *api, const char *header)
{
    static const char scheme[] = "Basic ";
    const struct buf *right = &api->credentials;

    if (!header || strncasecmp(header, scheme, strlen(scheme)) != 0)
        return false;
    const char *given = header + strlen(scheme);
    return strlen(given) == right->len &&
           CRYPTO_memcmp(given, buf_text(right), right->len) == 0;
}

static void refuse_login(struct sim_api *api, struct http_request *req, bool is_given)
{
    struct sim_error error;

    (void)sim_error_set(&error, 401, 20003,
                        is_given ? "Authenticate"
                                 : "Authentication Error - No credentials provided",
                        (struct sim_text){ "", 0 });
    error.detail = "Your AccountSid or AuthToken was incorrect.";
    send_error(api, req, &error);
}

// Returns what follows prefix in text, or NULL.
static const char *skip(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static void handle_list(struct sim_api *api, struct http_request *req, const char *method)
{
    if (strcmp(method, "POST") == 0)
        create(api, req);
    else if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        list(api, req);
    else
        not_allowed(api, req);
}

// rest is "{Sid}.json".
static void handle_one(struct sim_api *api, struct http_request *req, const char *method,
                       const char *rest)
{
    size_t len = strlen(rest);

    if (len != SID_CHARACTERS + 5 || strcmp(rest + SID_CHARACTERS, ".json") != 0)
        not_found(api, req);
    else if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        fetch(api, req, (struct sim_text){ rest, SID_CHARACTERS });
    else
        not_allowed(api, req);
}

void sim_api_handle(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    struct sim_api *api = sim->api;
    const char *method = http_request_method(req);
    const char *header = http_request_header(req, "Authorization");
    const char *rest = skip(http_request_path(req), "/" SIM_JSON_API_VERSION "/");

    if (!rest) {
        not_found(api, req);
        return;
    }
    if (!is_authorized(api, header)) {
        refuse_login(api, req, header != NULL);
        return;
    }
    rest = skip(skip(skip(rest, "Accounts/"), sim->json.account_sid), "/Messages");
    if (rest && strcmp(rest, ".json") == 0)
        handle_list(api, req, method);
    else if (rest && rest[0] == '/')
        handle_one(api, req, method, rest + 1);
    else
        not_found(api, req);
}

struct sim_api *sim_api_new(struct simulator *sim)
{
    struct sim_api *api = xcalloc(1, sizeof(*api));
    struct buf plain = BUF_INIT(CREDENTIALS_MAX_BYTES);

    api->sim = sim;
    buf_init(&api->answer, ANSWER_MAX_BYTES);
    buf_init(&api->credentials, CREDENTIALS_MAX_BYTES * 2);
    buf_add_text(&plain, sim->set->account.simulator_account_sid);
    buf_add_char(&plain, ':');
    buf_add_text(&plain, sim->set->account.simulator_auth_token);
    buf_add_base64(&api->credentials, buf_text(&plain), plain.len);
    buf_free(&plain);
    return api;
}

void sim_api_free(struct sim_api *api)
{
    if (!api)
        return;
    buf_free(&api->credentials);
    buf_free(&api->answer);
    free(api);
}
