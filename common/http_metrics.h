// http_metrics.h: what http_server counts: requests by route and code, their time, and
// how many are in hand. Only it includes this.
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "base.h"

struct http_metrics;
struct http_route;
struct metrics;

// http_metrics_new declares the series of the server of that name and its routes;
// in_hand(arg) tells how many requests wait for an answer. http_metrics_free accepts
// NULL.
struct http_metrics *http_metrics_new(struct metrics *m, const char *name,
                                      const struct http_route *routes,
                                      size_t (*in_hand)(void *arg), void *arg);
void http_metrics_free(struct http_metrics *h);

// http_metrics_count counts an answered request; route is a row of the table, or NULL
// when no row was found for it.
void http_metrics_count(struct http_metrics *h, const struct http_route *route,
                        int status, int64_t took_us);

#endif
