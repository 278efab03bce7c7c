#include "estate.h"

#include "fail_point.h"
#include "journal_read.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_claims.h"
#include "store_epochs.h"
#include "store_takeover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_MAX = 500, AGAIN_US = 5000000 };

enum step {
    STEP_BURY,     // no claim of these epochs is renewed from now on
    STEP_RECORD,   // what was answered
    STEP_DOUBT,    // what was begun
    STEP_RELEASE,  // what is neither
    STEP_WAIT,     // for a claim that still runs in PostgreSQL
    STEP_RELEASE_LATE,
    STEP_END,
};

struct estate {
    const struct estate_settings *set;
    int folder;
    char *name;
    struct journal_image image;
    struct journal_origin here;
    struct reactor_timer *timer;
    enum step step;
    size_t next, batch_count, batch_max;  // of the answered, or of the epochs
    size_t counts[FATE_COUNT];
};

static void go_on(void *arg);
static void read_journal(void *arg);

struct estate *estate_new(const struct estate_settings *set, int folder_take,
                          const char *name)
{
    struct estate *e = xcalloc(1, sizeof(*e));

    e->set = set;
    e->folder = folder_take;
    e->name = xstrdup(name);
    e->batch_max = BATCH_MAX;
    return e;
}

void estate_free(struct estate *e)
{
    if (!e)
        return;
    journal_image_free(&e->image);
    reactor_timer_free(e->timer);
    close(e->folder);
    free(e->name);
    free(e);
}

static void count(struct estate *e, enum estate_fate fate, size_t rows)
{
    e->counts[fate] += rows;
    metric_add(e->set->fates[fate], rows);
}

static void next_step(struct estate *e)
{
    e->step++;
    e->next = 0;
    go_on(e);
}

// True if the answer is a refusal, which ends this worker.
static bool is_refused(struct estate *e, const struct db_answer *answer)
{
    if (answer->rc)
        e->set->fail(e->set->arg, answer->reason);
    return answer->rc != OUTCOME_OK;
}

static void on_buried(void *arg, const struct db_answer *answer)
{
    struct estate *e = arg;

    if (!is_refused(e, answer))
        next_step(e);
}

// PostgreSQL will never take it: what is left is that it was begun.
static void give_up_answer(struct estate *e, const struct send_outcome *o,
                           const struct db_answer *answer)
{
    struct turn_key *key = &e->image.begun[e->image.begun_count++];

    memcpy(key->message_id, o->message_id, sizeof(key->message_id));
    key->turn = o->turn;
    qsort(e->image.begun, e->image.begun_count, sizeof(*key), turn_key_compare);
    log_line(LOG_LEVEL_ERROR, "journal_result_refused",
             LOG_U("message_id", o->message_id), LOG_I("turn", o->turn),
             LOG_T("outcome", o->outcome), LOG_T("twilio_sid", o->sid),
             LOG_T("sqlstate", answer->sqlstate), LOG_T("reason", answer->reason));
}

static void on_recorded(void *arg, const struct db_answer *answer)
{
    struct estate *e = arg;

    if (answer->rc && !db_blames_data(answer)) {
        (void)is_refused(e, answer);
        return;
    }
    if (answer->rc && e->batch_count > 1) {
        e->batch_max = 1;  // until the bad row stands alone
        go_on(e);
        return;
    }
    if (answer->rc)
        give_up_answer(e, &e->image.answered[e->next], answer);
    else
        count(e, FATE_RECORDED, e->batch_count);
    e->next += e->batch_count;
    go_on(e);
}

// Each message once in a statement: two turns of one stand beside each other.
static size_t batch_at(const struct estate *e)
{
    const struct send_outcome *rows = e->image.answered + e->next;
    size_t left = e->image.answered_count - e->next, n = left > 0;

    while (n < left && n < e->batch_max &&
           memcmp(rows[n - 1].message_id, rows[n].message_id, 16) != 0)
        n++;
    return n;
}

static void record(struct estate *e)
{
    e->batch_count = batch_at(e);
    if (e->batch_count == 0)
        next_step(e);
    else
        store_result(e->set->db, e->image.answered + e->next, e->batch_count, on_recorded,
                     e);
}

static void on_doubted(void *arg, const struct db_answer *answer)
{
    struct estate *e = arg;

    if (is_refused(e, answer))
        return;
    count(e, FATE_IN_DOUBT, db_rows(answer->rows));
    next_step(e);
}

static void doubt(struct estate *e)
{
    if (e->image.proves && e->image.begun_count > 0)
        store_doubt(e->set->db, e->image.begun, e->image.begun_count, on_doubted, e);
    else
        next_step(e);
}

static void on_released(void *arg, const struct db_answer *answer)
{
    struct estate *e = arg;

    if (is_refused(e, answer))
        return;
    count(e, FATE_RELEASED, db_rows(answer->rows));
    go_on(e);
}

static void release(struct estate *e)
{
    const struct journal_image *image = &e->image;

    if (e->next == image->epoch_count)
        next_step(e);
    else if (!image->proves)
        store_doubt_epochs(e->set->db, image->epochs, image->epoch_count, on_doubted, e);
    else
        store_release(e->set->db, image->epochs[e->next++], image->keys, image->key_count,
                      0, on_released, e);
}

// What proved nothing and is of another database, or cannot be read, is kept for people.
static void put_away(struct estate *e)
{
    char aside[64];

    (void)snprintf(aside, sizeof(aside), "aside-%s", e->name);
    bool kept =
        e->image.is_foreign && renameat(e->folder, e->name, e->folder, aside) == 0;
    if (!kept)
        (void)unlinkat(e->folder, e->name, 0);
    log_line(LOG_LEVEL_INFO, "journal_resolved", LOG_T("journal", e->name),
             LOG_T("kept_as", kept ? aside : NULL),
             LOG_I("recorded", (int64_t)e->counts[FATE_RECORDED]),
             LOG_I("in_doubt", (int64_t)e->counts[FATE_IN_DOUBT]),
             LOG_I("released", (int64_t)e->counts[FATE_RELEASED]));
    e->set->done(e->set->arg, e);
}

static void bury(struct estate *e)
{
    if (e->image.epoch_count == 0)
        put_away(e);  // it claimed nothing, or nobody can tell what
    else
        store_bury(e->set->db, e->image.epochs, e->image.epoch_count, on_buried, e);
}

static void go_on(void *arg)
{
    struct estate *e = arg;

    fail_point("worker_takeover", e->image.answered_count + e->image.begun_count);
    switch (e->step) {
    case STEP_BURY:
        bury(e);
        return;
    case STEP_RECORD:
        record(e);
        return;
    case STEP_DOUBT:
        doubt(e);
        return;
    case STEP_RELEASE:
    case STEP_RELEASE_LATE:
        release(e);
        return;
    case STEP_WAIT:
        e->step++;
        e->next = 0;
        reactor_timer_set(e->timer, e->set->late_us);
        return;
    case STEP_END:
        put_away(e);
    }
}

static void read_journal(void *arg)
{
    struct estate *e = arg;
    const struct journal_image *image = &e->image;
    struct err err = { 0 };

    if (journal_read(&e->image, e->folder, e->name, &e->here, &err)) {
        log_line(LOG_LEVEL_ERROR, "journal_not_read", LOG_T("journal", e->name),
                 LOG_T("reason", err.text));
        reactor_timer_set(e->timer, AGAIN_US);
        return;
    }
    log_line(LOG_LEVEL_WARN, "journal_taken_over", LOG_T("journal", e->name),
             LOG_T("proves_nothing", image->doubt),
             LOG_I("epochs", (int64_t)image->epoch_count),
             LOG_I("answered", (int64_t)image->answered_count),
             LOG_I("begun", (int64_t)image->begun_count));
    reactor_timer_free(e->timer);
    e->timer = reactor_timer_new(e->set->loop, go_on, e);
    go_on(e);
}

void estate_open(struct estate *e, const struct journal_origin *here)
{
    e->here = *here;
    e->timer = reactor_timer_new(e->set->loop, read_journal, e);
    reactor_timer_set(e->timer, 0);
}
