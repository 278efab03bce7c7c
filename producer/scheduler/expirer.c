#include "expirer.h"

#include "db.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_expiry.h"

#include <stdlib.h>

struct expirer {
    struct expirer_settings set;
    struct lease *lease;
    struct reactor_timer *timer;
    bool asked;  // PostgreSQL owes an answer
    bool stopping;
    bool is_page_full;
    struct turn_key last;  // of the page; zero = a new round
    struct turn_key over[EXPIRER_PAGE];
    struct metric *expired;
};

static void on_lease(void *arg)
{
    struct expirer *e = arg;

    if (!e->asked && !e->stopping)
        reactor_timer_set(e->timer, 0);
}

static void rest(struct expirer *e)
{
    e->asked = false;
    if (e->stopping) {
        lease_give_up(e->lease);
        return;
    }
    if (!e->is_page_full)
        e->last = (struct turn_key){ 0 };
    reactor_timer_set(e->timer, e->is_page_full ? e->set.page_rest_us : e->set.rest_us);
}

static void complain(struct expirer *e, const char *reason)
{
    log_line(LOG_LEVEL_ERROR, "expiry_failed", LOG_T("reason", reason));
    e->is_page_full = false;
    rest(e);
}

static void on_expired(void *arg, const struct db_answer *answer)
{
    struct expirer *e = arg;

    if (answer->rc) {
        complain(e, answer->reason);
        return;
    }
    for (size_t i = 0; i < db_rows(answer->rows); i++) {
        metric_add(e->expired, 1);
        log_line(LOG_LEVEL_INFO, "message_expired",
                 LOG_U("message_id", db_uuid(answer->rows, i, 0)),
                 LOG_I("turn", db_int(answer->rows, i, 1)));
    }
    rest(e);
}

static void on_waits(void *arg, const struct db_answer *answer)
{
    struct expirer *e = arg;
    struct wait_row row;
    size_t count = 0;

    if (answer->rc) {
        complain(e, answer->reason);
        return;
    }
    e->is_page_full = db_rows(answer->rows) == EXPIRER_PAGE;
    for (size_t i = 0; i < db_rows(answer->rows); i++) {
        store_waits_read(&row, answer->rows, i);
        e->last = row.key;
        if (row.is_over)
            e->over[count++] = row.key;
    }
    if (count > 0)
        store_expire(e->set.db, e->over, count, on_expired, e);
    else
        rest(e);
}

static void look(void *arg)
{
    struct expirer *e = arg;

    if (!lease_is_held(e->lease))
        return;  // on_lease begins again
    e->asked = true;
    store_waits(e->set.db, &e->last, EXPIRER_PAGE, on_waits, e);
}

struct expirer *expirer_new(const struct expirer_settings *set, struct metrics *metrics)
{
    struct expirer *e = xcalloc(1, sizeof(*e));
    const struct lease_settings lease = {
        .name = "expirer",
        .program = "smsq-scheduler",
        .term_us = set->lease_us,
        .db = set->db,
        .taken = on_lease,
        .arg = e,
    };

    e->set = *set;
    e->timer = reactor_timer_new(set->reactor, look, e);
    e->expired = metrics_counter(metrics, "smsq_delayed_expired_total", NULL,
                                 "Messages whose useful time ended while they waited.");
    e->lease = lease_new(set->reactor, &lease, metrics);
    return e;
}

void expirer_free(struct expirer *e)
{
    if (!e)
        return;
    lease_free(e->lease);
    reactor_timer_free(e->timer);
    free(e);
}

void expirer_stop(struct expirer *e)
{
    e->stopping = true;
    reactor_timer_stop(e->timer);
    if (!e->asked)
        lease_give_up(e->lease);
}

bool expirer_is_idle(const struct expirer *e)
{
    return !e->asked && (lease_is_idle(e->lease) || !db_is_up(e->set.db));
}
