#include "survey.h"

#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_BYTES = 64 };

static const char *const classes[] = { "otp", "emergency", "transactional", "marketing" };
static const char *const lanes[] = { "urgent", "normal", "bulk" };
static const char *const kinds[] = { "schedule", "retry", "released", "doubt", "hold" };

// One row of the answer, by what, word and kind; gauges of what the answer does not name
// are 0.
struct count {
    const char *what, *word, *kind;
    struct metric *messages, *oldest;
};

struct survey {
    struct db *db;
    struct reactor_timer *timer;
    int64_t interval_us;
    bool is_stopped;
    struct metric *partitions_missing;
    struct err complaint;
    struct count counts[2 * COUNT_OF(classes) + COUNT_OF(lanes) * (1 + COUNT_OF(kinds))];
    size_t count;
};

static void look(void *arg);

static void declare(struct survey *s, struct metrics *m, const char *what,
                    const char *label, const char *word, const char *help)
{
    struct count *c = &s->counts[s->count++];
    char labels[LABELS_BYTES], name[LABELS_BYTES];

    *c = (struct count){ .what = what, .word = word, .kind = "" };
    (void)snprintf(labels, sizeof(labels), "%s=\"%s\"", label, word);
    (void)snprintf(name, sizeof(name), "smsq_messages_%s", what);
    c->messages = metrics_gauge(m, name, labels, help);
    (void)snprintf(name, sizeof(name), "smsq_messages_%s_oldest_seconds", what);
    c->oldest = metrics_gauge(m, name, labels, "Age of the oldest of them.");
}

static void declare_kind(struct survey *s, struct metrics *m, const char *lane,
                         const char *kind)
{
    struct count *c = &s->counts[s->count++];
    char labels[LABELS_BYTES];

    *c = (struct count){ .what = "delayed", .word = lane, .kind = kind };
    (void)snprintf(labels, sizeof(labels), "lane=\"%s\",kind=\"%s\"", lane, kind);
    c->messages = metrics_gauge(m, "smsq_messages_delayed", labels,
                                "Messages that wait for their time, by why they wait; "
                                "100 000 at most.");
}

struct survey *survey_new(struct reactor *r, struct db *db, int64_t interval_us,
                          struct metrics *metrics)
{
    struct survey *s = xcalloc(1, sizeof(*s));

    s->db = db;
    s->interval_us = interval_us;
    s->timer = reactor_timer_new(r, look, s);
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        declare(s, metrics, "in_doubt", "class", classes[i],
                "Messages of which nobody knows whether Twilio has them.");
        declare(s, metrics, "claimed", "class", classes[i],
                "Messages in the hands of a worker, or left there by one that died.");
    }
    for (size_t i = 0; i < COUNT_OF(lanes); i++) {
        for (size_t k = 0; k < COUNT_OF(kinds); k++)
            declare_kind(s, metrics, lanes[i], kinds[k]);
    }
    for (size_t i = 0; i < COUNT_OF(lanes); i++)
        declare(s, metrics, "due", "lane", lanes[i],
                "Messages whose time has come and that were not moved yet.");
    s->partitions_missing = metrics_gauge(metrics, "smsq_partitions_missing", NULL,
                                          "Tables without a partition for next month.");
    look(s);
    return s;
}

void survey_stop(struct survey *s)
{
    s->is_stopped = true;
    reactor_timer_stop(s->timer);
}

void survey_free(struct survey *s)
{
    if (!s)
        return;
    reactor_timer_free(s->timer);
    free(s);
}

static void clear(struct survey *s)
{
    for (size_t i = 0; i < s->count; i++) {
        metric_set(s->counts[i].messages, 0);
        if (s->counts[i].oldest)
            metric_set(s->counts[i].oldest, 0);
    }
}

static void take_partitions(struct survey *s, const struct survey_row *row)
{
    metric_set(s->partitions_missing, (double)row->count);
    s->complaint.text[0] = '\0';
    if (row->count > 0)
        err_set(
            &s->complaint, OUTCOME_RETRY,
            "table %s has no partition for next month: run select make_partitions(13)",
            row->word);
}

static void take(struct survey *s, const struct survey_row *row)
{
    if (strcmp(row->what, "partitions_missing") == 0)
        take_partitions(s, row);
    for (size_t i = 0; i < s->count; i++) {
        struct count *c = &s->counts[i];
        if (strcmp(c->what, row->what) != 0 || strcmp(c->word, row->word) != 0 ||
            strcmp(c->kind, row->kind) != 0)
            continue;
        metric_set(c->messages, (double)row->count);
        if (c->oldest)
            metric_set(c->oldest, (double)(row->oldest_s > 0 ? row->oldest_s : 0));
    }
}

static void on_counted(void *arg, const struct db_answer *answer)
{
    struct survey *s = arg;
    struct survey_row row;

    if (answer->rc) {
        log_line(LOG_LEVEL_ERROR, "survey_failed", LOG_T("reason", answer->reason));
    } else {
        clear(s);
        for (size_t i = 0; i < db_rows(answer->rows); i++) {
            store_survey_read(&row, answer->rows, i);
            take(s, &row);
        }
    }
    if (!s->is_stopped)
        reactor_timer_set(s->timer, s->interval_us);
}

static void look(void *arg)
{
    struct survey *s = arg;
    store_survey(s->db, on_counted, s);
}

const char *survey_complaint(const struct survey *s)
{
    return s->complaint.text[0] ? s->complaint.text : NULL;
}
