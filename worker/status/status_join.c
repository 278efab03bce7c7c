#include "status_join.h"

#include "db.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "status_consumer.h"
#include "store_receipts.h"

#include <stdlib.h>

enum { JOIN_MAX = 500 };

struct status_join {
    struct db *db;
    const struct status_consumer_settings *set;
    bool simulates;
    struct reactor_timer *timer;
    struct metric *joined;
};

static void on_joined(void *arg, const struct db_answer *answer)
{
    struct status_join *j = arg;
    size_t count = answer->rc ? 0 : db_rows(answer->rows);

    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "join_failed", LOG_T("reason", answer->reason));
    metric_add(j->joined, count);
    reactor_timer_set(j->timer, count == JOIN_MAX ? 0 : j->set->join_us);
}

// Callbacks that came before their message, or without its id, are tried again.
static void join(void *arg)
{
    struct status_join *j = arg;

    store_receipts_join(j->db, JOIN_MAX, &j->set->retry, j->simulates, on_joined, j);
}

struct status_join *status_join_new(struct reactor *r, struct db *db,
                                    const struct status_consumer_settings *set,
                                    bool simulates, struct metrics *metrics)
{
    struct status_join *j = xcalloc(1, sizeof(*j));

    j->db = db;
    j->set = set;
    j->simulates = simulates;
    j->joined =
        metrics_counter(metrics, "smsq_receipts_joined_total", NULL,
                        "Callbacks that came before their message and were joined.");
    j->timer = reactor_timer_new(r, join, j);
    join(j);
    return j;
}

void status_join_free(struct status_join *j)
{
    if (!j)
        return;
    reactor_timer_free(j->timer);
    free(j);
}
