// twilio_metrics.h: what twilio.c counts. Only it includes this.
#ifndef TWILIO_METRICS_H
#define TWILIO_METRICS_H

#include "job.h"

struct http_answer;
struct metrics;
struct twilio_metrics;

// twilio_metrics_new declares the series; in_flight(arg) tells how many requests wait for
// their answer. twilio_metrics_free accepts NULL.
struct twilio_metrics *twilio_metrics_new(struct metrics *m,
                                          size_t (*in_flight)(const void *arg),
                                          const void *arg);
void twilio_metrics_free(struct twilio_metrics *t);

// twilio_metrics_refused counts a job that was kept back.
void twilio_metrics_refused(struct twilio_metrics *t, enum objection objection);

// twilio_metrics_answered counts the end of a request; code is Twilio's, 0 = none.
void twilio_metrics_answered(struct twilio_metrics *t, const struct http_answer *http,
                             int code);

#endif
