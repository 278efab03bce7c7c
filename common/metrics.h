// metrics.h: counters, gauges and histograms in Prometheus text format 0.0.4.
// Belongs to one thread. Series are declared at start; there are no dynamic labels.
#ifndef METRICS_H
#define METRICS_H

#include "base.h"

struct buf;
struct metrics;
struct metric;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

// Each call declares one series and returns its handle, valid until metrics_free; name
// and labels of a series that is there already return that one. Names begin with smsq_,
// counters end in _total, times are in seconds. labels is the text between the braces, as
// it is to be printed: "lane=\"urgent\"", or NULL. Series of one name have the same help.
struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help);

// bounds are the upper limits of the buckets, in seconds, ascending; +Inf is added.
struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t count);

// METRICS_LATENCY: 0.1 ms to 60 s, for metrics_histogram.
extern const double metrics_latency[];
extern const size_t metrics_latency_count;

// metric_set sets a gauge, or a counter whose total is kept elsewhere (CPU seconds).
void metric_add(struct metric *c, uint64_t n);
void metric_set(struct metric *g, double value);
void metric_observe_us(struct metric *h, int64_t us);
uint64_t metric_count(const struct metric *m);  // of a counter or a histogram

// metrics_before_render registers fn(arg) to run before each rendering, to set gauges.
void metrics_before_render(struct metrics *m, void (*fn)(void *arg), void *arg);

// metrics_render appends the whole exposition.
void metrics_render(struct metrics *m, struct buf *out);

#endif
