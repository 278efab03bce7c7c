#include "metrics.h"

#include "buf.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_SAMPLED };

static const char *const kind_names[] = { "counter", "gauge", "histogram", "gauge" };

#define US_PER_S 1e6

static const double sizes[] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 };

const double metrics_latency[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                   0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                   1,      2.5,     5,      10,    30,     60 };
const size_t metrics_latency_count = COUNT_OF(metrics_latency);

struct metric {
    enum metric_kind kind;
    char *name;
    char *labels;  // "" when there are none
    char *help;
    uint64_t count;
    double value;
    bool has_value;  // metric_set was called: value is shown, not count
    // Of a histogram: what is observed is a whole number, per_unit of them are one of the
    // unit that is shown (1e6 microseconds are a second).
    double per_unit;
    int64_t *bounds;
    uint64_t *buckets;
    size_t bucket_count;
    int64_t sum;
    metrics_sampler *sample;  // of METRIC_SAMPLED; NULL once forgotten
    void *arg;
    struct metric *next;
};

struct metrics_samples {
    const char *name;
    struct buf *out;
};

struct hook {
    void (*fn)(void *arg);
    void *arg;
    struct hook *next;
};

struct metrics {
    struct metric *first, **end;
    struct hook *hooks;
};

struct metrics *metrics_new(void)
{
    struct metrics *m = xcalloc(1, sizeof(*m));
    m->end = &m->first;
    return m;
}

static void free_metric(struct metric *one)
{
    free(one->name);
    free(one->labels);
    free(one->help);
    free(one->bounds);
    free(one->buckets);
    free(one);
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    while (m->first) {
        struct metric *one = m->first;
        m->first = one->next;
        free_metric(one);
    }
    while (m->hooks) {
        struct hook *hook = m->hooks;
        m->hooks = hook->next;
        free(hook);
    }
    free(m);
}

// Returns the last series of that name, NULL if there is none; *same is the very series.
static struct metric *find_last(struct metrics *m, const char *name, const char *labels,
                                struct metric **same)
{
    struct metric *last = NULL;

    for (struct metric *one = m->first; one; one = one->next) {
        if (strcmp(one->name, name) != 0)
            continue;
        last = one;
        if (strcmp(one->labels, labels) == 0)
            *same = one;
    }
    return last;
}

static struct metric *declare(struct metrics *m, enum metric_kind kind, const char *name,
                              const char *labels, const char *help)
{
    struct metric *same = NULL;
    struct metric *last = find_last(m, name, labels ? labels : "", &same);

    assert(strncmp(name, "smsq_", 5) == 0 || strncmp(name, "process_", 8) == 0);
    if (same && kind != METRIC_SAMPLED) {
        assert(same->kind == kind);
        return same;
    }
    struct metric *one = xcalloc(1, sizeof(*one));
    one->kind = kind;
    one->name = xstrdup(name);
    one->labels = xstrdup(labels ? labels : "");
    one->help = xstrdup(help);
    if (last && last->next) {  // the text format wants the series of a name in a row
        one->next = last->next;
        last->next = one;
    } else {
        *m->end = one;
        m->end = &one->next;
    }
    return one;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help)
{
    assert(strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0);
    return declare(m, METRIC_COUNTER, name, labels, help);
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help)
{
    struct metric *one = declare(m, METRIC_GAUGE, name, labels, help);
    one->has_value = true;
    return one;
}

static struct metric *histogram(struct metrics *m, const char *name, const char *labels,
                                const char *help, const double *bounds, size_t count,
                                double per_unit)
{
    struct metric *one = declare(m, METRIC_HISTOGRAM, name, labels, help);

    if (one->bounds)
        return one;  // declared before
    one->per_unit = per_unit;
    one->bounds = xcalloc(count, sizeof(*one->bounds));
    one->buckets = xcalloc(count, sizeof(*one->buckets));
    one->bucket_count = count;
    for (size_t i = 0; i < count; i++) {
        one->bounds[i] = llround(bounds[i] * per_unit);
        assert(i == 0 || one->bounds[i] > one->bounds[i - 1]);
    }
    return one;
}

struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t count)
{
    return histogram(m, name, labels, help, bounds, count, US_PER_S);
}

struct metric *metrics_latencies(struct metrics *m, const char *name, const char *labels,
                                 const char *help)
{
    return metrics_histogram(m, name, labels, help, metrics_latency,
                             metrics_latency_count);
}

struct metric *metrics_sizes(struct metrics *m, const char *name, const char *labels,
                             const char *help)
{
    return histogram(m, name, labels, help, sizes, COUNT_OF(sizes), 1);
}

void metrics_sampled(struct metrics *m, const char *name, const char *help,
                     metrics_sampler *sample, void *arg)
{
    struct metric *one = declare(m, METRIC_SAMPLED, name, NULL, help);

    one->sample = sample;
    one->arg = arg;
}

void metrics_forget(struct metrics *m, const void *arg)
{
    for (struct metric *one = m->first; one; one = one->next)
        if (one->kind == METRIC_SAMPLED && one->arg == arg)
            one->sample = NULL;
    for (struct hook **at = &m->hooks; *at;) {
        struct hook *hook = *at;
        if (hook->arg != arg) {
            at = &hook->next;
            continue;
        }
        *at = hook->next;
        free(hook);
    }
}

void metric_add(struct metric *c, uint64_t n)
{
    c->count += n;
}

void metric_set(struct metric *g, double value)
{
    g->has_value = true;
    g->value = value;
}

void metric_observe(struct metric *h, int64_t value)
{
    h->count++;
    h->sum += value;
    for (size_t i = 0; i < h->bucket_count; i++) {
        if (value > h->bounds[i])
            continue;
        h->buckets[i]++;  // rendering adds the smaller ones
        return;
    }
}

void metric_observe_us(struct metric *h, int64_t us)
{
    metric_observe(h, us > 0 ? us : 0);  // clocks of two machines may disagree
}

uint64_t metric_count(const struct metric *m)
{
    return m->count;
}

void metrics_before_render(struct metrics *m, void (*fn)(void *arg), void *arg)
{
    struct hook *hook = xcalloc(1, sizeof(*hook));

    *hook = (struct hook){ fn, arg, m->hooks };
    m->hooks = hook;
}

// Writes the shortest of 15 or 17 digits that gives the same number back.
static void add_number(struct buf *out, double value)
{
    char text[32];  // 17 digits, sign, point, exponent

    if (isnan(value)) {
        buf_add_text(out, "NaN");
        return;
    }
    if (isinf(value)) {
        buf_add_text(out, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    (void)snprintf(text, sizeof(text), "%.15g", value);
    if (strtod(text, NULL) < value || strtod(text, NULL) > value)
        (void)snprintf(text, sizeof(text), "%.17g", value);
    buf_add_text(out, text);
}

static void add_help(struct buf *out, const struct metric *one)
{
    buf_addf(out, "# HELP %s ", one->name);
    for (const char *p = one->help; *p; p++) {
        if (*p == '\\')
            buf_add_text(out, "\\\\");
        else if (*p == '\n')
            buf_add_text(out, "\\n");
        else
            buf_add_char(out, *p);
    }
    buf_addf(out, "\n# TYPE %s %s\n", one->name, kind_names[one->kind]);
}

static void add_series(struct buf *out, const struct metric *one, const char *suffix)
{
    buf_addf(out, "%s%s", one->name, suffix);
    if (one->labels[0])
        buf_addf(out, "{%s}", one->labels);
    buf_add_char(out, ' ');
}

static void add_bucket(struct buf *out, const struct metric *one, double bound,
                       uint64_t count)
{
    buf_addf(out, "%s_bucket{%s%sle=\"", one->name, one->labels,
             one->labels[0] ? "," : "");
    add_number(out, bound);
    buf_add_text(out, "\"} ");
    buf_addf(out, "%llu\n", (unsigned long long)count);
}

static void add_histogram(struct buf *out, const struct metric *one)
{
    uint64_t below = 0;

    for (size_t i = 0; i < one->bucket_count; i++) {
        below += one->buckets[i];
        add_bucket(out, one, (double)one->bounds[i] / one->per_unit, below);
    }
    add_bucket(out, one, INFINITY, one->count);
    add_series(out, one, "_sum");
    add_number(out, (double)one->sum / one->per_unit);
    buf_add_char(out, '\n');
    add_series(out, one, "_count");
    buf_addf(out, "%llu\n", (unsigned long long)one->count);
}

static void add_plain(struct buf *out, const struct metric *one)
{
    add_series(out, one, "");
    if (one->has_value)
        add_number(out, one->value);
    else
        buf_addf(out, "%llu", (unsigned long long)one->count);
    buf_add_char(out, '\n');
}

void metrics_sample(struct metrics_samples *to, const char *labels, double value)
{
    buf_addf(to->out, "%s{%s} ", to->name, labels);
    add_number(to->out, value);
    buf_add_char(to->out, '\n');
}

static void add_samples(struct buf *out, const struct metric *one)
{
    struct metrics_samples to = { one->name, out };

    if (one->sample)
        one->sample(one->arg, &to);
}

void metrics_render(struct metrics *m, struct buf *out)
{
    const struct metric *before = NULL;

    for (struct hook *hook = m->hooks; hook; hook = hook->next)
        hook->fn(hook->arg);
    for (const struct metric *one = m->first; one; one = one->next) {
        if (!before || strcmp(before->name, one->name) != 0)
            add_help(out, one);
        if (one->kind == METRIC_HISTOGRAM)
            add_histogram(out, one);
        else if (one->kind == METRIC_SAMPLED)
            add_samples(out, one);
        else
            add_plain(out, one);
        before = one;
    }
}
