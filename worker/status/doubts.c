#include "doubts.h"

#include "db.h"
#include "doubt_hands.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_doubts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTER_MAX = 500,         // in one statement
    OVERDUE_US = 300000000,  // beyond the class's time: what an alert is for
};

struct doubts {
    struct doubts_settings set;
    struct reactor_timer *tick;
    struct lease *lease;
    struct doubt_hands *hands;
    bool busy;  // a tick's statements are on their way
    bool stopping;
    struct metric *open[DOUBT_CLASS_COUNT], *overdue[DOUBT_CLASS_COUNT];
};

static void tick(void *arg);

static void declare_metrics(struct doubts *d)
{
    struct metrics *m = d->set.metrics;
    char labels[48];

    for (size_t i = 0; i < DOUBT_CLASS_COUNT; i++) {
        (void)snprintf(labels, sizeof(labels), "class=\"%s\"",
                       doubt_class_name((enum doubt_class)i));
        d->open[i] = metrics_gauge(m, "smsq_doubts", labels,
                                   "Messages in doubt, as the holder of the lease sees.");
        d->overdue[i] =
            metrics_gauge(m, "smsq_doubts_overdue", labels,
                          "Of them those 5 minutes and more past their class's time.");
    }
}

// Only the holder of the lease knows.
static void forget_gauges(void *arg)
{
    const struct doubts *d = arg;

    for (size_t i = 0; i < DOUBT_CLASS_COUNT && !lease_is_held(d->lease); i++) {
        metric_set(d->open[i], 0);
        metric_set(d->overdue[i], 0);
    }
}

static void on_lease(void *arg)
{
    struct doubts *d = arg;

    if (!d->busy && !d->stopping)
        reactor_timer_set(d->tick, 0);
}

struct doubts *doubts_new(struct reactor *r, const struct doubts_settings *set)
{
    struct doubts *d = xcalloc(1, sizeof(*d));
    const struct lease_settings lease = {
        .name = "doubts",
        .program = "smsq-status-consumer",
        .term_us = set->lease_us,
        .db = set->db,
        .taken = on_lease,
        .arg = d,
    };

    d->set = *set;
    d->hands = doubt_hands_new(set);
    d->tick = reactor_timer_new(r, tick, d);
    declare_metrics(d);
    d->lease = lease_new(r, &lease, set->metrics);
    metrics_before_render(set->metrics, forget_gauges, d);
    return d;
}

void doubts_free(struct doubts *d)
{
    if (!d)
        return;
    doubt_hands_free(d->hands);
    reactor_timer_free(d->tick);
    lease_free(d->lease);
    free(d);
}

void doubts_stop(struct doubts *d)
{
    d->stopping = true;
    reactor_timer_stop(d->tick);
    lease_give_up(d->lease);
}

// What is in hand may be dropped at any time: the note in doubts stays.
bool doubts_is_idle(const struct doubts *d)
{
    return !d->busy && lease_is_idle(d->lease);
}

// --- a tick: enter, clean, due, count ---

static void rest(struct doubts *d, int64_t delay_us)
{
    d->busy = false;
    if (!d->stopping && lease_is_held(d->lease))
        reactor_timer_set(d->tick, delay_us);
}

static struct doubt_firsts times_of(const struct doubts *d, bool firsts)
{
    const struct doubt_settings *p = d->set.policy;
    int64_t us[DOUBT_CLASS_COUNT];

    for (size_t i = 0; i < DOUBT_CLASS_COUNT; i++) {
        int64_t half_us = p->wait_us[i] / 2;
        us[i] = firsts ? (half_us < p->first_look_us ? half_us : p->first_look_us)
                       : p->wait_us[i] + OVERDUE_US;
    }
    return (struct doubt_firsts){ us[DOUBT_OTP], us[DOUBT_EMERGENCY],
                                  us[DOUBT_TRANSACTIONAL], us[DOUBT_MARKETING] };
}

static void on_count(void *arg, const struct db_answer *answer)
{
    struct doubts *d = arg;

    for (size_t i = 0; i < DOUBT_CLASS_COUNT && !answer->rc; i++) {
        metric_set(d->open[i], 0);
        metric_set(d->overdue[i], 0);
    }
    for (size_t i = 0; !answer->rc && i < db_rows(answer->rows); i++) {
        enum doubt_class class = doubt_class_find(db_text(answer->rows, i, 0));
        metric_set(d->open[class], (double)db_int(answer->rows, i, 1));
        metric_set(d->overdue[class], (double)db_int(answer->rows, i, 2));
    }
    if (answer->rc)
        doubt_failed("count", answer);
    rest(d, *d->set.interval_us);
}

static void on_due(void *arg, const struct db_answer *answer)
{
    struct doubts *d = arg;
    const struct doubt_firsts overdue = times_of(d, false);

    if (answer->rc)
        doubt_failed("due", answer);
    for (size_t i = 0; !answer->rc && i < db_rows(answer->rows); i++) {
        struct doubt_row row;
        store_doubts_read(&row, answer->rows, i);
        doubt_hands_take(d->hands, &row);
    }
    store_doubts_count(d->set.db, &overdue, on_count, d);
}

static void on_cleaned(void *arg, const struct db_answer *answer)
{
    struct doubts *d = arg;
    unsigned char ids[DOUBT_HANDS_MAX][16];

    if (answer->rc)
        doubt_failed("clean", answer);
    for (size_t i = 0; !answer->rc && i < db_rows(answer->rows); i++)
        doubt_hands_count(d->hands, db_text(answer->rows, i, 2),
                          db_uuid(answer->rows, i, 0),
                          (int32_t)db_int(answer->rows, i, 1));
    size_t count = doubt_hands_ids(d->hands, ids);
    store_doubts_due(d->set.db, (const unsigned char(*)[16])ids, count,
                     (int32_t)(DOUBT_HANDS_MAX - count), on_due, d);
}

static void on_entered(void *arg, const struct db_answer *answer)
{
    struct doubts *d = arg;
    unsigned char ids[DOUBT_HANDS_MAX][16];

    if (answer->rc)
        doubt_failed("enter", answer);
    size_t count = doubt_hands_ids(d->hands, ids);
    store_doubts_clean(d->set.db, (const unsigned char(*)[16])ids, count, on_cleaned, d);
}

static void tick(void *arg)
{
    struct doubts *d = arg;
    const struct doubt_firsts firsts = times_of(d, true);

    if (!lease_is_held(d->lease)) {
        rest(d, 0);
        return;
    }
    d->busy = true;
    store_doubts_enter(d->set.db, &firsts, ENTER_MAX, on_entered, d);
}
