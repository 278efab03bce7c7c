#include "limits.h"

#include "db.h"
#include "gcra.h"
#include "reactor.h"
#include "store_access.h"

#include <stdlib.h>

enum { FLUSH_US = 100000, BATCH_MAX = 1000 };

struct limits {
    struct db *db;
    struct reactor_timer *timer;
    int64_t epoch, seq;
    struct limit *queue;  // those with something taken
    int64_t since_ns;     // when the first of them was
    bool is_asking;       // one batch at a time
    int64_t sent_ns;      // when PostgreSQL was given the batch
    size_t count;         // of the batch that PostgreSQL has; sorted by token
    struct limit *batch[BATCH_MAX];
};

static void flush(void *arg);

struct limits *limits_new(struct reactor *r, struct db *db)
{
    struct limits *l = xcalloc(1, sizeof(*l));

    l->db = db;
    l->timer = reactor_timer_new(r, flush, l);
    random_bytes(&l->epoch, sizeof(l->epoch));
    l->epoch &= INT64_MAX;
    return l;
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    reactor_timer_free(l->timer);
    free(l);
}

static int64_t now_ns(void)
{
    return clock_boot_us() * 1000;
}

static int compare_limits(const void *a, const void *b)
{
    const struct limit *const *x = a, *const *y = b;
    return ((*x)->token_id > (*y)->token_id) - ((*x)->token_id < (*y)->token_id);
}

static struct limit *find(const struct limits *l, int64_t token_id)
{
    const struct limit key = { .token_id = token_id }, *wanted = &key;
    struct limit *const *found =
        bsearch(&wanted, l->batch, l->count, sizeof(struct limit *), compare_limits);

    return found ? *found : NULL;
}

// What PostgreSQL knows of all producers, and what was taken here since it was told. Its
// answer counts from the question: counted from its arrival, everybody would have to wait
// that much longer than he was told.
static void learn(struct limit *limit, int64_t asked_ns, int64_t ahead_us)
{
    limit->tat_ns = asked_ns + ahead_us * 1000 + limit->taken * limit->interval_ns;
}

static void on_rates(void *arg, const struct db_answer *answer)
{
    struct limits *l = arg;

    for (size_t i = 0; !answer->rc && i < db_rows(answer->rows); i++) {
        struct limit *limit = find(l, db_int(answer->rows, i, 0));
        if (limit)
            learn(limit, l->sent_ns, db_int(answer->rows, i, 1));
    }
    l->is_asking = false;
    if (l->queue)
        reactor_timer_set(l->timer, FLUSH_US);
}

static struct rate_taken describe(const struct limit *limit)
{
    return (struct rate_taken){ limit->token_id, limit->taken, limit->interval_ns };
}

static void flush(void *arg)
{
    struct limits *l = arg;
    struct rate_taken rows[BATCH_MAX];
    struct rate_batch batch = { .epoch = l->epoch, .rows = rows };

    if (l->is_asking || !l->queue)
        return;
    for (l->count = 0; l->queue && l->count < BATCH_MAX; l->queue = l->queue->next)
        l->batch[l->count++] = l->queue;
    qsort(l->batch, l->count, sizeof(struct limit *), compare_limits);
    for (size_t i = 0; i < l->count; i++) {
        rows[i] = describe(l->batch[i]);
        l->batch[i]->taken = 0;
        l->batch[i]->is_queued = false;
    }
    l->is_asking = true;
    batch.count = l->count;
    batch.seq = ++l->seq;
    l->sent_ns = now_ns();
    batch.age_us = (l->sent_ns - l->since_ns) / 1000;
    store_rates(l->db, &batch, on_rates, l);
}

static void note(struct limits *l, struct limit *limit, int64_t at_ns)
{
    limit->taken++;
    if (limit->is_queued)
        return;
    if (!l->queue)
        l->since_ns = at_ns;
    limit->is_queued = true;
    limit->next = l->queue;
    l->queue = limit;
    if (!l->is_asking && !reactor_timer_is_set(l->timer))
        reactor_timer_set(l->timer, FLUSH_US);
}

static int64_t whole_seconds(int64_t ns)
{
    return (ns + 999999999) / 1000000000;
}

struct limit_answer limits_take(struct limits *l, struct limit *limit, int64_t per_minute)
{
    const struct gcra_rule rule = gcra_per_minute(per_minute);
    int64_t at_ns = now_ns();
    struct limit_answer answer = { .quota = per_minute };

    limit->interval_ns = rule.interval_ns;
    answer.granted = gcra_take(&limit->tat_ns, &rule, at_ns);
    if (answer.granted)
        note(l, limit, at_ns);
    answer.left = gcra_left(limit->tat_ns, &rule, at_ns);
    answer.full_s = whole_seconds(gcra_full_ns(limit->tat_ns, at_ns));
    answer.wait_s = whole_seconds(gcra_wait_ns(limit->tat_ns, &rule, at_ns));
    return answer;
}
