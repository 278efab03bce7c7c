#include "takeover.h"

#include "crash_notes.h"
#include "db.h"
#include "estate.h"
#include "journal.h"
#include "journal_origin.h"
#include "journal_read.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "state_folder.h"
#include "store_takeover.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STANDBY_US = 1000000 };  // until a standby is asked again

struct takeover {
    struct takeover_settings set;
    struct estate_settings estate;
    struct journal_origin here;  // its database is "" until PostgreSQL told it
    struct reactor_timer *look, *ask;
    struct estate **estates;
    size_t count;
    bool has_looked;
};

static void ask_database(void *arg);
static void look(void *arg);
static void on_resolved(void *arg, struct estate *e);

static void declare_metrics(struct takeover *t, struct metrics *m)
{
    static const char *const fates[FATE_COUNT] = {
        [FATE_RECORDED] = "fate=\"recorded\"",
        [FATE_IN_DOUBT] = "fate=\"in_doubt\"",
        [FATE_RELEASED] = "fate=\"released\"",
    };

    for (size_t i = 0; i < FATE_COUNT; i++)
        t->estate.fates[i] = metrics_counter(m, "smsq_takeovers_total", fates[i],
                                             "Claims of dead workers by their fate.");
}

struct takeover *takeover_new(struct reactor *r, const struct takeover_settings *set,
                              struct metrics *metrics)
{
    struct takeover *t = xcalloc(1, sizeof(*t));

    t->set = *set;
    t->estate = (struct estate_settings){
        .loop = r,
        .db = set->db,
        .late_us = set->late_us,
        .done = on_resolved,
        .fail = set->fail,
        .arg = t,
    };
    declare_metrics(t, metrics);
    journal_origin_here(&t->here);
    t->look = reactor_timer_new(r, look, t);
    t->ask = reactor_timer_new(r, ask_database, t);
    look(t);
    ask_database(t);
    return t;
}

void takeover_free(struct takeover *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        estate_free(t->estates[i]);
    free(t->estates);
    reactor_timer_free(t->look);
    reactor_timer_free(t->ask);
    free(t);
}

bool takeover_is_ready(const struct takeover *t)
{
    return t->here.database[0] != '\0';
}

size_t takeover_pending(const struct takeover *t)
{
    return t->count;
}

static void on_resolved(void *arg, struct estate *e)
{
    struct takeover *t = arg;

    for (size_t i = 0; i < t->count; i++)
        if (t->estates[i] == e)
            t->estates[i] = t->estates[--t->count];
    estate_free(e);
}

static void on_database(void *arg, const struct db_answer *answer)
{
    struct takeover *t = arg;

    if (answer->rc) {
        t->set.fail(t->set.arg, answer->reason);
        return;
    }
    if (db_is_null(answer->rows, 0, 0)) {
        reactor_timer_set(t->ask, STANDBY_US);
        return;
    }
    (void)snprintf(t->here.database, sizeof(t->here.database), "%s",
                   db_text(answer->rows, 0, 0));
    journal_set_database(t->set.journal, t->here.database);
    for (size_t i = 0; i < t->count; i++)
        estate_open(t->estates[i], &t->here);
    t->set.ready(t->set.arg);
}

static void ask_database(void *arg)
{
    struct takeover *t = arg;
    store_database(t->set.db, on_database, t);
}

// A worker that died while it parsed a record is counted once, then no more.
static void note_crash(struct takeover *t, int folder, const char *name)
{
    struct journal_parsed_record rec;

    if (!journal_take_parsing(&rec, folder, name))
        return;
    uint32_t crashes =
        crash_notes_add(t->set.crashes, rec.lane, rec.partition, rec.offset);
    log_line(LOG_LEVEL_WARN, "crash_noted", LOG_I("lane", rec.lane),
             LOG_I("partition", rec.partition), LOG_I("offset", rec.offset),
             LOG_I("crashes", crashes));
}

static void add(struct takeover *t, int folder, const char *name)
{
    int lock = fcntl(folder, F_DUPFD_CLOEXEC, 0);  // shares the lock

    if (lock < 0)
        return;  // out of descriptors: the next look finds it
    note_crash(t, folder, name);
    t->estates = xrealloc(t->estates, (t->count + 1) * sizeof(struct estate *));
    struct estate *e = estate_new(&t->estate, lock, name);
    t->estates[t->count++] = e;
    if (takeover_is_ready(t))
        estate_open(e, &t->here);
}

static void search(struct takeover *t, int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);

    if (!dir) {
        if (copy >= 0)
            close(copy);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strncmp(entry->d_name, JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) == 0 &&
            strcmp(entry->d_name, journal_name(t->set.journal)) != 0)
            add(t, folder, entry->d_name);
    (void)closedir(dir);
}

// Our own folder holds journals of its former owners at the start only; other folders are
// left at any time. One that is being resolved is locked, by us.
static void look(void *arg)
{
    struct takeover *t = arg;

    if (!t->has_looked)
        search(t, state_folder_own(t->set.folder));
    t->has_looked = true;
    for (int i = 0; i < STATE_SLOTS_MAX && state_folder_has(t->set.folder, i); i++) {
        int folder = state_folder_lock(t->set.folder, i);
        if (folder < 0)
            continue;
        search(t, folder);
        close(folder);
    }
    reactor_timer_set(t->look, t->set.look_us);
}
