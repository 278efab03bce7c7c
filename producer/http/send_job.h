// send_job.h: a checked request becomes a job: its id, its useful time, its price, its
// content sealed.
#ifndef SEND_JOB_H
#define SEND_JOB_H

#include "base.h"
#include "buf.h"
#include "keys.h"
#include "phone.h"
#include "producer.h"
#include "trace.h"
#include "wire.h"

struct send_request;

// A job and what it borrows; the texts of the request are borrowed too.
struct send_job {
    struct sms_job job;
    unsigned char to_hash[TO_HASH_BYTES];
    char to_hint[PHONE_HINT_BYTES];
    char traceparent[TRACE_PARENT_BYTES];
    struct buf sealed;
};

// send_job_build fills d, which send_job_free frees. The rate card must have been read,
// and the request passed send_mode_check. id is the message's, or NULL: a new one. Built
// again for the same id, a job may have other times, another price and default sender:
// the worker takes one of its records whole and drops the others.
void send_job_build(struct send_job *d, struct producer *p,
                    const struct send_request *request, int32_t client,
                    const unsigned char *id);
void send_job_free(struct send_job *d);

// send_job_trace lets the request's traceparent go on in the job; NULL = it has none.
void send_job_trace(struct send_job *d, const char *received);

// send_job_class is the job's class as the producer counts them.
enum message_class send_job_class(const struct sms_job *job);

// send_job_topic is the lane of the job's class.
const char *send_job_topic(const struct sms_job *job);

#endif
