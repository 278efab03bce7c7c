// POST /sms/send: a request becomes a job in Kafka; the 202 follows its acknowledgement.
#include "accepted.h"
#include "access.h"
#include "buf.h"
#include "fail_point.h"
#include "http_server.h"
#include "idempotency.h"
#include "idempotency_key.h"
#include "kafka_out.h"
#include "log.h"
#include "message_id.h"
#include "metric_words.h"
#include "metrics.h"
#include "patience.h"
#include "prefer.h"
#include "producer.h"
#include "send_job.h"
#include "send_mode.h"
#include "send_request.h"
#include "send_time.h"
#include "trace.h"
#include "waits.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { PREFER_FIELDS_MAX = 8 };

// A request that waits for Kafka, and then perhaps for Twilio's SID.
struct pending {
    struct producer *producer;
    struct http_request *req;
    struct accepted accepted;
    int32_t client;
    enum message_class class;
    char traceparent[TRACE_PARENT_BYTES];  // "" = not traced
    int64_t began_us;
    bool keyed;
    struct key_claim claim;  // of a keyed one
    struct wait wait;
};

// A keyed request, until PostgreSQL says what its key stands for.
struct keyed {
    struct patient waiting;
    struct producer *producer;
    struct send_request request;
    struct key_asker asker;
};

static struct pending *pending_new(struct producer *p, struct http_request *req,
                                   const struct send_request *request, int32_t client,
                                   const unsigned char id[MESSAGE_ID_BYTES])
{
    struct pending *pending = xcalloc(1, sizeof(*pending));

    pending->producer = p;
    pending->req = req;
    memcpy(pending->accepted.id, id, sizeof(pending->accepted.id));
    memcpy(pending->accepted.to, request->to.e164, sizeof(pending->accepted.to));
    pending->accepted.segments = request->segments.count;
    pending->accepted.valid = request->to.valid;
    // Seen from the first request of a key: each repeat gets the same answer.
    pending->accepted.scheduled = request->send_at > message_id_ms(id) * 1000;
    pending->client = client;
    pending->began_us = http_request_began_us(req);
    return pending;
}

static void on_news(void *arg, const struct wait_news *news)
{
    struct pending *p = arg;

    accepted_answer(p->req, &p->accepted, news);
    free(p);
}

static bool is_abandoned(const void *arg)
{
    const struct pending *p = arg;
    return http_request_is_abandoned(p->req);
}

// Answers, at once or when there is news that the request prefers to wait for.
static void finish(struct pending *p)
{
    const char *fields[PREFER_FIELDS_MAX];
    size_t count = http_request_headers(p->req, "Prefer", fields, PREFER_FIELDS_MAX);
    int wait_s = prefer_wait_s(fields, count);

    memcpy(p->wait.message_id, p->accepted.id, sizeof(p->wait.message_id));
    p->wait.until_us = p->began_us + wait_s * INT64_C(1000000);
    p->wait.done = on_news;
    p->wait.is_abandoned = is_abandoned;
    p->wait.arg = p;
    if (wait_s > 0 && !p->accepted.scheduled && waits_begin(p->producer->waits, &p->wait))
        p->accepted.waited_s = wait_s;
    else
        on_news(p, NULL);
}

static void on_published(void *arg, enum outcome rc, const char *reason)
{
    struct pending *p = arg;
    struct producer *producer = p->producer;
    const char *trace = p->traceparent[0] ? trace_id_of(p->traceparent) : NULL;

    fail_point("producer_after_ack", kafka_out_in_flight(producer->out) + 1);
    if (p->keyed)
        idempotency_end(producer->idempotency, &p->claim, rc == OUTCOME_OK);
    if (rc) {
        log_line(LOG_LEVEL_WARN, "job_not_accepted", LOG_U("message_id", p->accepted.id),
                 LOG_C(trace), LOG_T("reason", reason));
        metric_add(producer->unavailable, 1);
        producer_unavailable(p->req, "queue_unavailable",
                             "Kafka did not confirm the message in time; it may go out "
                             "all the same");
        free(p);
        return;
    }
    log_line(LOG_LEVEL_INFO, "job_accepted", LOG_U("message_id", p->accepted.id),
             LOG_C(trace), LOG_I("client", p->client),
             LOG_I("segments", p->accepted.segments));
    metric_add(producer->accepted, 1);
    metric_add(producer->segments[p->class], (uint64_t)p->accepted.segments);
    metric_observe_us(producer->accept_to_ack, clock_boot_us() - p->began_us);
    finish(p);
    fail_point("producer_rest", kafka_out_in_flight(producer->out));
}

// Publishes the job of a request; claim is NULL without a key.
static void publish(struct producer *p, struct http_request *req,
                    const struct send_request *request, const struct sms_job *job,
                    const struct key_claim *claim)
{
    struct buf value = BUF_INIT(WIRE_RECORD_MAX_BYTES);
    struct err err = { 0 };

    fail_point("producer_before_publish", kafka_out_in_flight(p->out) + 1);
    wire_encode(job, sms_job_fields, &value);
    const struct kafka_out_record rec = {
        .topic = send_job_topic(job),
        .key = job->to_hash.bytes,
        .key_len = job->to_hash.len,
        .value = value.bytes,
        .value_len = value.len,
    };
    struct pending *pending = pending_new(p, req, request, job->client, job->message_id);
    pending->class = send_job_class(job);
    if (job->traceparent)
        memcpy(pending->traceparent, job->traceparent, sizeof(pending->traceparent));
    pending->keyed = claim != NULL;
    if (claim)
        pending->claim = *claim;
    if (kafka_out_submit(p->out, &rec, on_published, pending, &err)) {
        if (claim)
            idempotency_end(p->idempotency, claim, false);
        free(pending);
        metric_add(p->unavailable, 1);
        producer_unavailable(req, "queue_full", err.text);
    }
    buf_free(&value);
}

static void refuse(struct producer *p, struct http_request *req,
                   const struct complaint *complaint)
{
    metric_add(p->refused, 1);
    metric_add(metric_words_find(p->refusals, complaint->code), 1);
    http_problem(req, &(struct http_problem){ .status = complaint->status,
                                              .code = complaint->code,
                                              .detail = complaint->detail.text,
                                              .field = complaint->field });
}

// A repeat that publishes again was in time when it was asked first.
static bool is_in_time(struct producer *p, struct http_request *req,
                       const struct send_request *request)
{
    struct complaint complaint;

    if (!request->send_at ||
        !send_time_check(request->send_at, clock_wall_us(), &complaint))
        return true;
    refuse(p, req, &complaint);
    return false;
}

// Refuses what could not be made durable anyway, before any work is done for it.
static bool can_take(struct producer *p, struct http_request *req)
{
    const char *code = "queue_unavailable", *detail = NULL;

    if (p->accounts.missing.text[0]) {
        code = "not_configured";
        detail = p->accounts.missing.text;
    } else if (!kafka_out_is_up(p->out)) {
        detail = "Kafka is away; try again soon";
    } else if (!p->rates) {
        detail = "the rate card was not read from PostgreSQL yet; try again soon";
    }
    if (!detail)
        return true;
    metric_add(p->unavailable, 1);
    producer_unavailable(req, code, detail);
    return false;
}

static void build_and_publish(struct producer *p, struct http_request *req,
                              const struct send_request *request, int32_t client,
                              const unsigned char *id, const struct key_claim *claim)
{
    struct send_job d;

    send_job_build(&d, p, request, client, id);
    send_job_trace(&d, http_request_header(req, "traceparent"));
    publish(p, req, request, &d.job, claim);
    send_job_free(&d);
}

static void refuse_in_flight(struct producer *p, struct http_request *req)
{
    static const struct http_header headers[] = { { "Retry-After", "1" },
                                                  { NULL, NULL } };

    metric_add(p->refused, 1);
    http_problem(req, &(struct http_problem){
                          .status = 409,
                          .code = "idempotency_key_in_flight",
                          .detail = "a request with this key is not answered yet; try "
                                    "again soon",
                          .field = "Idempotency-Key",
                          .headers = headers });
}

static void refuse_mismatch(struct producer *p, struct http_request *req)
{
    struct complaint complaint = { .status = 422,
                                   .code = "idempotency_key_reused",
                                   .field = "Idempotency-Key" };

    err_set(&complaint.detail, OUTCOME_REJECT,
            "this key stands for another request; a new message needs a new key");
    refuse(p, req, &complaint);
}

static void replay(struct producer *p, struct http_request *req,
                   const struct send_request *request, int32_t client,
                   const unsigned char *id)
{
    struct pending *pending = pending_new(p, req, request, client, id);

    log_line(LOG_LEVEL_INFO, "job_replayed", LOG_U("message_id", id),
             LOG_I("client", client));
    pending->accepted.replayed = true;
    finish(pending);
}

// The request still waits for its answer.
static void obey(struct keyed *k, enum key_verdict verdict, const unsigned char *id)
{
    struct producer *p = k->producer;
    struct http_request *req = k->waiting.req;
    const struct key_claim *claim = &k->asker.claim;

    switch (verdict) {
    case KEY_NEW:
    case KEY_REPUBLISH:
        if ((verdict == KEY_REPUBLISH || is_in_time(p, req, &k->request)) &&
            can_take(p, req))
            build_and_publish(p, req, &k->request, claim->client, id, claim);
        else
            idempotency_end(p->idempotency, claim, false);
        break;
    case KEY_REPLAYED:
        replay(p, req, &k->request, claim->client, id);
        break;
    case KEY_IN_FLIGHT:
        refuse_in_flight(p, req);
        break;
    case KEY_MISMATCH:
        refuse_mismatch(p, req);
        break;
    default:
        http_problem(req, &(struct http_problem){ .status = 500,
                                                  .code = "internal",
                                                  .detail = "the idempotency key could "
                                                            "not be looked up" });
    }
}

static void on_verdict(void *arg, enum key_verdict verdict, const unsigned char *id)
{
    struct keyed *k = arg;
    bool is_awaited = patience_end(k->producer->patience, &k->waiting);

    if (is_awaited && verdict != KEY_DROPPED)
        obey(k, verdict, id);
    else if (verdict == KEY_NEW || verdict == KEY_REPUBLISH)
        idempotency_end(k->producer->idempotency, &k->asker.claim, false);
    send_request_free(&k->request);
    free(k);
}

// Takes the request out of *request, unless it is refused at once.
static void ask_key(struct producer *p, struct http_request *req,
                    struct send_request *request, int32_t client, const char *key)
{
    struct keyed *k = xcalloc(1, sizeof(*k));

    k->producer = p;
    k->asker.done = on_verdict;
    k->asker.arg = k;
    message_id_new(k->asker.claim.claim, clock_wall_us() / 1000, client, p->keys.id);
    idempotency_key_hash(&k->asker.claim, &p->keys, client, key, request);
    if (!db_is_up(p->db) || !idempotency_ask(p->idempotency, &k->asker)) {
        free(k);
        metric_add(p->unavailable, 1);
        patience_refuse(req);
        return;
    }
    k->request = *request;
    *request = (struct send_request){ 0 };
    patience_begin(p->patience, &k->waiting, req);
}

static enum outcome complain_of_key(struct complaint *complaint, const char *detail)
{
    *complaint = (struct complaint){ .status = 400,
                                     .code = "invalid_idempotency_key",
                                     .field = "Idempotency-Key" };
    return err_set(&complaint->detail, OUTCOME_REJECT, "%s", detail);
}

// Finds the key in header or body; "" = none.
static enum outcome find_key(char key[IDEMPOTENCY_KEY_MAX_BYTES + 1],
                             const struct http_request *req,
                             const struct send_request *request,
                             struct complaint *complaint)
{
    const char *fields[2];
    size_t count = http_request_headers(req, "Idempotency-Key", fields, COUNT_OF(fields));

    key[0] = '\0';
    if (count > 1)
        return complain_of_key(complaint, "the header stands twice in the request");
    if (count == 1 && !idempotency_key_read(key, fields[0]))
        return complain_of_key(complaint, IDEMPOTENCY_KEY_RULE);
    if (count == 1 && request->key && strcmp(request->key, key) != 0)
        return complain_of_key(complaint,
                               "header and idempotency_key are different keys");
    if (request->key)
        memcpy(key, request->key, strlen(request->key) + 1);
    return OUTCOME_OK;
}

static void on_granted(void *arg, struct http_request *req, const struct caller *caller)
{
    struct producer *p = arg;
    struct send_request request;
    struct complaint complaint;
    char key[IDEMPOTENCY_KEY_MAX_BYTES + 1];
    size_t len;
    const char *body = http_request_body(req, &len);

    if (send_request_parse(&request, p->json, p->set->default_region, body, len,
                           &complaint)) {
        refuse(p, req, &complaint);
        return;
    }
    request.mode = accounts_mode(&p->accounts, caller->mode);
    if (send_mode_check(p, &request, &complaint) ||
        find_key(key, req, &request, &complaint))
        refuse(p, req, &complaint);
    else if (key[0])
        ask_key(p, req, &request, caller->client, key);
    else if (is_in_time(p, req, &request) && can_take(p, req))
        build_and_publish(p, req, &request, caller->client, NULL, NULL);
    send_request_free(&request);
}

void send_api_post(void *arg, struct http_request *req)
{
    struct producer *p = arg;
    access_check(p->access, req, SCOPE_SEND_SMS, on_granted, p);
}
