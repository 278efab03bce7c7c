#include "sim_api.h"
#include "buf.h"
#include "http_server.h"
#include "sim_accounts.h"
#include "sim_answers.h"
#include "sim_fault_answers.h"
#include "sim_faults.h"
#include "sim_request.h"
#include "simulator.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    ANSWER_MAX_BYTES = 64 << 20,  // 1000 messages of the longest kind
    CREDENTIALS_MAX_BYTES = 1024,
};

static const char api_prefix[] = "/2010-04-01/";

struct sim_api {
    struct simulator *sim;
    struct buf credentials;  // of the request in hand, decoded
    struct buf answer;
    struct buf faulty;                       // what a fault makes of it
    uint64_t counts[SIM_FAULT_ON_LIST + 1];  // of requests by what they are, for faults
};

enum outcome sim_request_not_found(const struct sim_request *r, struct sim_error *error)
{
    return sim_error_code(error, 20404, (struct sim_text){ r->path, strlen(r->path) });
}

char *sim_request_param(const struct sim_request *r, const char *name, size_t max,
                        bool *is_bad)
{
    const struct form_pair *pair = form_find(&r->form, name);

    if (!pair)
        return NULL;
    if (pair->value_len > max || !utf8_is_valid(pair->value, pair->value_len)) {
        *is_bad = true;
        return NULL;
    }
    return xmemdup0(pair->value, pair->value_len);
}

enum outcome sim_request_bad_param(struct sim_error *error, const char *name)
{
    return sim_error_code(error, 20001, (struct sim_text){ name, strlen(name) });
}

// Compares a pattern with a path; fills ids with what stands for each '*'.
static bool is_match(const char *pattern, const char *path,
                     char ids[SIM_REQUEST_IDS][SIM_REQUEST_ID_BYTES])
{
    size_t count = 0;

    for (; *pattern; pattern++) {
        if (*pattern != '*') {
            if (*pattern != *path++)
                return false;
            continue;
        }
        size_t len = strcspn(path, "/.");
        if (len == 0 || len >= SIM_REQUEST_ID_BYTES)
            return false;
        memcpy(ids[count], path, len);
        ids[count++][len] = '\0';
        path += len;
    }
    return *path == '\0';
}

// Returns the route of the request's path and method; NULL: *is_known tells whether the
// path has other methods.
static const struct sim_route *find_route(struct sim_request *r, bool *is_known)
{
    const char *method = http_request_method(r->http);

    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    *is_known = false;
    for (const struct sim_route *route = sim_routes; route->method; route++) {
        if (*is_known && strcmp(route->method, method) != 0)
            continue;
        if (!is_match(route->path, r->path, r->ids))
            continue;
        if (strcmp(route->method, method) == 0)
            return route;
        *is_known = true;
    }
    return NULL;
}

static bool decode(struct sim_api *api, const char *header)
{
    static const char scheme[] = "Basic ";

    buf_clear(&api->credentials);
    if (!header || strncasecmp(header, scheme, strlen(scheme)) != 0)
        return false;
    header += strlen(scheme);
    return buf_add_base64_decoded(&api->credentials, header, strlen(header)) &&
           !memchr(buf_text(&api->credentials), '\0', api->credentials.len);
}

static struct sim_account *login(struct sim_api *api, const char *header)
{
    if (!decode(api, header))
        return NULL;
    char *user = api->credentials.bytes;
    char *colon = user ? strchr(user, ':') : NULL;
    if (!colon)
        return NULL;
    *colon = '\0';
    return sim_accounts_login(&api->sim->accounts, user, colon + 1);
}

static enum outcome check_login(struct sim_api *api, struct sim_request *r,
                                struct sim_error *error)
{
    const char *header = http_request_header(r->http, "Authorization");

    r->caller = login(api, header);
    if (!r->caller) {
        enum outcome rc =
            sim_error_set(error, 401, 20003,
                          header ? "Authenticate"
                                 : "Authentication Error - No credentials provided",
                          (struct sim_text){ "", 0 });
        error->detail = "Your AccountSid or AuthToken was incorrect.";
        return rc;
    }
    if (r->caller->status != SIM_ACCOUNT_ACTIVE)
        return sim_error_code(error, 20005, (struct sim_text){ r->caller->sid, 34 });
    return OUTCOME_OK;
}

// An account reaches its own resources and those of its subaccounts.
static enum outcome check_account(struct sim_request *r, struct sim_error *error)
{
    r->account = r->caller;
    if (strncmp(r->path, api_prefix, strlen(api_prefix)) != 0 || !r->ids[0][0])
        return OUTCOME_OK;
    r->account = sim_accounts_find(&r->sim->accounts, r->ids[0]);
    if (!r->account || (r->account != r->caller && r->account->owner != r->caller))
        return sim_request_not_found(r, error);
    return OUTCOME_OK;
}

static enum outcome read_form(struct sim_request *r, struct sim_error *error)
{
    size_t len = 0;
    const char *body = http_request_body(r->http, &len);
    struct err err = { 0 };

    if (len == 0 || !form_parse(&r->form, body, len, &err))
        return OUTCOME_OK;
    return sim_error_set(error, 400, 20001, "The form cannot be read: %s.",
                         (struct sim_text){ err.text, strlen(err.text) });
}

// A parameter as a text, in scratch; NULL when it is not there or far too long.
static const char *text_of(const struct sim_request *r, const char *name, char *scratch)
{
    return form_copy(scratch, SIM_FAULTS_TEXT_BYTES, &r->form, name) ? scratch : NULL;
}

// Decides what goes wrong with the request.
static const struct sim_fault *find_fault(struct sim_api *api, struct sim_request *r,
                                          const struct sim_route *route)
{
    char to[SIM_FAULTS_TEXT_BYTES], from[SIM_FAULTS_TEXT_BYTES];
    struct sim_fault_subject subject = {
        .on = route->fn == sim_messages_create ? SIM_FAULT_ON_CREATE
              : route->fn == sim_messages_list ? SIM_FAULT_ON_LIST
                                               : SIM_FAULT_ON_FETCH,
        .account = r->account->sid,
        .is_reused = http_request_is_reused(r->http),
    };

    subject.ordinal = api->counts[subject.on]++;
    if (subject.on == SIM_FAULT_ON_CREATE) {
        subject.to = text_of(r, "To", to);
        subject.from = text_of(r, "From", from);
    }
    return sim_faults_find(r->sim->faults, &subject);
}

// Runs the handler, unless a fault keeps the request from being processed.
static enum outcome process(struct sim_api *api, struct sim_request *r,
                            const struct sim_route *route, struct sim_error *error)
{
    if (sim_answers_is_full(r->sim->answers, r->account->index))
        return sim_error_code(error, 20429, (struct sim_text){ "", 0 });
    enum outcome rc = read_form(r, error);
    if (rc)
        return rc;
    r->fault = find_fault(api, r, route);
    if (r->fault && !r->fault->accepts)
        return OUTCOME_OK;
    return route->fn(r, error);
}

static enum outcome handle(struct sim_api *api, struct sim_request *r,
                           struct sim_error *error)
{
    bool is_known = false;
    const struct sim_route *route = find_route(r, &is_known);

    if (!route && !is_known && strncmp(r->path, api_prefix, strlen(api_prefix)) != 0 &&
        strncmp(r->path, "/v1/", 4) != 0)
        return sim_request_not_found(r, error);
    enum outcome rc = check_login(api, r, error);
    if (rc)
        return rc;
    if (!route)
        return is_known ? sim_error_code(error, 20004, (struct sim_text){ "", 0 })
                        : sim_request_not_found(r, error);
    rc = check_account(r, error);
    if (!rc && r->caller->is_test && route->fn != sim_messages_create)
        rc = sim_error_code(error, 20008, (struct sim_text){ "", 0 });
    return rc ? rc : process(api, r, route, error);
}

static void answer_request(struct sim_api *api, struct sim_request *r)
{
    struct sim_answer answer = {
        .status = r->status,
        .body = api->answer.len ? buf_text(&api->answer) : NULL,
        .len = api->answer.len,
        .location = r->location,
        .account = r->account ? r->account->index : 0,
    };

    if (r->fault)
        sim_fault_answer(&answer, r->fault, r->created, &api->faulty);
    if (r->is_late || r->fault)
        sim_answers_send_late(api->sim->answers, r->http, &answer);
    else
        sim_answers_send(api->sim->answers, r->http, &answer);
}

void sim_api_handle(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    struct sim_api *api = sim->api;
    struct sim_request r = {
        .sim = sim, .http = req, .out = &api->answer, .status = 200
    };
    struct sim_error error;

    r.path = http_request_path(req);
    buf_clear(&api->answer);
    if (handle(api, &r, &error)) {
        buf_clear(&api->answer);
        sim_error_render(&api->answer, &error);
        r.status = error.status;
    }
    form_free(&r.form);
    answer_request(api, &r);
}

struct sim_api *sim_api_new(struct simulator *sim)
{
    struct sim_api *api = xcalloc(1, sizeof(*api));

    api->sim = sim;
    buf_init(&api->answer, ANSWER_MAX_BYTES);
    buf_init(&api->faulty, SIM_FAULTS_BYTES_MAX);
    buf_init(&api->credentials, CREDENTIALS_MAX_BYTES);
    return api;
}

void sim_api_free(struct sim_api *api)
{
    if (!api)
        return;
    buf_free(&api->credentials);
    buf_free(&api->answer);
    buf_free(&api->faulty);
    free(api);
}

void sim_api_clear(struct sim_api *api)
{
    memset(api->counts, 0, sizeof(api->counts));
}
