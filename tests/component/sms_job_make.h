// sms_job_make.h: jobs for tests of what reads and writes them.
#ifndef SMS_JOB_MAKE_H
#define SMS_JOB_MAKE_H

#include "wire.h"

enum { SMS_JOB_CLIENT = 7, SMS_JOB_ESTIMATE = 12800 };

// sms_job_make_id makes a UUIDv7 of that millisecond; larger numbers sort behind.
void sms_job_make_id(unsigned char id[16], int64_t wall_ms, uint32_t number);

// sms_job_make fills a complete job of turn 1, useful for a day; its texts are literals.
void sms_job_make(struct sms_job *job, const unsigned char id[16], int64_t accepted_at);

#endif
