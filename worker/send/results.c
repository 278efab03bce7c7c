#include "results.h"

#include "db.h"
#include "error_codes.h"
#include "fail_point.h"
#include "job.h"
#include "journal.h"
#include "log.h"
#include "metric_words.h"
#include "metrics.h"
#include "reactor.h"
#include "status.h"
#include "store_claims.h"
#include "trace.h"
#include "twilio.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    LINGER_US = 20000,  // a fuller batch costs PostgreSQL less per row
    CURRENCIES_MAX = 16,
    RETRY_WORDS_MAX = 16,
};

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
    struct metric *outcomes[SEND_RESULT_COUNT];
    struct metric *post_time[LANE_COUNT], *e2e[LANE_COUNT], *batch_size;
    struct metric_words *costs;
    struct metric_words *retries, *given_up;
    struct metric *unknown_codes;
};

static void on_linger(void *arg);

static void declare_retries(struct results *s, struct metrics *m)
{
    static const char *const reasons[] = { "rejected", "not_sent", "not_processed",
                                           "misconfigured", NULL };
    static const char *const ends[] = { "tries_used_up", "too_late", NULL };
    struct metric_words_settings set = {
        .name = "smsq_retries_total",
        .label = "reason",
        .help = "Messages that wait for another turn, by what their POST came to.",
        .max = RETRY_WORDS_MAX,
        .first = reasons,
        .declare = metrics_counter,
    };

    s->retries = metric_words_new(m, &set);
    set.name = "smsq_retries_ended_total";
    set.help = "Messages that got no other turn: their tries or their time were used up.";
    set.first = ends;
    s->given_up = metric_words_new(m, &set);
}

static void declare_metrics(struct results *s, struct metrics *m)
{
    static const char *const labels[SEND_RESULT_COUNT] = {
        [SEND_ACCEPTED] = "outcome=\"accepted\"",
        [SEND_NOT_SENT] = "outcome=\"not_sent\"",
        [SEND_NOT_PROCESSED] = "outcome=\"not_processed\"",
        [SEND_REJECTED] = "outcome=\"rejected\"",
        [SEND_MISCONFIGURED] = "outcome=\"misconfigured\"",
        [SEND_IN_DOUBT] = "outcome=\"in_doubt\"",
        [SEND_NOT_LISTED] = "outcome=\"not_listed\"",
        [SEND_HELD_ACCOUNT] = "outcome=\"account_stopped\"",
        [SEND_HELD_SENDER] = "outcome=\"sender_stopped\"",
        [SEND_HELD_CLASS] = "outcome=\"emergency_only\"",
    };
    static const char *const currencies[] = { "USD", NULL };
    const struct metric_words_settings costs = {
        .name = "smsq_cost_micros_total",
        .label = "currency",
        .help = "Estimated cost of what Twilio accepted, in millionths of the currency.",
        .max = CURRENCIES_MAX,
        .first = currencies,
        .declare = metrics_counter,
    };

    for (size_t i = 0; i < SEND_RESULT_COUNT; i++)
        s->outcomes[i] = metrics_counter(m, "smsq_posts_total", labels[i],
                                         "POSTs to Twilio by what they came to.");
    s->costs = metric_words_new(m, &costs);
    declare_retries(s, m);
    s->unknown_codes = metrics_counter(
        m, "smsq_error_codes_unknown_total", NULL,
        "Answers and callbacks with a code that the table does not know.");
    s->batch_size = metrics_sizes(m, "smsq_result_batch_rows", NULL,
                                  "Results in one batch for PostgreSQL.");
    lane_latencies(s->post_time, m, "smsq_post_seconds",
                   "From the POST to Twilio's answer.");
    lane_latencies(s->e2e, m, "smsq_e2e_seconds",
                   "From acceptance by the producer to acceptance by Twilio.");
}

struct results *results_new(struct reactor *r, const struct results_settings *set,
                            struct metrics *metrics)
{
    struct results *s = xcalloc(1, sizeof(*s));

    s->set = *set;
    s->linger = reactor_timer_new(r, on_linger, s);
    declare_metrics(s, metrics);
    return s;
}

void results_free(struct results *s)
{
    if (!s)
        return;
    reactor_timer_free(s->linger);
    metric_words_free(s->costs);
    metric_words_free(s->retries);
    metric_words_free(s->given_up);
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
           (batch = SLIST_FIRST(&s->set.held->settled)) != NULL) {
        epochs[count] = batch->epoch;
        numbers[count++] = batch->number;
        SLIST_REMOVE_HEAD(&s->set.held->settled, next);
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

// Beside real messages, simulated ones say nothing about Twilio and its bill.
static bool is_aside(const struct results *s, const struct job *job)
{
    return s->set.mode != ACCOUNT_SIMULATE &&
           strcmp(job->sms.mode, account_mode_name(ACCOUNT_SIMULATE)) == 0;
}

static void count(struct results *s, const struct result *row,
                  const struct twilio_answer *answer)
{
    const struct sms_job *sms = &row->job->sms;
    enum lane lane = row->job->lane;

    metric_add(s->outcomes[answer->result], 1);
    if (send_result_is_held(answer->result))
        return;
    metric_observe_us(s->post_time[lane], answer->took_us);
    if (row->outcome.rank == RANK_WAITING)
        metric_add(metric_words_find(s->retries, row->outcome.outcome), 1);
    else if (row->outcome.reason)
        metric_add(metric_words_find(s->given_up, row->outcome.reason), 1);
    if (answer->result != SEND_ACCEPTED)
        return;
    metric_observe_us(s->e2e[lane], row->outcome.answered_us - sms->accepted_at);
    if (!is_aside(s, row->job))
        metric_add(metric_words_find(s->costs, sms->currency),
                   (uint64_t)sms->estimate_micros);
}

// What Twilio says about a code, said beside it; a code that the table does not know is
// final for its message, and somebody should give it a row.
static void explain(const struct results *s, const struct result *row,
                    const struct twilio_answer *answer)
{
    const struct error_code *code = answer->known;

    if (!answer->code)
        return;
    metric_add(s->unknown_codes, code == NULL);
    log_line(code ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
             code ? "error_code_met" : "error_code_unknown",
             LOG_U("message_id", row->outcome.message_id),
             LOG_C(trace_id_of(row->job->sms.traceparent)),
             LOG_I("error_code", answer->code),
             LOG_T("action", error_action_name(answer->action)),
             LOG_T("meaning", code ? code->meaning : NULL),
             LOG_T("advice", code ? code->advice : "give it a row: smsq codes set"));
    if (code && code->opt_out)
        log_line(LOG_LEVEL_INFO, "opt_out_reported",
                 LOG_U("message_id", row->outcome.message_id),
                 LOG_C(trace_id_of(row->job->sms.traceparent)),
                 LOG_I("error_code", answer->code));
}

static void report(const struct results *s, const struct result *row,
                   const struct twilio_answer *answer)
{
    bool ok = answer->result == SEND_ACCEPTED || answer->result == SEND_REJECTED;

    if (send_result_is_held(answer->result)) {
        log_line(LOG_LEVEL_INFO, "job_held", LOG_U("message_id", row->outcome.message_id),
                 LOG_C(trace_id_of(row->job->sms.traceparent)),
                 LOG_I("turn", row->outcome.turn), LOG_T("outcome", row->outcome.outcome),
                 LOG_T("reason", answer->reason));
        return;
    }
    log_line(ok ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, ok ? "job_sent" : "job_not_sent",
             LOG_U("message_id", row->outcome.message_id),
             LOG_C(trace_id_of(row->job->sms.traceparent)),
             LOG_I("turn", row->outcome.turn), LOG_T("outcome", row->outcome.outcome),
             LOG_T("twilio_sid", row->sid[0] ? row->sid : NULL),
             LOG_I("http_status", answer->http_status), LOG_I("error_code", answer->code),
             LOG_T("reason", answer->reason), LOG_I("took_us", answer->took_us));
    explain(s, row, answer);
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
    report(s, row, answer);
    count(s, row, answer);
    s->count++;
    if (s->filling->count == RESULTS_BATCH_MAX)
        flush(s);
}

size_t results_count(const struct results *s)
{
    return s->count;
}
