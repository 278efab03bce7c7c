#include "send_job.h"

#include "content.h"
#include "message_id.h"
#include "producer.h"
#include "rate_card.h"
#include "send_request.h"

#include <string.h>

static const struct {
    const char *name, *topic;
} classes[CLASS_COUNT] = {
    [CLASS_OTP] = { "otp", TOPIC_JOBS_URGENT },
    [CLASS_EMERGENCY] = { "emergency", TOPIC_JOBS_URGENT },
    [CLASS_TRANSACTIONAL] = { "transactional", TOPIC_JOBS_NORMAL },
    [CLASS_MARKETING] = { "marketing", TOPIC_JOBS_BULK },
};

static enum message_class class_of(const char *name)
{
    size_t i = 0;
    while (strcmp(classes[i].name, name) != 0)
        i++;  // send_request let only known words pass
    return (enum message_class)i;
}

enum message_class send_job_class(const struct sms_job *job)
{
    return class_of(job->message_class);
}

const char *send_job_topic(const struct sms_job *job)
{
    return classes[class_of(job->message_class)].topic;
}

static void seal_content(struct send_job *d, struct producer *p,
                         const struct send_request *request)
{
    const struct sms_content content = { request->to.e164, request->body };

    content_seal(p->keys.seal, d->job.message_id, d->job.client, d->job.accepted_at,
                 &content, &d->sealed);
    d->job.sealed =
        (struct wire_bytes){ (const unsigned char *)d->sealed.bytes, d->sealed.len };
}

static void price(struct sms_job *job, const struct rate_card *rates)
{
    bool is_default;
    const struct rate *rate = rate_card_find(rates, job->country, job->sender_type, "sms",
                                             "outbound", &is_default);

    if (rate) {
        job->estimate_micros = rate_card_estimate(rate, job->segments);
        job->currency = rate->currency;
        job->rate_note = is_default ? "default_rate" : NULL;
    } else {
        job->currency = "USD";
        job->rate_note = "no_rate";
    }
}

void send_job_build(struct send_job *d, struct producer *p,
                    const struct send_request *request, int32_t client,
                    const unsigned char *id)
{
    enum message_class class = class_of(request->message_class);
    int64_t now_us = clock_wall_us();
    int64_t useful_us = request->expires_in_s ? request->expires_in_s * 1000000
                                              : p->set->useful_us[class];
    const struct account *account = accounts_of(&p->accounts, request->mode);
    const char *from = request->from ? request->from : account->sender;
    int64_t send_at = request->send_at > now_us ? request->send_at : 0;

    buf_init(&d->sealed, WIRE_SEALED_MAX_BYTES);
    keys_to_hash(&p->keys, request->to.e164, d->to_hash);
    phone_hint(d->to_hint, request->to.country, request->to.e164);
    d->job = (struct sms_job){
        .turn = 1,
        .message_class = request->message_class,
        .channel = "sms",
        .client = client,
        .to_hash = { d->to_hash, sizeof(d->to_hash) },
        .country = request->to.country[0] ? request->to.country : NULL,
        .to_hint = d->to_hint,
        .from = from,
        .sender_type = account_sender_type(from),
        .segments = request->segments.count,
        .reference = request->reference,
        .send_at = send_at,
        .expires_at = (send_at ? send_at : now_us) + useful_us,
        .on_doubt = request->resend_in_doubt ? "resend" : NULL,
        .mode = account_mode_name(request->mode),
        .accepted_at = now_us,
    };
    if (id)
        memcpy(d->job.message_id, id, sizeof(d->job.message_id));
    else
        message_id_new(d->job.message_id, now_us / 1000, client, p->keys.id);
    price(&d->job, p->rates);
    seal_content(d, p, request);
}

void send_job_free(struct send_job *d)
{
    buf_free(&d->sealed);
}

// Most services do not trace: a trace of our own would cost every record, row and line.
void send_job_trace(struct send_job *d, const char *received)
{
    if (!received)
        return;
    trace_continue(d->traceparent, received);
    d->job.traceparent = d->traceparent;
}
