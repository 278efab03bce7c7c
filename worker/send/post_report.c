#include "post_report.h"

#include "error_codes.h"
#include "job.h"
#include "log.h"
#include "metric_words.h"
#include "metrics.h"
#include "status.h"
#include "store_claims.h"
#include "trace.h"
#include "twilio.h"

#include <stdlib.h>
#include <string.h>

enum { CURRENCIES_MAX = 16, RETRY_WORDS_MAX = 16 };

struct post_report {
    enum account_mode mode;
    struct metric *outcomes[SEND_RESULT_COUNT];
    struct metric *post_time[LANE_COUNT], *e2e[LANE_COUNT];
    struct metric_words *costs;
    struct metric_words *retries, *given_up;
    struct metric *unknown_codes;
};

static void declare_retries(struct post_report *s, struct metrics *m)
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

static void declare_metrics(struct post_report *s, struct metrics *m)
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
    lane_latencies(s->post_time, m, "smsq_post_seconds",
                   "From the POST to Twilio's answer.");
    lane_latencies(s->e2e, m, "smsq_e2e_seconds",
                   "From acceptance by the producer to acceptance by Twilio.");
}

struct post_report *post_report_new(enum account_mode mode, struct metrics *metrics)
{
    struct post_report *s = xcalloc(1, sizeof(*s));

    s->mode = mode;
    declare_metrics(s, metrics);
    return s;
}

void post_report_free(struct post_report *s)
{
    if (!s)
        return;
    metric_words_free(s->costs);
    metric_words_free(s->retries);
    metric_words_free(s->given_up);
    free(s);
}

// Beside real messages, simulated ones say nothing about Twilio and its bill.
static bool is_aside(const struct post_report *s, const struct job *job)
{
    return s->mode != ACCOUNT_SIMULATE &&
           strcmp(job->sms.mode, account_mode_name(ACCOUNT_SIMULATE)) == 0;
}

static void count(const struct post_report *s, const struct job *job,
                  const struct send_outcome *outcome, const struct twilio_answer *answer)
{
    const struct sms_job *sms = &job->sms;
    enum lane lane = job->lane;

    metric_add(s->outcomes[answer->result], 1);
    if (send_result_is_held(answer->result))
        return;
    metric_observe_us(s->post_time[lane], answer->took_us);
    if (outcome->rank == RANK_WAITING)
        metric_add(metric_words_find(s->retries, outcome->outcome), 1);
    else if (outcome->reason)
        metric_add(metric_words_find(s->given_up, outcome->reason), 1);
    if (answer->result != SEND_ACCEPTED)
        return;
    metric_observe_us(s->e2e[lane], outcome->answered_us - sms->accepted_at);
    if (!is_aside(s, job))
        metric_add(metric_words_find(s->costs, sms->currency),
                   (uint64_t)sms->estimate_micros);
}

// What Twilio says about a code, said beside it; a code that the table does not know is
// final for its message, and somebody should give it a row.
static void explain(const struct post_report *s, const struct job *job,
                    const struct send_outcome *outcome,
                    const struct twilio_answer *answer)
{
    const struct error_code *code = answer->known;

    if (!answer->code)
        return;
    metric_add(s->unknown_codes, code == NULL);
    log_line(code ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
             code ? "error_code_met" : "error_code_unknown",
             LOG_U("message_id", outcome->message_id),
             LOG_C(trace_id_of(job->sms.traceparent)), LOG_I("error_code", answer->code),
             LOG_T("action", error_action_name(answer->action)),
             LOG_T("meaning", code ? code->meaning : NULL),
             LOG_T("advice", code ? code->advice : "give it a row: smsq codes set"));
    if (code && code->opt_out)
        log_line(LOG_LEVEL_INFO, "opt_out_reported",
                 LOG_U("message_id", outcome->message_id),
                 LOG_C(trace_id_of(job->sms.traceparent)),
                 LOG_I("error_code", answer->code));
}

static void tell(const struct post_report *s, const struct job *job,
                 const struct send_outcome *outcome, const struct twilio_answer *answer)
{
    bool ok = answer->result == SEND_ACCEPTED || answer->result == SEND_REJECTED;

    if (send_result_is_held(answer->result)) {
        log_line(LOG_LEVEL_INFO, "job_held", LOG_U("message_id", outcome->message_id),
                 LOG_C(trace_id_of(job->sms.traceparent)), LOG_I("turn", outcome->turn),
                 LOG_T("outcome", outcome->outcome), LOG_T("reason", answer->reason));
        return;
    }
    log_line(ok ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, ok ? "job_sent" : "job_not_sent",
             LOG_U("message_id", outcome->message_id),
             LOG_C(trace_id_of(job->sms.traceparent)), LOG_I("turn", outcome->turn),
             LOG_T("outcome", outcome->outcome),
             LOG_T("twilio_sid", outcome->sid[0] ? outcome->sid : NULL),
             LOG_I("http_status", answer->http_status), LOG_I("error_code", answer->code),
             LOG_T("reason", answer->reason), LOG_I("took_us", answer->took_us));
    explain(s, job, outcome, answer);
}

void post_report_add(const struct post_report *s, const struct job *job,
                     const struct send_outcome *outcome,
                     const struct twilio_answer *answer)
{
    tell(s, job, outcome, answer);
    count(s, job, outcome, answer);
}
