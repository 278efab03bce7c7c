#include "webhook.h"

#include "buf.h"
#include "fail_point.h"
#include "form.h"
#include "http_server.h"
#include "kafka_out.h"
#include "metrics.h"
#include "reactor.h"
#include "signature.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

// From the request to its answer. Twilio gives 15 s for all its tries together.
enum { ANSWER_US = 4000000, KEY_MAX_BYTES = 64 };

#define SIGNATURE_HEADER "X-Twilio-Signature"

struct webhook {
    const struct webhook_kind *kind;
    const struct webhook_parts *parts;
    struct webhook_metrics metrics;
    struct reactor_timer *deadline;  // of the first of waiting
    TAILQ_HEAD(waiting, pending) waiting;
};

// A request that waits for Kafka. All wait equally long, so the oldest is the first.
struct pending {
    struct webhook *webhook;
    struct http_request *req;  // NULL once it was answered without Kafka
    int64_t until_us;          // clock_boot_us
    TAILQ_ENTRY(pending) next;
    alignas(max_align_t) unsigned char record[WEBHOOK_RECORD_MAX_BYTES];
};

static void unavailable(struct webhook *w, struct http_request *req, const void *record,
                        const char *detail)
{
    static const struct http_header headers[] = { { "Retry-After", "1" },
                                                  { NULL, NULL } };

    metric_add(w->metrics.unavailable, 1);
    w->kind->refused(record, req, detail);
    http_problem(req, &(struct http_problem){ .status = 503,
                                              .code = "queue_unavailable",
                                              .detail = detail,
                                              .headers = headers });
}

static void stop_waiting(struct pending *p)
{
    TAILQ_REMOVE(&p->webhook->waiting, p, next);
    p->req = NULL;
}

static void set_deadline(struct webhook *w)
{
    const struct pending *first = TAILQ_FIRST(&w->waiting);
    int64_t left_us = first ? first->until_us - clock_boot_us() : 0;

    if (first)
        reactor_timer_set(w->deadline, left_us > 0 ? left_us : 0);
}

static void on_deadline(void *arg)
{
    struct webhook *w = arg;
    int64_t now_us = clock_boot_us();
    struct pending *p;

    while ((p = TAILQ_FIRST(&w->waiting)) && p->until_us <= now_us) {
        unavailable(w, p->req, p->record, "Kafka did not confirm it in time");
        stop_waiting(p);
    }
    set_deadline(w);
}

static void on_published(void *arg, enum outcome rc, const char *reason)
{
    struct pending *p = arg;
    struct webhook *w = p->webhook;
    const struct webhook_kind *kind = w->kind;

    (void)reason;
    fail_point("receiver_after_publish", kafka_out_in_flight(w->parts->out) + 1);
    if (p->req && rc) {
        unavailable(w, p->req, p->record, "Kafka did not confirm it in time");
    } else if (p->req) {
        kind->accepted(p->record);
        metric_add(w->metrics.verified, 1);
        http_answer(p->req, kind->status, kind->content_type, kind->body,
                    kind->body ? strlen(kind->body) : 0, NULL);
    }
    if (p->req)
        stop_waiting(p);
    free(p);
    fail_point("receiver_rest", kafka_out_in_flight(w->parts->out));
}

static enum outcome submit(struct pending *p, const struct webhook_input *in,
                           struct err *err)
{
    const struct webhook_kind *kind = p->webhook->kind;
    struct buf key = BUF_INIT(KEY_MAX_BYTES), value = BUF_INIT(kind->value_max_bytes);

    kind->write(p->record, in, &key, &value);
    assert(!key.failed && !value.failed);  // all that goes in is limited
    const struct kafka_out_record rec = {
        .topic = kind->topic,
        .key = key.bytes,
        .key_len = key.len,
        .value = value.bytes,
        .value_len = value.len,
    };
    enum outcome rc =
        kafka_out_submit(p->webhook->parts->out, &rec, on_published, p, err);
    buf_free(&value);
    buf_free(&key);
    return rc;
}

static void publish(struct pending *p, const struct webhook_input *in)
{
    struct webhook *w = p->webhook;
    struct err err = { 0 };

    fail_point("receiver_before_publish", kafka_out_in_flight(w->parts->out) + 1);
    if (!kafka_out_is_up(w->parts->out)) {
        unavailable(w, p->req, p->record, "Kafka is away");
        free(p);
    } else if (submit(p, in, &err)) {
        unavailable(w, p->req, p->record, err.text);
        free(p);
    } else {
        p->until_us = http_request_began_us(p->req) + ANSWER_US;
        TAILQ_INSERT_TAIL(&w->waiting, p, next);
        if (!reactor_timer_is_set(w->deadline))
            set_deadline(w);
    }
}

// Returns false when neither has signed it. Who has decides in->mode: a token of the
// simulator's proves nothing about Twilio, not even one that is set as Twilio's too.
static bool find_signer(struct webhook_input *in, const struct webhook_parts *parts)
{
    struct http_request *req = in->req;
    size_t len;
    const char *body = http_request_body(req, &len);
    const struct signature_input signature = {
        .base = parts->public_url,
        .target = http_request_target(req),
        .form = in->form,
        .body = body,
        .body_len = len,
        .header = http_request_header(req, SIGNATURE_HEADER),
    };
    in->mode = "simulate";
    if (parts->simulator_tokens &&
        signature_is_valid(parts->simulator_tokens, &signature))
        return true;
    in->mode = NULL;
    return parts->tokens && signature_is_valid(parts->tokens, &signature);
}

static void refuse_forged(struct webhook *w, struct http_request *req)
{
    metric_add(w->metrics.forged, 1);
    w->kind->refused(NULL, req, "wrong signature");
    http_problem(req,
                 &(struct http_problem){ .status = 403,
                                         .code = "wrong_signature",
                                         .detail = "X-Twilio-Signature is missing or "
                                                   "wrong" });
}

static void refuse_malformed(struct webhook *w, struct http_request *req,
                             const char *detail)
{
    metric_add(w->metrics.malformed, 1);
    w->kind->refused(NULL, req, detail);
    http_problem(req, &(struct http_problem){ .status = 400,
                                              .code = "malformed_callback",
                                              .detail = detail });
}

static void take_form(struct webhook *w, struct http_request *req,
                      const struct form *form)
{
    struct webhook_input in = { .req = req, .form = form, .keys = w->parts->keys };
    struct err err = { 0 };

    if (!find_signer(&in, w->parts)) {
        refuse_forged(w, req);
        return;
    }
    struct pending *p = xcalloc(1, sizeof(*p));
    p->webhook = w;
    p->req = req;
    if (w->kind->read(p->record, &in, &err)) {
        refuse_malformed(w, req, err.text);
        free(p);
    } else {
        publish(p, &in);
    }
}

// Without a signature nothing of it is looked at.
void webhook_take(struct webhook *w, struct http_request *req)
{
    struct form form;
    struct err err = { 0 };
    size_t len;
    const char *body = http_request_body(req, &len);

    if (!http_request_header(req, SIGNATURE_HEADER)) {
        refuse_forged(w, req);
    } else if (form_parse(&form, body, len, &err)) {
        refuse_malformed(w, req, err.text);
    } else {
        take_form(w, req, &form);
        form_free(&form);
    }
}

struct webhook *webhook_new(const struct webhook_kind *kind,
                            const struct webhook_parts *parts,
                            const struct webhook_metrics *metrics)
{
    struct webhook *w = xcalloc(1, sizeof(*w));

    assert(kind->record_bytes <= WEBHOOK_RECORD_MAX_BYTES);
    w->kind = kind;
    w->parts = parts;
    w->metrics = *metrics;
    w->deadline = reactor_timer_new(parts->reactor, on_deadline, w);
    TAILQ_INIT(&w->waiting);
    return w;
}

void webhook_free(struct webhook *w)
{
    if (!w)
        return;
    assert(TAILQ_EMPTY(&w->waiting));
    reactor_timer_free(w->deadline);
    free(w);
}
