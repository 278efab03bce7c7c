#include "patience.h"

#include "http_server.h"
#include "reactor.h"

#include <stdlib.h>

TAILQ_HEAD(patients, patient);

struct patience {
    struct reactor_timer *timer;
    int64_t wait_us;
    struct patients waiting;  // the oldest first
    struct patients late;     // answered here, and still PostgreSQL's
};

void patience_refuse(struct http_request *req)
{
    static const struct http_header headers[] = { { "Retry-After", "2" },
                                                  { NULL, NULL } };

    http_problem(req, &(struct http_problem){ .status = 503,
                                              .code = "database_away",
                                              .detail = "PostgreSQL is away; try again "
                                                        "soon",
                                              .headers = headers });
}

static void watch_oldest(struct patience *p)
{
    const struct patient *oldest = TAILQ_FIRST(&p->waiting);

    if (oldest && !reactor_timer_is_set(p->timer))
        reactor_timer_set(p->timer, oldest->until_us - clock_boot_us());
}

static void on_time(void *arg)
{
    struct patience *p = arg;
    int64_t now_us = clock_boot_us();
    struct patient *one;

    while ((one = TAILQ_FIRST(&p->waiting)) && one->until_us <= now_us) {
        TAILQ_REMOVE(&p->waiting, one, next);
        TAILQ_INSERT_TAIL(&p->late, one, next);
        patience_refuse(one->req);
        one->req = NULL;
    }
    watch_oldest(p);
}

struct patience *patience_new(struct reactor *r, int64_t wait_us)
{
    struct patience *p = xcalloc(1, sizeof(*p));

    p->timer = reactor_timer_new(r, on_time, p);
    p->wait_us = wait_us;
    TAILQ_INIT(&p->waiting);
    TAILQ_INIT(&p->late);
    return p;
}

static void free_all(struct patients *list)
{
    for (struct patient *one; (one = TAILQ_FIRST(list));) {
        TAILQ_REMOVE(list, one, next);
        free(one);
    }
}

void patience_free(struct patience *p)
{
    if (!p)
        return;
    reactor_timer_free(p->timer);
    free_all(&p->waiting);
    free_all(&p->late);
    free(p);
}

void patience_begin(struct patience *p, struct patient *one, struct http_request *req)
{
    one->req = req;
    one->until_us = clock_boot_us() + p->wait_us;
    TAILQ_INSERT_TAIL(&p->waiting, one, next);
    watch_oldest(p);
}

bool patience_end(struct patience *p, struct patient *one)
{
    TAILQ_REMOVE(one->req ? &p->waiting : &p->late, one, next);
    return one->req != NULL;
}
