#include "db_internal.h"
#include "metric_words.h"
#include "metrics.h"

#include <stdio.h>
#include <stdlib.h>

enum { LABELS_BYTES = 128, STATEMENTS_MAX = 40 };

struct db_metrics {
    char labels[LABELS_BYTES];
    struct metric *up, *statements, *retries, *reconnects, *in_flight;
    struct metric_words *seconds;
};

static void declare_seconds(struct db_metrics *dm, struct metrics *m)
{
    const struct metric_words_settings seconds = {
        .name = "smsq_db_seconds",
        .labels = dm->labels,
        .label = "statement",
        .help = "From submitting a request to its answer, by its first statement.",
        .max = STATEMENTS_MAX,
        .declare = metrics_latencies,
    };
    dm->seconds = metric_words_new(m, &seconds);
}

struct db_metrics *db_metrics_new(struct metrics *m, const char *application_name)
{
    if (!m)
        return NULL;

    struct db_metrics *dm = xcalloc(1, sizeof(*dm));
    (void)snprintf(dm->labels, sizeof(dm->labels), "connection=\"%s\"", application_name);
    dm->up = metrics_gauge(m, "smsq_db_up", dm->labels,
                           "1 while the connection to PostgreSQL stands.");
    dm->statements = metrics_counter(m, "smsq_db_statements_total", dm->labels,
                                     "Statements that were answered for good.");
    dm->retries = metrics_counter(m, "smsq_db_retries_total", dm->labels,
                                  "Requests that were sent once more.");
    dm->reconnects = metrics_counter(m, "smsq_db_reconnects_total", dm->labels,
                                     "Connections after the first.");
    dm->in_flight = metrics_gauge(m, "smsq_db_requests_in_flight", dm->labels,
                                  "Requests that PostgreSQL has not answered.");
    declare_seconds(dm, m);
    return dm;
}

void db_metrics_free(struct db_metrics *dm)
{
    if (!dm)
        return;
    metric_words_free(dm->seconds);
    free(dm);
}

void db_count_up(const struct db *db)
{
    if (!db->metrics)
        return;
    metric_set(db->metrics->up, db->state == DB_UP);
    if (db->state == DB_UP && db->connect_count > 1)
        metric_add(db->metrics->reconnects, 1);
}

void db_count_in_flight(const struct db *db)
{
    if (db->metrics)
        metric_set(db->metrics->in_flight, (double)db->in_flight);
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
    metric_observe_us(metric_words_find(dm->seconds, request->steps[0].statement->name),
                      clock_boot_us() - request->submitted_us);
}
