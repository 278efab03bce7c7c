// post_report.h: what the POSTs came to, in the metrics and the log.
#ifndef POST_REPORT_H
#define POST_REPORT_H

#include "account.h"
#include "base.h"

struct job;
struct metrics;
struct post_report;
struct send_outcome;
struct twilio_answer;

// post_report_new: mode is the installation's; beside real messages, the cost of
// simulated ones is not counted. metrics outlives it.
struct post_report *post_report_new(enum account_mode mode, struct metrics *metrics);
void post_report_free(struct post_report *s);

// post_report_add counts and logs one answer, and what Twilio's code in it means. The
// outcome's sid is "" for none.
void post_report_add(const struct post_report *s, const struct job *job,
                     const struct send_outcome *outcome,
                     const struct twilio_answer *answer);

#endif
