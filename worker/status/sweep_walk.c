#include "sweep_walk.h"

#include "db.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "provider.h"
#include "reactor.h"
#include "store_sweeps.h"
#include "sweep_ask.h"
#include "sweep_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCAN_MAX = 2000,  // rows of a slice: some milliseconds
    LATE_MAX = 200,
    TRIES_MAX = 20,
    FEW = 2,
    AGAIN_US = 5000000,
};

#define HISTORY_US INT64_C(345600000000)  // a new sweep begins four days back

struct sweep_walk {
    struct sweep_walk_settings set;
    struct reactor_timer *tick;
    bool busy, stopping;
    struct turn_key upto, end;  // end: of the slice in hand
    int tries;                  // of this slice
    bool again;                 // the slice in hand is walked again
    struct sweep_taken *taken;
    size_t taken_count;
    struct sweep_ask *ask;
    struct sweep_write writing;
};

static struct db *db_of(const struct sweep_walk *w)
{
    return w->set.parts->db;
}

static bool is_late(const struct sweep_walk *w)
{
    return w->set.plan->kind == SWEEP_KIND_LATE;
}

const char *sweep_walk_name(const struct sweep_walk *w)
{
    return w->set.plan->name;
}

// --- the end of a slice ---

static void forget(struct sweep_walk *w)
{
    sweep_ask_free(w->ask);
    free(w->taken);
    w->ask = NULL;
    w->taken = NULL;
    w->taken_count = 0;
}

static void rest(struct sweep_walk *w, int64_t delay_us)
{
    forget(w);
    w->busy = false;
    if (!w->stopping && lease_is_held(w->set.lease))
        reactor_timer_set(w->tick, delay_us);
}

// Returns true when it has ended the slice.
static bool broke(struct sweep_walk *w, const struct db_answer *answer)
{
    if (!answer->rc)
        return false;
    log_line(LOG_LEVEL_ERROR, "reconcile_failed", LOG_T("step", w->set.plan->name),
             LOG_T("reason", answer->reason));
    rest(w, AGAIN_US);
    return true;
}

static void on_moved(void *arg, const struct db_answer *answer)
{
    struct sweep_walk *w = arg;

    if (broke(w, answer))
        return;
    w->tries = 0;
    if (!is_late(w))
        w->upto = w->end;
    rest(w, 0);
}

static void fill_later(const struct sweep_walk *w, struct sweep_later *later,
                       const struct sweep_taken *t)
{
    const struct sweep_plans *plans = w->set.plans;
    size_t stage = (size_t)t->stage;

    memcpy(later->message_id, t->key.message_id, sizeof(later->message_id));
    later->stage = t->stage;
    if (t->waits) {
        later->next_us = clock_wall_us() + plans->stages_us[0];
        return;
    }
    later->stage = t->stage + 1;
    if (!t->sid[0] || stage + 1 >= plans->stage_count)
        later->next_us = INT64_MAX;
    else
        later->next_us =
            clock_wall_us() + plans->stages_us[stage + 1] - plans->stages_us[stage];
}

static void move_on(struct sweep_walk *w)
{
    struct sweep_later later[LATE_MAX];

    if (!is_late(w)) {
        store_sweep_move(db_of(w), w->set.plan->name, &w->end, on_moved, w);
        return;
    }
    for (size_t i = 0; i < w->taken_count; i++)
        fill_later(w, &later[i], &w->taken[i]);
    store_sweep_late_move(db_of(w), later, w->taken_count, on_moved, w);
}

static void on_late_noted(void *arg, const struct db_answer *answer)
{
    struct sweep_walk *w = arg;

    if (!broke(w, answer))
        move_on(w);
}

static void end_slice(struct sweep_walk *w)
{
    if (w->again)
        rest(w, AGAIN_US);
    else if (w->set.plan->notes_late)
        store_sweep_note_late(db_of(w), w->upto.message_id, w->end.message_id,
                              on_late_noted, w);
    else
        move_on(w);
}

static void on_written(void *arg, const struct db_answer *broken)
{
    struct sweep_walk *w = arg;

    if (!broken || !broke(w, broken))
        end_slice(w);
}

static void write_all(struct sweep_walk *w)
{
    w->writing = (struct sweep_write){ .db = db_of(w),
                                       .retry = w->set.parts->retry,
                                       .counts = w->set.counts,
                                       .plans = w->set.plans,
                                       .plan = w->set.plan,
                                       .taken = w->taken,
                                       .count = w->taken_count,
                                       .again = w->again,
                                       .done = on_written,
                                       .arg = w };
    sweep_write_begin(&w->writing);
}

// --- asking ---

// An account that does not answer moves no sweep, however long that takes; one message
// that nobody can tell of does not stop it.
static void on_asked(void *arg, size_t answers, size_t failures)
{
    struct sweep_walk *w = arg;

    sweep_ask_free(w->ask);
    w->ask = NULL;
    w->again =
        failures > 0 && ((answers == 0 && failures > FEW) || ++w->tries < TRIES_MAX);
    write_all(w);
}

static void ask(struct sweep_walk *w)
{
    const struct sweep_ask_settings set = {
        .provider = w->set.parts->provider,
        .share = w->set.plan->kind == SWEEP_KIND_PRICE ? PROVIDER_PRICE : PROVIDER_STATUS,
        .may_list = !is_late(w) && w->tries % 2 == 0,
        .at_last = w->set.plan->times_out,
        .taken = w->taken,
        .count = w->taken_count,
    };

    w->again = false;
    w->ask = sweep_ask_begin(&set, on_asked, w);
    if (!w->ask)
        write_all(w);
}

static void take(struct sweep_walk *w, const struct db_result *rows, size_t i)
{
    struct sweep_taken *t = &w->taken[w->taken_count++];

    *t = (struct sweep_taken){ .is_open = true };
    memcpy(t->key.message_id, db_uuid(rows, i, SLICE_ID), 16);
    t->key.turn = (int32_t)db_int(rows, i, SLICE_TURN);
    (void)snprintf(t->mode, sizeof(t->mode), "%s", db_text(rows, i, SLICE_MODE));
    t->simulated = strcmp(t->mode, "simulate") == 0;
    t->at_us = db_is_null(rows, i, SLICE_AT) ? clock_wall_us() - w->set.plan->age_us
                                             : db_time_us(rows, i, SLICE_AT);
    if (is_late(w)) {
        t->stage = (int32_t)db_int(rows, i, SLICE_STAGE);
        t->waits = db_bool(rows, i, SLICE_WAITS);
    }
    if (db_is_null(rows, i, SLICE_SID) || t->waits) {
        t->is_open = false;
        return;
    }
    (void)snprintf(t->sid, sizeof(t->sid), "%s", db_text(rows, i, SLICE_SID));
    metric_add(w->set.counts->asked, 1);
}

static void on_slice(void *arg, const struct db_answer *answer)
{
    struct sweep_walk *w = arg;

    if (broke(w, answer))
        return;
    size_t rows = db_rows(answer->rows);
    w->taken = xcalloc(rows ? rows : 1, sizeof(*w->taken));
    for (size_t i = 0; i < rows; i++) {
        if (is_late(w) || !db_is_null(answer->rows, i, SLICE_SID)) {
            take(w, answer->rows, i);
            continue;
        }
        memcpy(w->end.message_id, db_uuid(answer->rows, i, SLICE_ID), 16);
        w->end.turn = (int32_t)db_int(answer->rows, i, SLICE_TURN);
    }
    if (rows == 0)
        rest(w, w->set.parts->set->rest_us);
    else
        ask(w);
}

static void id_of(unsigned char id[16], int64_t wall_us)
{
    int64_t ms = wall_us / 1000;

    memset(id, 0, 16);
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(ms >> (40 - 8 * i));
}

static void tick(void *arg)
{
    static const unsigned char zero[16];
    struct sweep_walk *w = arg;
    const struct sweep_plan *plan = w->set.plan;
    struct sweep_slice slice = { .wants = plan->wants,
                                 .line = plan->line,
                                 .scan_max = SCAN_MAX };
    int64_t before_us = clock_wall_us() - plan->age_us;

    if (w->busy || w->stopping || !lease_is_held(w->set.lease))
        return;
    w->busy = true;
    if (is_late(w)) {
        store_sweep_late(db_of(w), LATE_MAX, on_slice, w);
        return;
    }
    if (memcmp(w->upto.message_id, zero, 16) == 0)
        id_of(w->upto.message_id, before_us - HISTORY_US);
    slice.after = w->end = w->upto;
    id_of(slice.before, before_us);
    store_sweep_slice(db_of(w), &slice, on_slice, w);
}

struct sweep_walk *sweep_walk_new(struct reactor *r,
                                  const struct sweep_walk_settings *set)
{
    struct sweep_walk *w = xcalloc(1, sizeof(*w));

    w->set = *set;
    w->tick = reactor_timer_new(r, tick, w);
    return w;
}

void sweep_walk_free(struct sweep_walk *w)
{
    if (!w)
        return;
    forget(w);
    reactor_timer_free(w->tick);
    free(w);
}

void sweep_walk_go(struct sweep_walk *w, const struct turn_key *upto)
{
    if (upto && turn_key_compare(upto, &w->upto) > 0)
        w->upto = *upto;
    if (!w->busy)
        reactor_timer_set(w->tick, 0);
}

void sweep_walk_stop(struct sweep_walk *w)
{
    w->stopping = true;
    reactor_timer_stop(w->tick);
}
