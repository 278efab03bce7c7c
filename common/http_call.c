#include "http_call.h"

#include "buf.h"
#include "http_address.h"
#include "http_client.h"

#include <string.h>

static void add_line(struct buf *out, const char *name, const char *value)
{
    buf_add_text(out, name);
    buf_add_text(out, value);
    buf_add_text(out, "\r\n");
}

void http_call_authorization(struct buf *line, const char *user_password)
{
    buf_add_text(line, "Authorization: Basic ");
    buf_add_base64(line, user_password, strlen(user_password));
    buf_add_text(line, "\r\n");
}

static void add_authorization(struct buf *out, const struct buf *ours,
                              const char *of_address)
{
    if (ours->len)
        buf_add(out, ours->bytes, ours->len);
    else if (of_address)
        http_call_authorization(out, of_address);
}

void http_call_write(struct buf *out, const struct http_call *call,
                     const struct http_address *to, const char *user_agent,
                     const struct buf *authorization)
{
    buf_clear(out);
    buf_add_text(out, call->method);
    buf_add_char(out, ' ');
    buf_add_text(out, to->target);
    add_line(out, " HTTP/1.1\r\nHost: ", to->host);
    if (user_agent)
        add_line(out, "User-Agent: ", user_agent);
    add_authorization(out, authorization, to->user_password);
    if (call->content_type)
        add_line(out, "Content-Type: ", call->content_type);
    for (size_t i = 0; call->headers && call->headers[i]; i++)
        add_line(out, "", call->headers[i]);
    if (call->body || strcmp(call->method, "POST") == 0) {
        buf_add_text(out, "Content-Length: ");
        buf_add_int(out, (int64_t)call->body_len);
        buf_add_text(out, "\r\n");
    }
    buf_add_text(out, "\r\n");
    if (call->body)
        buf_add(out, call->body, call->body_len);
}
