#include "job_reader.h"

#include "buf.h"
#include "content.h"
#include "job.h"
#include "json.h"
#include "keys.h"
#include "message_id.h"
#include "trace.h"

#include <stdlib.h>

struct job_reader {
    const struct keys *keys;
    struct json_reader *json;
};

struct job_reader *job_reader_new(const struct keys *keys)
{
    struct job_reader *r = xcalloc(1, sizeof(*r));

    r->keys = keys;
    r->json = json_reader_new();
    return r;
}

void job_reader_free(struct job_reader *r)
{
    if (!r)
        return;
    json_reader_free(r->json);
    free(r);
}

static enum outcome decode(struct job_reader *r, struct job *job,
                           const struct kafka_record *rec, struct err *err)
{
    if (!rec->value)
        return err_set(err, OUTCOME_REJECT, "the record has no value");
    return wire_decode(&job->sms, &job->memory, sms_job_fields, r->json, rec->value,
                       rec->value_len, err);
}

static enum outcome check_id(const struct sms_job *sms, struct err *err)
{
    int64_t ahead_ms = message_id_ms(sms->message_id) - clock_wall_us() / 1000;

    if (sms->turn > 1 || (ahead_ms <= JOB_ID_AHEAD_MS && ahead_ms >= -JOB_ID_PAST_MS))
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT, "\"message_id\" was made too %s to be taken now",
                   ahead_ms > 0 ? "late" : "early");
}

enum outcome job_reader_read(struct job_reader *r, struct job *job,
                             const struct kafka_record *rec, const char **reason,
                             struct err *err)
{
    *reason = "bad_record";
    if (decode(r, job, rec, err))
        return OUTCOME_REJECT;
    if (job->sms.traceparent && !trace_is_valid(job->sms.traceparent))
        job->sms.traceparent = NULL;  // no reason to lose a message
    *reason = "bad_id";
    if (check_id(&job->sms, err))
        return OUTCOME_REJECT;
    *reason = "cannot_open";
    return content_open(r->keys->seal, r->json, job->sms.message_id, job->sms.client,
                        job->sms.sealed, &job->content, &job->content_memory, err);
}
