#include "status_report.h"

#include "db_rows.h"
#include "log.h"
#include "metric_words.h"
#include "metrics.h"
#include "status_entry.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 16 };

struct status_report {
    struct metric_words *applied, *retries, *given_up;
    struct metric *unknown_codes;
};

// A message of a batch that is traced; the text is the record's.
struct traced {
    unsigned char message_id[16];
    const char *trace_id;
};

// Columns of the answer of store_receipts.
enum {
    COLUMN_ID,
    COLUMN_TURN,
    COLUMN_STATUS,
    COLUMN_CLASS,
    COLUMN_TRIES,
    COLUMN_CODE,
    COLUMN_MEANING,
    COLUMN_ADVICE,
    COLUMN_NEXT,
    COLUMN_IS_FAILURE,
};

static struct metric_words *words(struct metrics *m, const char *name, const char *label,
                                  const char *help, const char *const *first)
{
    const struct metric_words_settings set = {
        .name = name,
        .label = label,
        .help = help,
        .max = WORDS_MAX,
        .first = first,
        .declare = metrics_counter,
    };
    return metric_words_new(m, &set);
}

struct status_report *status_report_new(struct metrics *m)
{
    static const char *const statuses[] = { "delivered", "undelivered", "failed", NULL };
    static const char *const reasons[] = { "provider_failed", NULL };
    static const char *const ends[] = { "tries_used_up", "too_late", NULL };
    struct status_report *r = xcalloc(1, sizeof(*r));

    r->applied = words(m, "smsq_statuses_applied_total", "status",
                       "Messages that a callback raised to this status.", statuses);
    r->retries = words(m, "smsq_retries_total", "reason",
                       "Messages that wait for another turn, by what their POST came to.",
                       reasons);
    r->given_up =
        words(m, "smsq_retries_ended_total", "reason",
              "Messages that got no other turn: their tries or their time were used up.",
              ends);
    r->unknown_codes = metrics_counter(
        m, "smsq_error_codes_unknown_total", NULL,
        "Answers and callbacks with a code that the table does not know.");
    return r;
}

void status_report_free(struct status_report *r)
{
    if (!r)
        return;
    metric_words_free(r->applied);
    metric_words_free(r->retries);
    metric_words_free(r->given_up);
    free(r);
}

static int compare_traced(const void *a, const void *b)
{
    const struct traced *x = a, *y = b;
    return memcmp(x->message_id, y->message_id, sizeof(x->message_id));
}

// Collects the trace ids of a batch, sorted by message; most batches have none.
static size_t collect_traced(struct traced *out, const struct status_entry *entries,
                             size_t count)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        const struct sms_status *record = &entries[i].record;
        if (!record->trace_id)
            continue;
        memcpy(out[found].message_id, record->message_id, sizeof(out->message_id));
        out[found++].trace_id = record->trace_id;
    }
    qsort(out, found, sizeof(*out), compare_traced);
    return found;
}

static const char *text(const struct db_result *rows, size_t row, int column)
{
    return db_is_null(rows, row, column) ? NULL : db_text(rows, row, column);
}

static void count_next(struct status_report *r, const char *next)
{
    if (!next)
        return;
    if (strcmp(next, "again") == 0)
        metric_add(metric_words_find(r->retries, "provider_failed"), 1);
    else if (strcmp(next, "tries_used_up") == 0 || strcmp(next, "too_late") == 0)
        metric_add(metric_words_find(r->given_up, next), 1);
}

// A failure that the provider reported later. One without a code has nothing to look up.
static void explain(struct status_report *r, const struct db_result *rows, size_t row,
                    const char *trace_id)
{
    const char *meaning = text(rows, row, COLUMN_MEANING);
    const char *next = text(rows, row, COLUMN_NEXT);

    count_next(r, next);
    if (db_is_null(rows, row, COLUMN_CODE))
        return;
    metric_add(r->unknown_codes, meaning == NULL);
    int64_t code = db_int(rows, row, COLUMN_CODE);
    const char *advice = text(rows, row, COLUMN_ADVICE);
    log_line(meaning ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
             meaning ? "error_code_met" : "error_code_unknown",
             LOG_U("message_id", db_uuid(rows, row, COLUMN_ID)), LOG_C(trace_id),
             LOG_I("error_code", code), LOG_T("action", next), LOG_T("meaning", meaning),
             LOG_T("advice", meaning ? advice : "give it a row: smsq codes set"));
    if (next && strcmp(next, "opt_out") == 0)
        log_line(LOG_LEVEL_INFO, "opt_out_reported",
                 LOG_U("message_id", db_uuid(rows, row, COLUMN_ID)), LOG_C(trace_id),
                 LOG_I("error_code", code));
}

void status_report_applied(struct status_report *r, const struct status_entry *entries,
                           size_t count, const struct db_result *rows)
{
    struct traced *traced = xcalloc(count ? count : 1, sizeof(*traced)), wanted = { 0 };
    size_t traced_count = collect_traced(traced, entries, count);

    for (size_t i = 0; i < db_rows(rows); i++) {
        const char *status = db_text(rows, i, COLUMN_STATUS);
        memcpy(wanted.message_id, db_uuid(rows, i, COLUMN_ID), sizeof(wanted.message_id));
        const struct traced *found =
            bsearch(&wanted, traced, traced_count, sizeof(*traced), compare_traced);
        const char *trace_id = found ? found->trace_id : NULL;
        log_line(LOG_LEVEL_INFO, "status_applied", LOG_U("message_id", wanted.message_id),
                 LOG_C(trace_id), LOG_I("turn", db_int(rows, i, COLUMN_TURN)),
                 LOG_T("status", status));
        metric_add(metric_words_find(r->applied, status), 1);
        if (db_bool(rows, i, COLUMN_IS_FAILURE))
            explain(r, rows, i, trace_id);
    }
    free(traced);
}
