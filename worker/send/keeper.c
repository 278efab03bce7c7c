#include "keeper.h"

#include "crash_notes.h"
#include "journal.h"
#include "log.h"
#include "metrics.h"
#include "state_folder.h"
#include "takeover.h"

#include <stdlib.h>

enum {
    LOOK_US = 5000000,   // below a session's time-out: who reads a record next must know
    LATE_US = 30000000,  // some claims of 5 s each may still run in a dead one's session
};

struct keeper {
    struct state_folder *folder;
    struct journal *journal;
    struct crash_notes *crashes;
    struct takeover *takeover;
    struct metric *slots_used, *pending;
};

enum outcome keeper_open(struct keeper **out, const char *state_dir, size_t slots,
                         struct err *err)
{
    struct keeper *k = xcalloc(1, sizeof(*k));

    enum outcome rc = state_folder_open(&k->folder, state_dir, err);
    if (!rc)
        rc = crash_notes_open(&k->crashes, state_folder_root(k->folder), err);
    if (!rc)
        rc = journal_open(&k->journal, state_folder_own(k->folder), slots, err);
    if (rc) {
        keeper_close(k, true);
        return rc;
    }
    log_line(LOG_LEVEL_INFO, "journal_opened", LOG_T("state_dir", state_dir),
             LOG_I("slot", state_folder_number(k->folder)),
             LOG_T("journal", journal_name(k->journal)));
    *out = k;
    return OUTCOME_OK;
}

static void set_gauges(void *arg)
{
    const struct keeper *k = arg;

    metric_set(k->slots_used, (double)journal_used_slots(k->journal));
    metric_set(k->pending, (double)takeover_pending(k->takeover));
}

void keeper_start(struct keeper *k, struct reactor *loop, struct db *db,
                  struct metrics *metrics, void (*ready)(void *arg),
                  void (*fail)(void *arg, const char *reason), void *arg)
{
    const struct takeover_settings set = {
        .folder = k->folder,
        .journal = k->journal,
        .crashes = k->crashes,
        .db = db,
        .look_us = LOOK_US,
        .late_us = LATE_US,
        .ready = ready,
        .fail = fail,
        .arg = arg,
    };

    k->takeover = takeover_new(loop, &set, metrics);
    k->slots_used =
        metrics_gauge(metrics, "smsq_journal_slots_in_use", NULL,
                      "POSTs in the journal: in flight, or not committed yet.");
    k->pending = metrics_gauge(metrics, "smsq_takeover_journals", NULL,
                               "Journals of dead workers that are not resolved yet.");
    metrics_before_render(metrics, set_gauges, k);
}

bool keeper_is_ready(const struct keeper *k)
{
    return takeover_is_ready(k->takeover);
}

struct journal *keeper_journal(const struct keeper *k)
{
    return k->journal;
}

struct crash_notes *keeper_crashes(const struct keeper *k)
{
    return k->crashes;
}

void keeper_close(struct keeper *k, bool nothing_held)
{
    if (!k)
        return;
    takeover_free(k->takeover);
    journal_close(k->journal, nothing_held);
    crash_notes_close(k->crashes);
    state_folder_close(k->folder);
    free(k);
}
