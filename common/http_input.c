#include "http_input.h"

#include "http_request.h"
#include "http_server_state.h"

enum { OUT_SOFT_BYTES = 16384 };  // unsent answers beyond it hold the next request back

static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

// Says whether the next bytes may be worked on now.
bool http_input_is_taken(const struct http_connection *c)
{
    return c->phase <= HTTP_PHASE_BODY && !c->last &&
           http_connection_unsent(c) < OUT_SOFT_BYTES;
}

// --- the end of a request ---

// The answer of c->req is in c->out, or nobody is there to read it.
void http_input_finish(struct http_connection *c)
{
    struct http_server *s = c->server;

    s->requests--;
    c->served++;
    http_request_recycle(s, c->req);
    c->req = NULL;
    if (c->phase != HTTP_PHASE_IDLE)
        http_connection_move(c, HTTP_PHASE_IDLE);
}

// Answers by itself and ends the connection with it.
void http_input_refuse(struct http_connection *c, enum http_refusal refusal,
                       const char *complaint)
{
    struct http_server *s = c->server;

    if (!c->req) {
        c->req = http_request_new(s, c);
        s->requests++;
    }
    c->last = true;
    c->req->fault = (struct http_fault){ refusal, complaint };
    http_request_refuse(c->req);
    http_input_finish(c);
}

// --- reading ---

static void run_handler(struct http_connection *c)
{
    struct http_request *req = c->req;

    http_connection_move(c, HTTP_PHASE_HANDLER);
    req->in_handler = true;
    req->route->fn(c->server->arg, req);
    req->in_handler = false;
    if (req->status != 0 || c->cut)
        http_input_finish(c);
}

static void begin_body(struct http_connection *c, bool none_came)
{
    const struct http_head *head = &c->req->head;

    c->chunks = (struct http_chunks){ 0 };
    c->body_left = head->content_length;
    http_connection_move(c, HTTP_PHASE_BODY);
    if (head->expects_continue && none_came)
        buf_add(&c->out, go_on, sizeof(go_on) - 1);
}

// A refused request ends the connection, unless it is clear and here where the next one
// begins. Returns how much of the rest is its body.
static size_t refuse_request(struct http_connection *c, size_t rest)
{
    struct http_request *req = c->req;
    size_t body = (size_t)req->head.content_length;

    if (http_request_breaks(req) || req->head.chunked || body > rest)
        c->last = true;
    http_request_refuse(req);
    http_input_finish(c);
    return c->last ? rest : body;
}

// A whole head came. Returns how much was used: the head, and of a refused request the
// body too.
static size_t begin_request(struct http_connection *c, const char *bytes, size_t len)
{
    struct http_server *s = c->server;
    size_t head_len = c->scan.at;

    c->scan = (struct http_scan){ 0 };
    c->req = http_request_new(s, c);
    s->requests++;
    http_request_read(c->req, bytes, head_len);
    if (c->req->fault.refusal)
        return head_len + refuse_request(c, len - head_len);
    if (c->req->head.has_body)
        begin_body(c, len == head_len);
    else
        run_handler(c);
    return head_len;
}

static size_t read_head(struct http_connection *c, const char *bytes, size_t len)
{
    struct http_fault fault = { 0 };

    if (c->phase == HTTP_PHASE_IDLE)
        http_connection_move(c, HTTP_PHASE_HEAD);
    http_head_scan(&c->scan, bytes, len, c->server->header_max_bytes, &fault);
    if (fault.refusal) {
        http_input_refuse(c, fault.refusal, fault.complaint);
        return len;
    }
    return c->scan.is_whole ? begin_request(c, bytes, len) : 0;
}

static size_t read_plain(struct http_connection *c, const char *bytes, size_t len)
{
    size_t taken = len < c->body_left ? len : (size_t)c->body_left;

    buf_add(&c->req->body, bytes, taken);
    c->body_left -= taken;
    return taken;
}

static size_t read_body(struct http_connection *c, const char *bytes, size_t len)
{
    struct http_request *req = c->req;
    struct http_server *s = c->server;
    size_t before = req->body.len;
    size_t used = req->head.chunked ? http_chunks_read(&c->chunks, bytes, len, &req->body)
                                    : read_plain(c, bytes, len);

    s->bodies_bytes += req->body.len - before;
    if (c->chunks.state == HTTP_CHUNKS_MALFORMED)
        http_input_refuse(c, HTTP_REFUSAL_MALFORMED,
                          "the chunks of the body are malformed");
    else if (c->chunks.state == HTTP_CHUNKS_TOO_LARGE)
        http_input_refuse(c, HTTP_REFUSAL_BODY, NULL);
    else if (c->chunks.state == HTTP_CHUNKS_DONE ||
             (!req->head.chunked && c->body_left == 0))
        run_handler(c);
    else if (s->bodies_bytes > (size_t)s->limits->bodies_max_bytes)
        http_input_refuse(c, HTTP_REFUSAL_MEMORY, NULL);
    return used;
}

// Works through bytes, request after request; returns how many were used.
size_t http_input_consume(struct http_connection *c, const char *bytes, size_t len)
{
    size_t used = 0, step = 1;

    while (used < len && step > 0 && http_input_is_taken(c)) {
        step = c->phase == HTTP_PHASE_BODY ? read_body(c, bytes + used, len - used)
                                           : read_head(c, bytes + used, len - used);
        used += step;
    }
    return c->last ? len : used;
}
