// metrics.h: counters, gauges and histograms in Prometheus text format 0.0.4.
// Belongs to one thread. Series are declared at start; labels that are known only later
// are bounded: metric_words.h, metrics_sampled. Counting is an addition, observing some
// comparisons of integers; nothing is formatted before somebody asks.
#ifndef METRICS_H
#define METRICS_H

#include "base.h"

struct buf;
struct metric;
struct metrics;
struct metrics_samples;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

// Each call declares one series and returns its handle, valid until metrics_free; name
// and labels of a series that is there already return that one. Names begin with smsq_ or
// process_, counters end in _total, times are in seconds. labels is the text between the
// braces, as it is to be printed: "lane=\"urgent\"", or NULL. Series of one name have the
// same help.
struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help);

// bounds are the upper limits of the buckets, in seconds, ascending; +Inf is added.
struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t count);

// metrics_latencies is one with bounds from 0.1 ms to 60 s; metrics_sizes one of counts,
// 1 to 1000, for metric_observe.
extern const double metrics_latency[];
extern const size_t metrics_latency_count;
struct metric *metrics_latencies(struct metrics *m, const char *name, const char *labels,
                                 const char *help);
struct metric *metrics_sizes(struct metrics *m, const char *name, const char *labels,
                             const char *help);

// metrics_sampled declares a gauge whose series come and go (partitions that we have):
// sample(arg, to) runs at each rendering and calls metrics_sample once per series.
// Several parts of a program may give series of one name.
typedef void metrics_sampler(void *arg, struct metrics_samples *to);
void metrics_sampled(struct metrics *m, const char *name, const char *help,
                     metrics_sampler *sample, void *arg);
void metrics_sample(struct metrics_samples *to, const char *labels, double value);

// metrics_forget ends all samplers and hooks of arg, which is about to be freed.
void metrics_forget(struct metrics *m, const void *arg);

// metric_set sets a gauge, or a counter whose total is kept elsewhere (CPU seconds).
void metric_add(struct metric *c, uint64_t n);
void metric_set(struct metric *g, double value);
void metric_observe(struct metric *h, int64_t value);
void metric_observe_us(struct metric *h, int64_t us);  // below 0 counts as 0
uint64_t metric_count(const struct metric *m);         // of a counter or a histogram

// metrics_before_render registers fn(arg) to run before each rendering, to set gauges.
void metrics_before_render(struct metrics *m, void (*fn)(void *arg), void *arg);

// metrics_render appends the whole exposition.
void metrics_render(struct metrics *m, struct buf *out);

#endif
