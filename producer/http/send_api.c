// POST /sms/send: a request becomes a job in Kafka; the 202 follows its acknowledgement.
#include "access.h"
#include "buf.h"
#include "http_server.h"
#include "kafka_out.h"
#include "log.h"
#include "message_id.h"
#include "metrics.h"
#include "producer.h"
#include "send_job.h"
#include "send_request.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX_BYTES = 2048 };

// A request that waits for Kafka: what its answer needs.
struct pending {
    struct producer *producer;
    struct http_request *req;
    unsigned char id[MESSAGE_ID_BYTES];
    char to[PHONE_E164_BYTES];
    int32_t client;
    int segments;
    bool valid;
    int64_t began_us;
};

static void accepted_body(struct buf *out, const struct pending *p)
{
    char id[MESSAGE_ID_TEXT_BYTES];

    message_id_format(id, p->id);
    buf_addf(out,
             "{\"message\":\"SMS sent successfully\",\"id\":\"%s\",\"sid\":null,"
             "\"status\":\"queued\",\"to\":\"%s\",\"segments\":%d",
             id, p->to, p->segments);
    if (!p->valid)
        buf_add_text(out,
                     ",\"warnings\":[{\"field\":\"to\",\"code\":\"number_not_valid\","
                     "\"detail\":\"the number is possible, but no such range is "
                     "known\"}]");
    buf_add_text(out, "}");
}

static void answer_accepted(const struct pending *p)
{
    char location[sizeof("/sms/status/") + MESSAGE_ID_TEXT_BYTES] = "/sms/status/";
    const struct http_header headers[] = { { "Location", location }, { NULL, NULL } };
    struct buf body = BUF_INIT(ANSWER_MAX_BYTES);

    message_id_format(location + strlen(location), p->id);
    accepted_body(&body, p);
    http_answer(p->req, 202, "application/json", body.bytes, body.len, headers);
    buf_free(&body);
}

static void on_published(void *arg, enum outcome rc, const char *reason)
{
    struct pending *p = arg;
    struct producer *producer = p->producer;

    if (rc) {
        log_line(LOG_LEVEL_WARN, "job_not_accepted", LOG_U("message_id", p->id),
                 LOG_T("reason", reason));
        metric_add(producer->unavailable, 1);
        producer_unavailable(p->req, "queue_unavailable",
                             "Kafka did not confirm the message in time; it may go out "
                             "all the same");
    } else {
        log_line(LOG_LEVEL_INFO, "job_accepted", LOG_U("message_id", p->id),
                 LOG_I("client", p->client), LOG_I("segments", p->segments));
        metric_add(producer->accepted, 1);
        metric_observe_us(producer->accept_to_ack, clock_boot_us() - p->began_us);
        answer_accepted(p);
    }
    free(p);
}

static struct pending *pending_new(struct producer *p, struct http_request *req,
                                   const struct sms_job *job,
                                   const struct send_request *request)
{
    struct pending *pending = xcalloc(1, sizeof(*pending));

    pending->producer = p;
    pending->req = req;
    memcpy(pending->id, job->message_id, sizeof(pending->id));
    memcpy(pending->to, request->to.e164, sizeof(pending->to));
    pending->client = job->client;
    pending->segments = job->segments;
    pending->valid = request->to.valid;
    pending->began_us = http_request_began_us(req);
    return pending;
}

static void publish(struct producer *p, struct http_request *req,
                    const struct send_request *request, const struct sms_job *job)
{
    struct buf value = BUF_INIT(WIRE_RECORD_MAX_BYTES);
    struct err err = { 0 };

    wire_encode(job, sms_job_fields, &value);
    const struct kafka_out_record rec = {
        .topic = send_job_topic(job),
        .key = job->to_hash.bytes,
        .key_len = job->to_hash.len,
        .value = value.bytes,
        .value_len = value.len,
    };
    struct pending *pending = pending_new(p, req, job, request);
    if (kafka_out_submit(p->out, &rec, on_published, pending, &err)) {
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
    http_problem(req, &(struct http_problem){ .status = complaint->status,
                                              .code = complaint->code,
                                              .detail = complaint->detail.text,
                                              .field = complaint->field });
}

// Refuses what could not be made durable anyway, before any work is done for it.
static bool can_take(struct producer *p, struct http_request *req)
{
    const char *detail = NULL;

    if (!kafka_out_is_up(p->out))
        detail = "Kafka is away; try again soon";
    else if (!p->rates)
        detail = "the rate card was not read from PostgreSQL yet; try again soon";
    if (!detail)
        return true;
    metric_add(p->unavailable, 1);
    producer_unavailable(req, "queue_unavailable", detail);
    return false;
}

static void on_granted(void *arg, struct http_request *req, const struct caller *caller)
{
    struct producer *p = arg;
    struct send_request request;
    struct complaint complaint;
    struct send_job d;
    size_t len;
    const char *body = http_request_body(req, &len);

    if (send_request_parse(&request, p->json, p->set->default_region, body, len,
                           &complaint)) {
        refuse(p, req, &complaint);
        return;
    }
    if (!request.from && !p->account.sender) {
        complaint =
            (struct complaint){ .status = 422, .code = "no_sender", .field = "from" };
        err_set(&complaint.detail, OUTCOME_REJECT,
                "no default sender is configured: give from, or set TWILIO_PHONE_NUMBER");
        refuse(p, req, &complaint);
    } else if (can_take(p, req)) {
        send_job_build(&d, p, &request, caller->client);
        publish(p, req, &request, &d.job);
        send_job_free(&d);
    }
    send_request_free(&request);
}

void send_api_post(void *arg, struct http_request *req)
{
    struct producer *p = arg;
    access_check(p->access, req, SCOPE_SEND_SMS, on_granted, p);
}
