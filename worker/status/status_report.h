// status_report.h: what the status consumer says about a batch that PostgreSQL has taken:
// log lines and metrics. Part of status_consumer.
#ifndef STATUS_REPORT_H
#define STATUS_REPORT_H

#include "base.h"

struct db_result;
struct metrics;
struct status_entry;
struct status_report;

struct status_report *status_report_new(struct metrics *m);
void status_report_free(struct status_report *r);

// status_report_applied: rows are the answer of store_receipts to these entries.
void status_report_applied(struct status_report *r, const struct status_entry *entries,
                           size_t count, const struct db_result *rows);

#endif
