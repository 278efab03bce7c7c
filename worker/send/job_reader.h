// job_reader.h: makes jobs of the records of sms.jobs.*: decoded, opened, checked.
#ifndef JOB_READER_H
#define JOB_READER_H

#include "base.h"

struct job;
struct job_reader;
struct kafka_record;
struct keys;

// How far from now the id of a turn 1 may lie: what the topics keep, and a day; and how
// far clocks may differ. Other ids could be of a month that has no partition yet.
enum { JOB_ID_PAST_MS = 8 * 86400000, JOB_ID_AHEAD_MS = 300000 };

// job_reader_new borrows keys.
struct job_reader *job_reader_new(const struct keys *keys);
void job_reader_free(struct job_reader *r);

// job_reader_read fills sms, content and what they live in; rec is not needed any more
// afterwards.
//   OUTCOME_REJECT  for sms.dead: *reason is the stable word (bad_record, cannot_open,
//                   bad_id), a literal; err says more. job_free frees what was filled.
MUST_CHECK enum outcome job_reader_read(struct job_reader *r, struct job *job,
                                        const struct kafka_record *rec,
                                        const char **reason, struct err *err);

#endif
