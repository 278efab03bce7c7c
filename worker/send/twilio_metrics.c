#include "twilio_metrics.h"

#include "http_client.h"
#include "metric_words.h"
#include "metrics.h"

#include <stdlib.h>

enum { CODES_MAX = 60 };

struct twilio_metrics {
    struct metrics *metrics;
    size_t (*ask)(const void *arg);
    const void *arg;
    struct metric *refusals[OBJECTION_COUNT], *second_tries;
    struct metric *connections, *reuses, *in_flight;
    struct metric_words *answers, *errors;
};

static void set_in_flight(void *arg)
{
    struct twilio_metrics *t = arg;
    metric_set(t->in_flight, (double)t->ask(t->arg));
}

static struct metric_words *declare_codes(struct metrics *m, const char *name,
                                          const char *const *first, const char *help)
{
    const struct metric_words_settings codes = {
        .name = name,
        .label = "code",
        .help = help,
        .first = first,
        .max = CODES_MAX,
        .declare = metrics_counter,
    };
    return metric_words_new(m, &codes);
}

static void declare_gate(struct twilio_metrics *t, struct metrics *m)
{
    static const char name[] = "smsq_gate_refusals_total";
    static const char help[] = "Requests kept back before their first byte, by reason.";
    static const char *const labels[OBJECTION_COUNT] = {
        [OBJECTION_OLD_CLAIM] = "reason=\"old_claim\"",
        [OBJECTION_EXPIRED] = "reason=\"expired\"",
        [OBJECTION_MODE] = "reason=\"mode\"",
        [OBJECTION_NOT_LISTED] = "reason=\"not_listed\"",
        [OBJECTION_STOPPED] = "reason=\"stopped\"",
        [OBJECTION_NOT_ALIVE] = "reason=\"not_alive\"",
    };

    for (size_t i = OBJECTION_NONE + 1; i < OBJECTION_COUNT; i++)
        t->refusals[i] = metrics_counter(m, name, labels[i], help);
    t->second_tries = metrics_counter(m, name, "reason=\"second_try\"", help);
}

static void declare_requests(struct twilio_metrics *t, struct metrics *m)
{
    static const char name[] = "smsq_twilio_connections_total";
    static const char help[] = "Requests to Twilio by whether their connection was new.";
    static const char *const statuses[] = { "201", "400", "429", NULL };
    static const char *const errors[] = { "21211", NULL };

    t->connections = metrics_counter(m, name, "connection=\"new\"", help);
    t->reuses = metrics_counter(m, name, "connection=\"reused\"", help);
    t->in_flight = metrics_gauge(m, "smsq_posts_in_flight", NULL,
                                 "Requests to Twilio that wait for their answer.");
    t->answers = declare_codes(m, "smsq_twilio_answers_total", statuses,
                               "Answers of Twilio by HTTP status; 0 = none came.");
    t->errors = declare_codes(m, "smsq_twilio_errors_total", errors,
                              "Answers by the error code that Twilio gave.");
}

struct twilio_metrics *twilio_metrics_new(struct metrics *m,
                                          size_t (*in_flight)(const void *arg),
                                          const void *arg)
{
    struct twilio_metrics *t = xcalloc(1, sizeof(*t));

    t->metrics = m;
    t->ask = in_flight;
    t->arg = arg;
    declare_gate(t, m);
    declare_requests(t, m);
    metrics_before_render(m, set_in_flight, t);
    return t;
}

void twilio_metrics_free(struct twilio_metrics *t)
{
    if (!t)
        return;
    metrics_forget(t->metrics, t);
    metric_words_free(t->answers);
    metric_words_free(t->errors);
    free(t);
}

void twilio_metrics_refused(struct twilio_metrics *t, enum objection objection)
{
    metric_add(t->refusals[objection], 1);
}

void twilio_metrics_answered(struct twilio_metrics *t, const struct http_answer *http,
                             int code)
{
    if (http->is_new_connection)
        metric_add(t->connections, 1);
    else if (http->left_us)
        metric_add(t->reuses, 1);
    if (http->was_cut)
        metric_add(t->second_tries, 1);
    metric_add(metric_words_number(t->answers, http->status), 1);
    if (code)
        metric_add(metric_words_number(t->errors, code), 1);
}
