#include "http_request.h"

#include "http_metrics.h"
#include "http_route.h"
#include "http_server_state.h"
#include "http_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { ALLOW_MAX_BYTES = 256, DETAIL_BYTES = 128 };
enum { SPARES_MAX = 256, KEEP_BODY_BYTES = 16384 };

struct http_request *http_request_new(struct http_server *s, struct http_connection *c)
{
    struct http_spares *spares = &s->spares;
    struct http_request *req = spares->first;

    if (req) {
        spares->first = req->next;
        spares->count--;
    } else {
        req = xcalloc(1, sizeof(*req));
        req->query = xcalloc(1, sizeof(*req->query));
        buf_init(&req->text, spares->header_max_bytes);
        buf_init(&req->path, spares->header_max_bytes);
        buf_init(&req->fields, HTTP_FIELDS_MAX_BYTES);
    }
    req->head.method = "";
    req->connection = c;
    req->began_us = clock_boot_us();
    return req;
}

static void request_free(struct http_request *req)
{
    buf_free(&req->text);
    buf_free(&req->path);
    buf_free(&req->body);
    buf_free(&req->fields);
    free(req->query);
    free(req);
}

static void count_answer(const struct http_server *s, const struct http_request *req)
{
    if (req->status != 0 && s->counted)
        http_metrics_count(s->counted, req->route, req->status,
                           clock_boot_us() - req->began_us);
}

void http_request_recycle(struct http_server *s, struct http_request *req)
{
    struct http_spares *spares = &s->spares;

    count_answer(s, req);
    s->bodies_bytes -= req->body.len;
    if (req->query->is_read)
        form_free(&req->query->form);
    req->query->is_read = false;
    if (spares->count == SPARES_MAX) {
        request_free(req);
        return;
    }
    if (req->body.room > KEEP_BODY_BYTES)
        buf_free(&req->body);
    buf_clear(&req->body);
    buf_clear(&req->fields);
    req->route = NULL;
    req->fault = (struct http_fault){ 0 };
    req->head.wants_close = false;
    req->status = 0;
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
    return req->head.method;
}

const char *http_request_target(const struct http_request *req)
{
    return req->head.target;
}

const char *http_request_path(const struct http_request *req)
{
    return buf_text(&req->path);
}

const char *http_request_rest(const struct http_request *req)
{
    return http_route_rest(req->route, http_request_path(req));
}

const char *http_request_header(const struct http_request *req, const char *name)
{
    return http_head_field(&req->head, name);
}

size_t http_request_headers(const struct http_request *req, const char *name,
                            const char **values, size_t max)
{
    const struct http_head *head = &req->head;
    size_t count = 0;

    for (size_t i = 0; i < head->field_count && count < max; i++)
        if (strcasecmp(head->fields[i].name, name) == 0)
            values[count++] = head->fields[i].value;
    return count;
}

const char *http_request_query(const struct http_request *req, const char *name)
{
    struct http_query *query = req->query;

    if (!query->is_read) {
        const char *text = http_target_query(req->head.target);
        if (form_parse(&query->form, text, strlen(text), NULL))
            return NULL;
        query->is_read = true;
    }
    const struct form_pair *pair = form_find(&query->form, name);
    return pair ? pair->value : NULL;
}

const char *http_request_body(const struct http_request *req, size_t *len)
{
    *len = req->body.len;
    return buf_text(&req->body);
}

const char *http_request_peer(const struct http_request *req)
{
    return req->connection->peer;
}

int64_t http_request_began_us(const struct http_request *req)
{
    return req->began_us;
}

bool http_request_is_reused(const struct http_request *req)
{
    return req->connection->served > 0;
}

bool http_request_is_abandoned(const struct http_request *req)
{
    int fd = req->connection->fd;
    char byte;

    return fd < 0 || recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) == 0;
}

// --- judging the head ---

static const struct http_route *table_of(const struct http_request *req)
{
    return req->connection->server->routes;
}

// Says why no row of the table takes the request.
static enum http_refusal unknown_route(const struct http_request *req)
{
    struct buf allow = BUF_INIT(ALLOW_MAX_BYTES);

    http_route_allow(table_of(req), http_request_path(req), &allow);
    bool known = allow.len > 0;
    buf_free(&allow);
    if (!known)
        return HTTP_REFUSAL_PATH;
    return strcmp(req->head.method, "OPTIONS") == 0 ? HTTP_REFUSAL_OPTIONS
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

void http_request_read(struct http_request *req, const char *head, size_t len)
{
    struct http_fault *fault = &req->fault;

    buf_clear(&req->text);
    buf_clear(&req->path);
    buf_add(&req->text, head, len);
    http_head_parse(&req->head, req->text.bytes, fault);
    if (fault->refusal)
        return;
    if (!http_target_path(req->head.target, &req->path)) {
        *fault = (struct http_fault){ HTTP_REFUSAL_MALFORMED, "the path is not UTF-8" };
        return;
    }
    req->route = http_route_find(table_of(req), req->head.method, http_request_path(req));
    fault->refusal = req->route ? judge_body(req->route, &req->head) : unknown_route(req);
    req->body.max = req->route ? req->route->body_max_bytes : 0;
}

bool http_request_breaks(const struct http_request *req)
{
    switch (req->fault.refusal) {
    case HTTP_REFUSAL_OPTIONS:
    case HTTP_REFUSAL_PATH:
    case HTTP_REFUSAL_METHOD:
    case HTTP_REFUSAL_MEDIA:
        // Who waits for a 100 may leave the body out after this answer, or not; what
        // follows CONNECT is no HTTP.
        return req->head.expects_continue || strcmp(req->head.method, "CONNECT") == 0;
    default:
        return true;
    }
}

// --- refusals ---

static const struct http_header retry_soon[] = { { "Retry-After", "1" }, { NULL, NULL } };

static const struct http_problem problems[] = {
    [HTTP_REFUSAL_PATH] = { 404, "not_found", "there is nothing at this path", NULL,
                            NULL },
    [HTTP_REFUSAL_LATE] = { 408, "request_timeout",
                            "the request took too long to come; send it again in one go",
                            NULL, NULL },
    [HTTP_REFUSAL_TARGET] = { 414, "target_too_long", "send a shorter path and query",
                              NULL, NULL },
    [HTTP_REFUSAL_EXPECT] = { 417, "expectation_failed",
                              "the only expectation that is met is 100-continue", NULL,
                              NULL },
    [HTTP_REFUSAL_HEADER] = { 431, "header_too_large",
                              "send fewer or shorter header fields", NULL, NULL },
    [HTTP_REFUSAL_CONNECTIONS] = { 503, "too_many_connections",
                                   "you, or all together, hold too many connections; "
                                   "close some and try again",
                                   NULL, retry_soon },
    [HTTP_REFUSAL_MEMORY] = { 503, "busy",
                              "too many large requests are coming in; try again", NULL,
                              retry_soon },
    [HTTP_REFUSAL_VERSION] = { 505, "http_version_not_supported", "speak HTTP/1.1", NULL,
                               NULL },
};

static void refuse_method(struct http_request *req, const char *allow)
{
    const struct http_header headers[] = { { "Allow", allow }, { NULL, NULL } };
    char detail[DETAIL_BYTES + ALLOW_MAX_BYTES];

    if (req->fault.refusal == HTTP_REFUSAL_OPTIONS) {
        http_answer(req, 204, NULL, NULL, 0, headers);
        return;
    }
    (void)snprintf(detail, sizeof(detail), "this path takes %s", allow);
    http_problem(req, &(struct http_problem){ 405, "method_not_allowed", detail, NULL,
                                              headers });
}

static void refuse_media(struct http_request *req)
{
    const char *type = req->route->content_type;
    const struct http_header headers[] = { { type ? "Accept-Post" : NULL, type },
                                           { NULL, NULL } };
    char detail[DETAIL_BYTES];

    (void)snprintf(detail, sizeof(detail),
                   "send the body as %s, without Content-Encoding",
                   type ? type : "it is");
    http_problem(req, &(struct http_problem){ 415, "unsupported_media_type", detail, NULL,
                                              headers });
}

static void refuse_body(struct http_request *req)
{
    char detail[DETAIL_BYTES];

    (void)snprintf(detail, sizeof(detail), "the body may have at most %zu bytes",
                   req->route->body_max_bytes);
    http_problem(req,
                 &(struct http_problem){ 413, "body_too_large", detail, NULL, NULL });
}

void http_request_refuse(struct http_request *req)
{
    struct buf allow = BUF_INIT(ALLOW_MAX_BYTES);

    switch (req->fault.refusal) {
    case HTTP_REFUSAL_OPTIONS:
    case HTTP_REFUSAL_METHOD:
        http_route_allow(table_of(req), http_request_path(req), &allow);
        refuse_method(req, buf_text(&allow));
        break;
    case HTTP_REFUSAL_MEDIA:
        refuse_media(req);
        break;
    case HTTP_REFUSAL_BODY:
        refuse_body(req);
        break;
    case HTTP_REFUSAL_MALFORMED:
    case HTTP_REFUSAL_NONE:
        http_problem(req, &(struct http_problem){ 400, "bad_request",
                                                  req->fault.complaint, NULL, NULL });
        break;
    default:
        http_problem(req, &problems[req->fault.refusal]);
        break;
    }
    buf_free(&allow);
}
