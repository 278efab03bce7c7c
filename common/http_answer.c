// What an answer looks like on the wire.
#include "http_answer.h"

#include "http_request.h"
#include "http_server_state.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { PROBLEM_MAX_BYTES = 8192 };

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 402, "Payment Required" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
};

static const char *phrase_of(int status)
{
    for (size_t i = 0; i < COUNT_OF(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Other";
}

// The Date field changes once per second.
static const char *date_of(struct http_server *s)
{
    time_t now = (time_t)(clock_wall_us() / 1000000);
    struct tm parts;

    if (now == s->date_s)
        return s->date;
    s->date_s = now;
    if (!gmtime_r(&now, &parts) ||
        strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0)
        s->date[0] = '\0';
    return s->date;
}

// A name or value that would split the answer is left out with its field.
static void add_field(struct buf *out, const char *name, const char *value)
{
    if (!http_is_token(name, strlen(name)) || !http_is_value(value))
        return;
    buf_add_text(out, name);
    buf_add_text(out, ": ");
    buf_add_text(out, value);
    buf_add_text(out, "\r\n");
}

void http_request_add_header(struct http_request *req, const char *name,
                             const char *value)
{
    static const char between[] = ": ", end[] = "\r\n";
    size_t bytes = strlen(name) + strlen(value) + strlen(between) + strlen(end);

    if (req->fields.len + bytes <= HTTP_FIELDS_MAX_BYTES)
        add_field(&req->fields, name, value);
}

// What else would follow such an answer is read as the beginning of the next one (RFC
// 9110, 15.3.5 and 15.4.5).
static bool has_content(int status)
{
    return status != 204 && status != 304;
}

static void add_head(struct http_connection *c, const struct http_request *req,
                     const char *content_type, size_t len,
                     const struct http_header *headers)
{
    struct buf *out = &c->out;

    buf_add_text(out, "HTTP/1.1 ");
    buf_add_int(out, req->status);
    buf_add_char(out, ' ');
    buf_add_text(out, phrase_of(req->status));
    buf_add_text(out, "\r\nDate: ");
    buf_add_text(out, date_of(c->server));
    buf_add_text(out, "\r\n");
    if (content_type)
        add_field(out, "Content-Type", content_type);
    if (has_content(req->status)) {
        buf_add_text(out, "Content-Length: ");
        buf_add_int(out, (int64_t)len);
        buf_add_text(out, "\r\n");
    }
    if (c->last)
        add_field(out, "Connection", "close");
    for (; headers && headers->name; headers++)
        add_field(out, headers->name, headers->value);
    buf_add(out, req->fields.bytes, req->fields.len);
    buf_add_text(out, "\r\n");
}

void http_answer(struct http_request *req, int status, const char *content_type,
                 const char *body, size_t len, const struct http_header *headers)
{
    struct http_connection *c = req->connection;
    const struct http_server *s = c->server;

    assert(req->status == 0 && status >= 200 && status < 600);
    req->status = status;
    if (s->stopping || req->head.wants_close ||
        c->served + 1 >= s->limits->requests_per_connection)
        c->last = true;
    if (c->fd >= 0) {
        add_head(c, req, content_type, len, headers);
        if (has_content(status) && strcmp(req->head.method, "HEAD") != 0)
            buf_add(&c->out, body, len);
    }
    if (c->phase == HTTP_PHASE_HANDLER && !req->in_handler)
        http_connection_ready(c);
}

void http_cut(struct http_request *req, const char *bytes, size_t len, bool is_reset)
{
    static const struct linger now = { 1, 0 };
    struct http_connection *c = req->connection;

    c->last = c->cut = true;
    if (c->fd >= 0) {
        buf_add(&c->out, bytes, len);
        if (is_reset)
            (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    if (!req->in_handler)
        http_connection_ready(c);
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
    add_member(&json, "title", phrase_of(problem->status));
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
