#include "status_join.h"

#include "db.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "status_consumer.h"
#include "status_entry.h"
#include "store_adopt.h"
#include "store_receipts.h"

#include <stdlib.h>
#include <string.h>

enum { JOIN_MAX = 500 };

struct status_join {
    struct db *db;
    const struct status_consumer_settings *set;
    struct reactor_timer *timer;
    struct metric *joined;
};

static void on_join_adopted(void *arg, const struct db_answer *answer)
{
    (void)arg;
    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "join_failed", LOG_T("reason", answer->reason));
}

static void adopt_joined(struct status_join *j, const struct db_answer *answer,
                         size_t count)
{
    unsigned char ids[JOIN_MAX][16];
    size_t later = 0;

    for (size_t i = 0; i < count && later < JOIN_MAX; i++)
        if (db_int(answer->rows, i, 1) > 1)
            memcpy(ids[later++], db_uuid(answer->rows, i, 0), sizeof(ids[0]));
    later = status_entry_sort_ids(ids, later);
    if (later > 0)
        store_adopt(j->db, (const unsigned char(*)[16])ids, later, on_join_adopted, j);
}

static void on_joined(void *arg, const struct db_answer *answer)
{
    struct status_join *j = arg;
    size_t count = answer->rc ? 0 : db_rows(answer->rows);

    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "join_failed", LOG_T("reason", answer->reason));
    metric_add(j->joined, count);
    adopt_joined(j, answer, count);
    reactor_timer_set(j->timer, count == JOIN_MAX ? 0 : j->set->join_us);
}

// Callbacks that came before their message, or without its id, are tried again.
static void join(void *arg)
{
    struct status_join *j = arg;

    store_receipts_join(j->db, JOIN_MAX, &j->set->retry, on_joined, j);
}

struct status_join *status_join_new(struct reactor *r, struct db *db,
                                    const struct status_consumer_settings *set,
                                    struct metrics *metrics)
{
    struct status_join *j = xcalloc(1, sizeof(*j));

    j->db = db;
    j->set = set;
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
