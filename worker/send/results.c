#include "results.h"

#include "db.h"
#include "fail_point.h"
#include "job.h"
#include "journal.h"
#include "log.h"
#include "metrics.h"
#include "post_report.h"
#include "reactor.h"
#include "store_claims.h"
#include "trace.h"
#include "twilio.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { LINGER_US = 20000 };  // a fuller batch costs PostgreSQL less per row

struct result {
    struct job *job;
    struct send_outcome outcome;
    char sid[SID_TEXT_BYTES];
    bool is_plain;  // reduced to "in doubt", after a refusal
};

struct batch {
    struct results *owner;
    LIST_ENTRY(batch) next;
    size_t count;
    struct result rows[RESULTS_BATCH_MAX];
};

struct results {
    struct results_settings set;
    struct reactor_timer *linger;
    struct batch *filling;       // NULL while empty
    LIST_HEAD(, batch) writing;  // in PostgreSQL's hands
    size_t count;
    struct post_report *report;
    struct metric *batch_size;
};

static void on_linger(void *arg);

struct results *results_new(struct reactor *r, const struct results_settings *set,
                            struct metrics *metrics)
{
    struct results *s = xcalloc(1, sizeof(*s));

    s->set = *set;
    s->linger = reactor_timer_new(r, on_linger, s);
    s->report = post_report_new(set->mode, metrics);
    s->batch_size = metrics_sizes(metrics, "smsq_result_batch_rows", NULL,
                                  "Results in one batch for PostgreSQL.");
    return s;
}

void results_free(struct results *s)
{
    if (!s)
        return;
    reactor_timer_free(s->linger);
    post_report_free(s->report);
    free(s->filling);
    while (!LIST_EMPTY(&s->writing)) {
        struct batch *b = LIST_FIRST(&s->writing);
        LIST_REMOVE(b, next);
        free(b);
    }
    free(s);
}

static void free_job(struct results *s, struct job *job)
{
    journal_give_back(s->set.journal, job->slot);
    job_free(s->set.held, job);
    s->count--;
}

static int compare_results(const void *a, const void *b)
{
    const struct result *x = a, *y = b;
    return memcmp(x->outcome.message_id, y->outcome.message_id, 16);
}

static void submit(struct batch *b);

// A batch that PostgreSQL will never take is halved until the bad row stands alone.
static void split(struct batch *b)
{
    struct batch *other = xcalloc(1, sizeof(*other));

    other->owner = b->owner;
    other->count = b->count / 2;
    b->count -= other->count;
    memcpy(other->rows, b->rows + b->count, other->count * sizeof(*other->rows));
    submit(b);
    submit(other);
}

// The row of a POST must not look as if it never began. What PostgreSQL refuses is left
// to the log, and the bare fact that the message is in doubt is written instead.
static void make_plain(struct result *row)
{
    row->is_plain = true;
    row->sid[0] = '\0';
    verdict_make_plain(&row->outcome);
}

// Its jobs stay held: nothing says that they are done. Forgotten, they would be taken for
// claims that never began, and posted again.
static void stop(struct batch *b, const struct db_answer *answer)
{
    struct results *s = b->owner;

    s->set.fail(s->set.arg, answer->reason);
    free(b);
}

static void bury(struct batch *b, const struct db_answer *answer)
{
    struct result *row = &b->rows[0];

    log_line(LOG_LEVEL_ERROR, "result_refused",
             LOG_U("message_id", row->outcome.message_id),
             LOG_C(trace_id_of(row->job->sms.traceparent)),
             LOG_I("turn", row->outcome.turn), LOG_T("outcome", row->outcome.outcome),
             LOG_T("twilio_sid", row->sid),
             LOG_I("http_status", row->outcome.http_status),
             LOG_I("error_code", row->outcome.error_code),
             LOG_T("sqlstate", answer->sqlstate), LOG_T("reason", answer->reason));
    if (row->is_plain) {
        stop(b, answer);
    } else {
        make_plain(row);
        submit(b);
    }
}

static void settle_refusal(struct batch *b, const struct db_answer *answer)
{
    if (!db_blames_data(answer)) {
        stop(b, answer);
    } else if (b->count > 1) {
        split(b);
    } else {
        bury(b, answer);
    }
}

static void on_deleted(void *arg, const struct db_answer *answer)
{
    (void)arg;
    if (answer->rc)
        log_line(LOG_LEVEL_WARN, "claim_batches_left", LOG_T("reason", answer->reason));
}

// A result settles one batch of claims at most.
static void delete_settled(struct results *s)
{
    int64_t epochs[RESULTS_BATCH_MAX], numbers[RESULTS_BATCH_MAX];
    struct claim_batch *batch;
    size_t count = 0;

    while (count < RESULTS_BATCH_MAX &&
           (batch = job_set_pop_settled(s->set.held)) != NULL) {
        epochs[count] = batch->epoch;
        numbers[count++] = batch->number;
        free(batch);
    }
    if (count > 0)
        store_claims_settled(s->set.db, epochs, numbers, count, on_deleted, s);
}

// What the rows do not show was overtaken by a callback, or is another turn's by now.
static void settle(struct batch *b, const struct db_result *rows)
{
    size_t hint = 0;

    for (size_t i = 0; i < b->count; i++) {
        struct job *job = b->rows[i].job;
        int row = db_row_of(rows, job->sms.message_id, hint);
        if (row >= 0) {
            hint = (size_t)row + 1;
            job->is_settled = strcmp(db_text(rows, (size_t)row, 2), "in_doubt") != 0;
        }
        free_job(b->owner, job);
    }
    delete_settled(b->owner);
    free(b);
}

static void on_written(void *arg, const struct db_answer *answer)
{
    struct batch *b = arg;
    struct results *s = b->owner;

    LIST_REMOVE(b, next);
    fail_point("worker_after_result", s->set.held->count);
    if (answer->rc)
        settle_refusal(b, answer);
    else
        settle(b, answer->rows);
    fail_point("worker_rest", s->set.held->count);
    if (!reactor_timer_is_set(s->linger))
        on_linger(s);
    s->set.on_room(s->set.arg);
}

static void submit(struct batch *b)
{
    struct send_outcome rows[RESULTS_BATCH_MAX];

    for (size_t i = 0; i < b->count; i++) {
        rows[i] = b->rows[i].outcome;
        rows[i].sid = b->rows[i].sid[0] ? b->rows[i].sid : NULL;
    }
    LIST_INSERT_HEAD(&b->owner->writing, b, next);
    metric_observe(b->owner->batch_size, (int64_t)b->count);
    store_result(b->owner->set.db, rows, b->count, on_written, b);
}

static void flush(struct results *s)
{
    struct batch *b = s->filling;

    s->filling = NULL;
    reactor_timer_stop(s->linger);
    qsort(b->rows, b->count, sizeof(*b->rows), compare_results);
    submit(b);
}

// The first of those gathered has waited long enough. But while PostgreSQL has a batch in
// hand the next one could only wait behind it: so it gathers on, and costs less per row.
static void on_linger(void *arg)
{
    struct results *s = arg;

    if (s->filling && LIST_EMPTY(&s->writing))
        flush(s);
}

static void fill(struct results *s, struct result *row, struct job *job,
                 const struct twilio_answer *answer)
{
    row->job = job;
    memcpy(row->sid, answer->sid, sizeof(row->sid));
    verdict_fill(&row->outcome, s->set.retry, job, answer);
    row->outcome.sid = row->sid;
}

void results_add(struct results *s, struct job *job, const struct twilio_answer *answer)
{
    if (!s->filling) {
        s->filling = xcalloc(1, sizeof(*s->filling));
        s->filling->owner = s;
        reactor_timer_set(s->linger, LINGER_US);
    }
    struct result *row = &s->filling->rows[s->filling->count++];
    fill(s, row, job, answer);
    journal_answer(job->slot, &row->outcome);
    post_report_add(s->report, job, &row->outcome, answer);
    s->count++;
    if (s->filling->count == RESULTS_BATCH_MAX)
        flush(s);
}

size_t results_count(const struct results *s)
{
    return s->count;
}
