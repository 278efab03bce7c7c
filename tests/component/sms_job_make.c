#include "sms_job_make.h"

#include <string.h>

void sms_job_make_id(unsigned char id[16], int64_t wall_ms, uint32_t number)
{
    memset(id, 0, 16);
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(wall_ms >> (40 - 8 * i));
    id[6] = 0x70;
    id[8] = 0x80;
    for (int i = 0; i < 4; i++)
        id[9 + i] = (unsigned char)(number >> (24 - 8 * i));
}

void sms_job_make(struct sms_job *job, const unsigned char id[16], int64_t accepted_at)
{
    static const unsigned char sealed[128] = { 1, 2, 3 };
    static const unsigned char to_hash[16] = { 4, 5, 6 };

    *job = (struct sms_job){
        .turn = 1,
        .message_class = "transactional",
        .channel = "sms",
        .client = SMS_JOB_CLIENT,
        .sealed = { sealed, sizeof(sealed) },
        .to_hash = { to_hash, sizeof(to_hash) },
        .country = "US",
        .to_hint = "US…567",
        .from = "+15005550006",
        .sender_type = "number",
        .segments = 1,
        .estimate_micros = SMS_JOB_ESTIMATE,
        .currency = "USD",
        .template_ref = "ticket@3",
        .reference = "order 17",
        .expires_at = accepted_at + INT64_C(86400000000),
        .mode = "simulate",
        .accepted_at = accepted_at,
    };
    memcpy(job->message_id, id, sizeof(job->message_id));
}
