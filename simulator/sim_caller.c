#include "sim_caller.h"
#include "http_client.h"
#include "sim_wire_request.h"
#include "sim_wires.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 80 };

static const int64_t connect_us = 5000000, total_us = 15000000;

struct flight {
    struct sim_caller *owner;
    struct flight *next_free;
    sim_call_done *done;
    void *arg;
};

struct sim_caller {
    struct sim_wires *wires;
    struct http_client *http;
    struct flight *flights, *free;
};

static unsigned failure_of(const struct http_answer *answer)
{
    if (answer->status >= 500)
        return SIM_URL_RETRY_5XX;
    if (answer->status >= 400)
        return SIM_URL_RETRY_4XX;
    if (answer->status != 0)
        return 0;  // redirects are not followed, and not tried again
    return answer->left_us ? SIM_URL_RETRY_READ : SIM_URL_RETRY_CONNECT;
}

static void on_answer(void *arg, const struct http_answer *answer)
{
    struct flight *f = arg;
    const struct sim_call_answer result = {
        .status = answer->status,
        .failure = failure_of(answer),
        .content_type = answer->content_type,
        .body = answer->body,
        .body_len = answer->body_len,
    };

    f->next_free = f->owner->free;
    f->owner->free = f;
    f->done(f->arg, &result);
}

static int64_t least(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

static bool submit_curl(struct sim_caller *c, const struct sim_call *call,
                        sim_call_done *done, void *arg)
{
    struct flight *f = c->free;
    char url[SIM_MESSAGE_CALLBACK_MAX_BYTES * 2];
    char signature[HEADER_BYTES], token[HEADER_BYTES];

    if (!f || call->url.len >= sizeof(url))
        return false;
    memcpy(url, call->url.bytes, call->url.len);
    url[call->url.len] = '\0';
    (void)snprintf(signature, sizeof(signature), "X-Twilio-Signature: %s",
                   call->signature);
    (void)snprintf(token, sizeof(token), "I-Twilio-Idempotency-Token: %s", call->token);

    const char *const headers[] = { "Accept: */*", "X-Home-Region: us1", signature, token,
                                    NULL };
    const struct http_call http = {
        .method = call->method,
        .url = url,
        .content_type =
            call->body ? "application/x-www-form-urlencoded; charset=utf-8" : NULL,
        .body = call->body,
        .body_len = call->body_len,
        .headers = headers,
        .connect_us = least(call->connect_us, call->total_us),
        .total_us = least(call->read_us, call->total_us),
    };
    f->done = done;
    f->arg = arg;
    if (!http_client_submit(c->http, &http, on_answer, f))
        return false;
    c->free = f->next_free;
    return true;
}

bool sim_caller_submit(struct sim_caller *c, const struct sim_call *call,
                       sim_call_done *done, void *arg)
{
    struct sim_wire_target target;

    return sim_wire_target_read(&target, call->url)
               ? sim_wires_submit(c->wires, call, &target, done, arg)
               : submit_curl(c, call, done, arg);
}

enum outcome sim_caller_open(struct sim_caller **out, struct reactor *r,
                             size_t in_flight_max, struct err *err)
{
    struct sim_caller *c = xcalloc(1, sizeof(*c));
    const struct http_client_settings http = {
        .in_flight_max = in_flight_max,
        .connect_us = connect_us,
        .total_us = total_us,
        .answer_max_bytes = SIM_CALLER_ANSWER_MAX_BYTES,
        .user_agent = SIM_CALLER_USER_AGENT,
    };

    c->wires = sim_wires_new(r, in_flight_max);
    c->flights = xcalloc(in_flight_max, sizeof(*c->flights));
    for (size_t i = 0; i < in_flight_max; i++) {
        c->flights[i].owner = c;
        c->flights[i].next_free = c->free;
        c->free = &c->flights[i];
    }
    enum outcome rc = http_client_open(&c->http, r, &http, err);
    if (rc) {
        sim_caller_close(c);
        return rc;
    }
    *out = c;
    return OUTCOME_OK;
}

void sim_caller_close(struct sim_caller *c)
{
    if (!c)
        return;
    sim_wires_free(c->wires);
    http_client_close(c->http);
    free(c->flights);
    free(c);
}
