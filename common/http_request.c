#include "http_request.h"
#include "http_listen.h"

#include "http_guard.h"
#include "http_route.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { PROBLEM_MAX_BYTES = 8192, ALLOW_MAX_BYTES = 256, DETAIL_BYTES = 128 };
enum { SPARES_MAX = 256, KEEP_BODY_BYTES = 16384 };

struct http_request *http_request_new(struct http_spares *spares)
{
    struct http_request *req = spares->first;

    if (req) {
        spares->first = req->next;
        spares->count--;
        struct buf target = req->target, body = req->body, fields = req->fields;
        *req = (struct http_request){ .target = target, .body = body, .fields = fields };
    } else {
        req = xcalloc(1, sizeof(*req));
        buf_init(&req->target, spares->target_max_bytes);
        buf_init(&req->fields, HTTP_FIELDS_MAX_BYTES);
    }
    req->began_us = clock_boot_us();
    return req;
}

static void request_free(struct http_request *req)
{
    buf_free(&req->target);
    buf_free(&req->body);
    buf_free(&req->fields);
    free(req);
}

void http_request_recycle(struct http_spares *spares, struct http_request *req)
{
    if (spares->count == SPARES_MAX) {
        request_free(req);
        return;
    }
    if (req->body.room > KEEP_BODY_BYTES)
        buf_free(&req->body);
    buf_clear(&req->body);
    buf_clear(&req->target);
    buf_clear(&req->fields);
    req->next = spares->first;
    spares->first = req;
    spares->count++;
}

void http_spares_free(struct http_spares *spares)
{
    while (spares->first) {
        struct http_request *req = spares->first;
        spares->first = req->next;
        request_free(req);
    }
}

const char *http_request_method(const struct http_request *req)
{
    return req->method;
}

const char *http_request_target(const struct http_request *req)
{
    return buf_text(&req->target);
}

const char *http_request_path(const struct http_request *req)
{
    return req->path;
}

const char *http_request_rest(const struct http_request *req)
{
    return http_route_rest(req->route, req->path);
}

const char *http_request_header(const struct http_request *req, const char *name)
{
    return MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, name);
}

// The fields of one name, as they are collected.
struct field_values {
    const char *name;
    const char **values;
    size_t count, max;
};

static enum MHD_Result on_field(void *arg, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    struct field_values *found = arg;

    (void)kind;
    if (value && found->count < found->max && strcasecmp(name, found->name) == 0)
        found->values[found->count++] = value;
    return found->count < found->max ? MHD_YES : MHD_NO;
}

size_t http_request_headers(const struct http_request *req, const char *name,
                            const char **values, size_t max)
{
    struct field_values found = { name, values, 0, max };

    (void)MHD_get_connection_values(req->connection, MHD_HEADER_KIND, on_field, &found);
    return found.count;
}

const char *http_request_query(const struct http_request *req, const char *name)
{
    const char *value = NULL;

    if (MHD_lookup_connection_value_n(req->connection, MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, NULL) != MHD_YES)
        return NULL;
    return value ? value : "";  // "?name" without '='
}

const char *http_request_body(const struct http_request *req, size_t *len)
{
    *len = req->body.len;
    return buf_text(&req->body);
}

const char *http_request_peer(const struct http_request *req)
{
    return req->peer;
}

int64_t http_request_began_us(const struct http_request *req)
{
    return req->began_us;
}

// A value that cannot stand in a header (CR, LF) is refused by libmicrohttpd: the field
// is then left out, and nothing is split.
static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

void http_request_add_header(struct http_request *req, const char *name,
                             const char *value)
{
    size_t name_bytes = strlen(name) + 1, value_bytes = strlen(value) + 1;

    if (req->fields.len + name_bytes + value_bytes > HTTP_FIELDS_MAX_BYTES)
        return;
    buf_add(&req->fields, name, name_bytes);
    buf_add(&req->fields, value, value_bytes);
}

static void add_fields(struct http_request *req)
{
    const char *at = req->fields.bytes, *end = at + req->fields.len;

    while (at < end) {
        const char *value = at + strlen(at) + 1;
        add_header(req->response, at, value);
        at = value + strlen(value) + 1;
    }
}

void http_answer(struct http_request *req, int status, const char *content_type,
                 const char *body, size_t len, const struct http_header *headers)
{
    assert(req->status == 0 && status >= 200 && status < 600);
    req->status = status;
    req->response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)body,
                                                    MHD_RESPMEM_MUST_COPY);
    if (content_type)
        add_header(req->response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    for (; headers && headers->name; headers++)
        add_header(req->response, headers->name, headers->value);
    if (req->fields.len > 0)
        add_fields(req);

    if (req->stage == HTTP_STAGE_SUSPENDED) {  // it is queued when the server runs
        MHD_resume_connection(req->connection);
        http_server_wake(req->server);
    }
}

void http_cut(struct http_request *req, const char *bytes, size_t len, bool is_reset)
{
    const struct linger now = { 1, 0 };
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(req->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (len > 0)
        (void)!send(info->connect_fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (is_reset)
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    req->cut = true;
    if (req->stage == HTTP_STAGE_SUSPENDED) {
        MHD_resume_connection(req->connection);
        http_server_wake(req->server);
    }
}

bool http_request_is_reused(const struct http_request *req)
{
    return req->peer[HTTP_PEER_BYTES] != 0;
}

static void add_member(struct buf *json, const char *name, const char *value)
{
    if (!value)
        return;
    if (json->len > 1)
        buf_add_char(json, ',');
    buf_addf(json, "\"%s\":", name);
    buf_add_json_string(json, value, strlen(value));
}

void http_problem(struct http_request *req, const struct http_problem *problem)
{
    struct buf json = BUF_INIT(PROBLEM_MAX_BYTES);
    struct buf type = BUF_INIT(PROBLEM_MAX_BYTES);

    if (problem->code)
        buf_addf(&type, "urn:smsq:problem:%s", problem->code);
    buf_add_char(&json, '{');
    add_member(&json, "type", problem->code ? buf_text(&type) : NULL);
    add_member(&json, "title", MHD_get_reason_phrase_for((unsigned)problem->status));
    buf_addf(&json, ",\"status\":%d", problem->status);
    add_member(&json, "detail", problem->detail);
    add_member(&json, "code", problem->code);
    add_member(&json, "field", problem->field);
    buf_add_char(&json, '}');
    if (json.failed) {  // a detail far too long: the status must do
        buf_clear(&json);
        buf_addf(&json, "{\"status\":%d}", problem->status);
    }
    http_answer(req, problem->status, "application/problem+json", json.bytes, json.len,
                problem->headers);
    buf_free(&type);
    buf_free(&json);
}

static void refuse_method(struct http_request *req, const char *allow)
{
    const struct http_header headers[] = { { "Allow", allow }, { NULL, NULL } };
    char detail[DETAIL_BYTES + ALLOW_MAX_BYTES];

    if (req->refusal == HTTP_REFUSAL_OPTIONS) {
        http_answer(req, MHD_HTTP_NO_CONTENT, NULL, NULL, 0, headers);
        return;
    }
    (void)snprintf(detail, sizeof(detail), "this path takes %s", allow);
    http_problem(req,
                 &(struct http_problem){ MHD_HTTP_METHOD_NOT_ALLOWED,
                                         "method_not_allowed", detail, NULL, headers });
}

static void refuse_media(struct http_request *req)
{
    char detail[DETAIL_BYTES];

    if (req->route->content_type)
        (void)snprintf(detail, sizeof(detail),
                       "send the body as %s, without Content-Encoding",
                       req->route->content_type);
    else
        (void)snprintf(detail, sizeof(detail),
                       "send the body as it is, without Content-Encoding");
    http_problem(req,
                 &(struct http_problem){ MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                         "unsupported_media_type", detail, NULL, NULL });
}

static void refuse_body(struct http_request *req)
{
    char detail[DETAIL_BYTES];

    (void)snprintf(detail, sizeof(detail), "the body may have at most %zu bytes",
                   req->route->body_max_bytes);
    http_problem(req, &(struct http_problem){ MHD_HTTP_CONTENT_TOO_LARGE,
                                              "body_too_large", detail, NULL, NULL });
}

void http_request_refuse(struct http_request *req)
{
    struct buf allow = BUF_INIT(ALLOW_MAX_BYTES);

    switch (req->refusal) {
    case HTTP_REFUSAL_OPTIONS:
    case HTTP_REFUSAL_METHOD:
        http_route_allow(req->routes, req->path, &allow);
        refuse_method(req, buf_text(&allow));
        break;
    case HTTP_REFUSAL_MEDIA:
        refuse_media(req);
        break;
    case HTTP_REFUSAL_BODY:
        refuse_body(req);
        break;
    case HTTP_REFUSAL_HEADER:
        http_problem(req,
                     &(struct http_problem){
                         MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "header_too_large",
                         "send fewer or shorter header fields", NULL, NULL });
        break;
    case HTTP_REFUSAL_PATH:
        http_problem(req, &(struct http_problem){ MHD_HTTP_NOT_FOUND, "not_found",
                                                  "there is nothing at this path", NULL,
                                                  NULL });
        break;
    case HTTP_REFUSAL_MALFORMED:
    case HTTP_REFUSAL_NONE:
        http_problem(req, &(struct http_problem){ MHD_HTTP_BAD_REQUEST, "bad_request",
                                                  req->complaint, NULL, NULL });
        break;
    }
    buf_free(&allow);
}

// Says why no row of the table takes the request.
static enum http_refusal unknown_route(const struct http_request *req)
{
    struct buf allow = BUF_INIT(ALLOW_MAX_BYTES);

    http_route_allow(req->routes, req->path, &allow);
    bool known = allow.len > 0;
    buf_free(&allow);
    if (!known)
        return HTTP_REFUSAL_PATH;
    return strcmp(req->method, MHD_HTTP_METHOD_OPTIONS) == 0 ? HTTP_REFUSAL_OPTIONS
                                                             : HTTP_REFUSAL_METHOD;
}

static enum http_refusal judge_body(const struct http_route *route,
                                    const struct http_head *head)
{
    const char *coding = head->content_encoding;
    const char *type = head->content_type;

    if (!head->has_body)
        return HTTP_REFUSAL_NONE;
    if (coding && strcasecmp(coding, "identity") != 0)
        return HTTP_REFUSAL_MEDIA;
    if (route->content_type && !(type && http_media_type_is(type, route->content_type)))
        return HTTP_REFUSAL_MEDIA;
    return head->content_length > route->body_max_bytes ? HTTP_REFUSAL_BODY
                                                        : HTTP_REFUSAL_NONE;
}

bool http_request_judge(struct http_request *req, const char *version,
                        bool header_too_large)
{
    struct http_head head;

    req->complaint = http_guard_target(buf_text(&req->target));
    if (!req->complaint)
        req->complaint = http_guard_head(req->connection, version, &head);
    if (!req->complaint && !utf8_is_valid(req->path, strlen(req->path)))
        req->complaint = "the path is not UTF-8";
    if (req->complaint || header_too_large) {
        req->refusal = req->complaint ? HTTP_REFUSAL_MALFORMED : HTTP_REFUSAL_HEADER;
        return true;
    }

    req->route = http_route_find(req->routes, req->method, req->path);
    req->refusal = req->route ? judge_body(req->route, &head) : unknown_route(req);
    if (req->route)
        req->body.max = req->route->body_max_bytes;
    if (req->refusal == HTTP_REFUSAL_NONE)
        return false;
    return head.expects_continue || head.content_length > HTTP_DROP_MAX_BYTES;
}
