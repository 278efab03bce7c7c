#include "sim_wire_request.h"
#include "buf.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES = 64 };

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"

static const char *past_scheme(struct sim_text url)
{
    static const char scheme[] = "http://";
    size_t len = sizeof(scheme) - 1;

    return url.len > len && strncasecmp(url.bytes, scheme, len) == 0 ? url.bytes + len
                                                                     : NULL;
}

bool sim_wire_target_read(struct sim_wire_target *out, struct sim_text url)
{
    const char *begin = past_scheme(url), *end = url.bytes + url.len;
    char name[HOST_BYTES];
    char *stop = NULL;
    unsigned long port = 80;

    if (!begin)
        return false;
    const char *host_end = begin;
    while (host_end < end && *host_end != '/' && *host_end != '?')
        host_end++;
    out->host = (struct sim_text){ begin, (size_t)(host_end - begin) };
    out->path = (struct sim_text){ host_end, (size_t)(end - host_end) };
    if (!sim_text_copy(name, sizeof(name), out->host))
        return false;
    char *colon = strchr(name, ':');
    if (colon) {
        *colon = '\0';
        port = strtoul(colon + 1, &stop, 10);
        if (stop == colon + 1 || *stop || port == 0 || port > UINT16_MAX)
            return false;
    }
    out->address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((in_port_t)port) };
    return inet_pton(AF_INET, strcasecmp(name, "localhost") == 0 ? "127.0.0.1" : name,
                     &out->address.sin_addr) == 1;
}

static void add_field(struct buf *out, const char *name, const char *value)
{
    buf_add_text(out, name);
    buf_add_text(out, value);
    buf_add_text(out, "\r\n");
}

void sim_wire_request(struct buf *out, const struct sim_call *call,
                      const struct sim_wire_target *target)
{
    buf_clear(out);
    buf_add_text(out, call->method);
    buf_add_text(out, target->path.len && target->path.bytes[0] == '/' ? " " : " /");
    buf_add(out, target->path.bytes, target->path.len);
    buf_add_text(out, " HTTP/1.1\r\nHost: ");
    buf_add(out, target->host.bytes, target->host.len);
    buf_add_text(out, "\r\nUser-Agent: " SIM_CALLER_USER_AGENT "\r\nAccept: */*\r\n");
    buf_add_text(out, "X-Home-Region: us1\r\n");
    add_field(out, "X-Twilio-Signature: ", call->signature);
    add_field(out, "I-Twilio-Idempotency-Token: ", call->token);
    if (call->body) {
        buf_add_text(out, "Content-Type: " FORM_TYPE "\r\nContent-Length: ");
        buf_add_int(out, (int64_t)call->body_len);
        buf_add_text(out, "\r\n");
    }
    buf_add_text(out, "\r\n");
    if (call->body)
        buf_add(out, call->body, call->body_len);
}
