#include "db_internal.h"
#include "metrics.h"

#include <stdlib.h>

struct db_metrics {
    struct metric *up, *statements, *retries, *reconnects, *seconds;
};

struct db_metrics *db_metrics_new(struct metrics *m)
{
    if (!m)
        return NULL;

    struct db_metrics *dm = xcalloc(1, sizeof(*dm));
    dm->up = metrics_gauge(m, "smsq_db_up", NULL,
                           "1 while the connection to PostgreSQL stands");
    dm->statements = metrics_counter(m, "smsq_db_statements_total", NULL,
                                     "Statements that were answered for good");
    dm->retries = metrics_counter(m, "smsq_db_retries_total", NULL,
                                  "Requests that were sent once more");
    dm->reconnects = metrics_counter(m, "smsq_db_reconnects_total", NULL,
                                     "Connections after the first");
    dm->seconds = metrics_histogram(m, "smsq_db_seconds", NULL,
                                    "Time from submitting a request to its answer",
                                    metrics_latency, metrics_latency_count);
    return dm;
}

void db_count_up(const struct db *db)
{
    if (!db->metrics)
        return;
    metric_set(db->metrics->up, db->state == DB_UP);
    if (db->state == DB_UP && db->connect_count > 1)
        metric_add(db->metrics->reconnects, 1);
}

void db_count_sent(const struct db_request *request)
{
    if (request->db->metrics && request->sends > 1)
        metric_add(request->db->metrics->retries, 1);
}

void db_count_answered(const struct db_request *request)
{
    const struct db_metrics *dm = request->db->metrics;

    if (!dm)
        return;
    metric_add(dm->statements, request->count);
    metric_observe_us(dm->seconds, clock_boot_us() - request->submitted_us);
}
