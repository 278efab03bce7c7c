#include "http_metrics.h"

#include "buf.h"
#include "http_server.h"
#include "metric_words.h"
#include "metrics.h"

#include <stdio.h>
#include <stdlib.h>

enum { LABELS_BYTES = 160, CODES_MAX = 40 };

struct route {
    char labels[LABELS_BYTES];
    struct metric_words *codes;
};

struct http_metrics {
    struct metrics *metrics;
    const struct http_route *table;
    size_t count;
    struct route *routes;  // one per row of the table, and one for what is in none
    struct metric *seconds, *in_hand;
    size_t (*ask)(void *arg);
    void *arg;
};

static void set_in_hand(void *arg)
{
    struct http_metrics *h = arg;
    metric_set(h->in_hand, (double)h->ask(h->arg));
}

static void declare_route(struct http_metrics *h, struct route *route, const char *name,
                          const char *path)
{
    (void)snprintf(route->labels, sizeof(route->labels), "server=\"%s\",route=\"%s\"",
                   name, path);
    const struct metric_words_settings codes = {
        .name = "smsq_http_requests_total",
        .labels = route->labels,
        .label = "code",
        .help = "HTTP requests by route and the code of their answer.",
        .max = CODES_MAX,
        .declare = metrics_counter,
    };
    route->codes = metric_words_new(h->metrics, &codes);
}

struct http_metrics *http_metrics_new(struct metrics *m, const char *name,
                                      const struct http_route *routes,
                                      size_t (*in_hand)(void *arg), void *arg)
{
    struct http_metrics *h = xcalloc(1, sizeof(*h));
    char labels[LABELS_BYTES];

    h->metrics = m;
    h->table = routes;
    h->ask = in_hand;
    h->arg = arg;
    while (routes[h->count].method)
        h->count++;
    h->routes = xcalloc(h->count + 1, sizeof(*h->routes));
    for (size_t i = 0; i < h->count; i++)
        declare_route(h, &h->routes[i], name, routes[i].path);
    declare_route(h, &h->routes[h->count], name, "other");
    (void)snprintf(labels, sizeof(labels), "server=\"%s\"", name);
    h->seconds = metrics_latencies(m, "smsq_http_request_seconds", labels,
                                   "From the request line to the last byte.");
    h->in_hand = metrics_gauge(m, "smsq_http_requests_in_hand", labels,
                               "Requests that wait for their answer.");
    metrics_before_render(m, set_in_hand, h);
    return h;
}

void http_metrics_free(struct http_metrics *h)
{
    if (!h)
        return;
    metrics_forget(h->metrics, h);
    for (size_t i = 0; i <= h->count; i++)
        metric_words_free(h->routes[i].codes);
    free(h->routes);
    free(h);
}

void http_metrics_count(struct http_metrics *h, const struct http_route *route,
                        int status, int64_t took_us)
{
    size_t i = route ? (size_t)(route - h->table) : h->count;

    metric_add(metric_words_number(h->routes[i].codes, status), 1);
    metric_observe_us(h->seconds, took_us);
}
