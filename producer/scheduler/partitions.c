#include "partitions.h"

#include "db.h"
#include "log.h"
#include "reactor.h"

#include <stdlib.h>

enum { MONTHS_AHEAD = 13 };

struct partitions {
    struct db *db;
    struct reactor_timer *timer;
    int64_t interval_us;
    bool is_stopped;
};

// Makes what is missing, and names it.
static const char make_sql[] = "select made from make_partitions($1::int) as made";

static const struct db_statement make = { "make_partitions", make_sql };

static void on_made(void *arg, const struct db_answer *answer)
{
    struct partitions *p = arg;

    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "partitions_not_made", LOG_T("reason", answer->reason));
    for (size_t i = 0; !answer->rc && i < db_rows(answer->rows); i++)
        log_line(LOG_LEVEL_INFO, "partition_made",
                 LOG_T("table", db_text(answer->rows, i, 0)));
    if (!p->is_stopped)
        reactor_timer_set(p->timer, p->interval_us);
}

static void look(void *arg)
{
    struct partitions *p = arg;
    struct db_args *args = db_args_new();

    db_args_int4(args, MONTHS_AHEAD);
    db_submit(p->db, &make, args, on_made, p);
}

struct partitions *partitions_new(struct reactor *r, struct db *db, int64_t interval_us)
{
    struct partitions *p = xcalloc(1, sizeof(*p));

    p->db = db;
    p->interval_us = interval_us;
    p->timer = reactor_timer_new(r, look, p);
    reactor_timer_set(p->timer, 0);
    return p;
}

void partitions_free(struct partitions *p)
{
    if (!p)
        return;
    reactor_timer_free(p->timer);
    free(p);
}

void partitions_stop(struct partitions *p)
{
    p->is_stopped = true;
    reactor_timer_stop(p->timer);
}
