#include "sweep_write.h"

#include "db.h"
#include "log.h"
#include "metrics.h"
#include "store_receipts.h"
#include "store_sweeps.h"
#include "sweep_ask.h"

#include <stdlib.h>
#include <string.h>

enum { WRITE_MAX = 500 };  // in one statement

// Returns true when it has ended the writing.
static bool broke(struct sweep_write *w, const struct db_answer *answer)
{
    if (answer->rc)
        w->done(w->arg, answer);
    return answer->rc != OUTCOME_OK;
}

static void write_facts(struct sweep_write *w);

static void write_next(struct sweep_write *w)
{
    w->from = w->to;
    if (w->from == w->count)
        w->done(w->arg, NULL);
    else
        write_facts(w);
}

static void on_timed_out(void *arg, const struct db_answer *answer)
{
    struct sweep_write *w = arg;

    if (broke(w, answer))
        return;
    metric_add(w->counts->timed_out, db_rows(answer->rows));
    for (size_t i = 0; i < db_rows(answer->rows); i++)
        log_line(LOG_LEVEL_WARN, "message_timed_out",
                 LOG_U("message_id", db_uuid(answer->rows, i, 0)),
                 LOG_I("turn", db_int(answer->rows, i, 1)));
    write_next(w);
}

static bool is_at_last(const struct sweep_write *w, const struct sweep_taken *t)
{
    if (w->plan->kind == SWEEP_KIND_LATE)
        return (size_t)t->stage + 1 >= w->plans->stage_count;
    return w->plan->times_out;
}

// Who got no answer is given up only when the slice is not walked again.
static void time_out(struct sweep_write *w)
{
    struct turn_key keys[WRITE_MAX];
    size_t count = 0;

    for (size_t i = w->from; i < w->to; i++) {
        const struct sweep_taken *t = &w->taken[i];
        if (t->is_open && is_at_last(w, t) && (t->is_answered || !w->again))
            keys[count++] = t->key;
    }
    if (count > 0)
        store_sweep_time_out(w->db, keys, count, on_timed_out, w);
    else
        write_next(w);
}

static void on_priced(void *arg, const struct db_answer *answer)
{
    struct sweep_write *w = arg;

    if (broke(w, answer))
        return;
    metric_add(w->counts->prices, db_rows(answer->rows));
    time_out(w);
}

static void write_prices(struct sweep_write *w)
{
    struct sweep_price prices[WRITE_MAX];
    size_t count = 0;

    for (size_t i = w->from; i < w->to; i++) {
        const struct sweep_taken *t = &w->taken[i];
        if (!t->has_price)
            continue;
        prices[count] =
            (struct sweep_price){ .twilio_sid = t->sid,
                                  .price_micros = t->price_micros,
                                  .currency = t->currency[0] ? t->currency : NULL,
                                  .segments = t->segments };
        memcpy(prices[count++].message_id, t->key.message_id, 16);
    }
    if (count > 0)
        store_sweep_prices(w->db, prices, count, on_priced, w);
    else
        time_out(w);
}

static void on_raised(void *arg, const struct db_answer *answer)
{
    struct sweep_write *w = arg;

    if (!broke(w, answer))
        write_prices(w);
}

static void write_facts(struct sweep_write *w)
{
    const struct receipt *best[WRITE_MAX];
    size_t count = 0;

    w->to = w->count - w->from > WRITE_MAX ? w->from + WRITE_MAX : w->count;
    for (size_t i = w->from; i < w->to; i++) {
        struct sweep_taken *t = &w->taken[i];
        t->fact.twilio_sid = t->sid;  // the rows moved when they were sorted
        t->fact.word = t->word;
        if (t->has_fact)
            best[count++] = &t->fact;
    }
    const struct receipt_batch batch = { NULL, 0, best, count, false };
    metric_add(w->counts->facts, count);
    if (count > 0)
        store_receipts(w->db, &batch, w->retry, on_raised, w);
    else
        write_prices(w);
}

static int compare_taken(const void *a, const void *b)
{
    const struct sweep_taken *x = a, *y = b;
    return turn_key_compare(&x->key, &y->key);
}

void sweep_write_begin(struct sweep_write *w)
{
    qsort(w->taken, w->count, sizeof(*w->taken), compare_taken);
    w->to = 0;
    write_next(w);
}
