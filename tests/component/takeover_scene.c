#include "takeover_scene.h"

#include "metrics.h"
#include "reactor.h"
#include "store_ask.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOOK_US = 20000, LATE_US = 300000 };

int takeover_scene_start(void **state)
{
    struct takeover_scene *s = xcalloc(1, sizeof(*s));
    void *f = *state;

    if (ask_test_start(&f))
        return 1;
    s->f = f;
    scratch_make(s->dir);
    dead_journal_open(&s->dead, s->dir);
    journal_set_epoch(s->dead.journal, TAKEOVER_EPOCH);
    s->database =
        pg_text(s->f->pg, "select system_identifier || ':' || d.oid || ':00000001'"
                          "  from pg_control_system(), pg_database d"
                          " where datname = current_database()");
    journal_set_database(s->dead.journal, s->database);
    pg_exec(s->f->pg, "insert into workers (epoch, host, pid, version)"
                      " values (1, 'here', 1, '1')");
    *state = s;
    return 0;
}

// As a worker does it: the database first, so that nobody is told any more.
void takeover_scene_end(struct takeover_scene *s)
{
    db_close(s->f->db);
    s->f->db = NULL;
    takeover_free(s->takeover);
    s->takeover = NULL;
    journal_close(s->mine.journal, true);
    crash_notes_close(s->crashes);
    state_folder_close(s->mine.folder);
}

int takeover_scene_stop(void **state)
{
    struct takeover_scene *s = *state;
    struct db_fixture *f = s->f;

    takeover_scene_end(s);
    free(s->database);
    scratch_remove(s->dir);
    free(s);
    *state = f;
    return ask_test_stop(state);
}

static void on_ready(void *arg)
{
    ((struct takeover_scene *)arg)->is_ready = true;
}

static void on_failure(void *arg, const char *reason)
{
    err_set(&((struct takeover_scene *)arg)->failure, OUTCOME_FATAL, "%s", reason);
}

void takeover_scene_open_db(struct takeover_scene *s)
{
    struct db_settings set = { .url = (char *)(uintptr_t)pg_url(s->f->pg) };

    assert_int_equal(db_open(&s->f->db, s->f->reactor, &set, "again", s->f->metrics,
                             NULL),
                     OUTCOME_OK);
}

void takeover_scene_begin(struct takeover_scene *s)
{
    if (!s->f->db)
        takeover_scene_open_db(s);
    s->is_ready = false;
    dead_journal_open(&s->mine, s->dir);
    assert_int_equal(crash_notes_open(&s->crashes, state_folder_root(s->mine.folder),
                                      NULL),
                     OUTCOME_OK);
    const struct takeover_settings set = {
        .folder = s->mine.folder,
        .journal = s->mine.journal,
        .crashes = s->crashes,
        .db = s->f->db,
        .look_us = LOOK_US,
        .late_us = LATE_US,
        .ready = on_ready,
        .fail = on_failure,
        .arg = s,
    };
    s->takeover = takeover_new(s->f->reactor, &set, s->f->metrics);
}

bool takeover_scene_is_resolved(void *arg)
{
    const struct takeover_scene *s = arg;
    return s->failure.text[0] || (s->is_ready && takeover_pending(s->takeover) == 0);
}

void takeover_scene_resolve(struct takeover_scene *s)
{
    takeover_scene_begin(s);
    loop_until(s->f->reactor, takeover_scene_is_resolved, s);
    assert_string_equal(s->failure.text, "");
}

void takeover_scene_count(struct takeover_scene *s, int64_t wanted, const char *sql)
{
    int64_t found = pg_int(s->f->pg, sql);
    if (found != wanted)
        fail_msg("%lld, not %lld: %s", (long long)found, (long long)wanted, sql);
}

size_t takeover_scene_files(const struct takeover_scene *s, const char *prefix)
{
    size_t count = 0;

    for (int n = 0; n < 2; n++) {
        char path[SCRATCH_BYTES + 16];
        (void)snprintf(path, sizeof(path), "%s/slot-%d", s->dir, n);
        DIR *dir = opendir(path);
        for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
            count += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
        if (dir)
            (void)closedir(dir);
    }
    return count;
}

// Five claims: begun, accepted, kept back, and two that were never posted.
void takeover_scene_die(struct takeover_scene *s)
{
    struct sms_job jobs[5];
    struct send_outcome accepted, kept_back;

    for (uint32_t i = 0; i < 5; i++)
        ask_claim(s->f, &jobs[i], i, 0);
    dead_journal_begin(&s->dead, jobs[0].message_id, 1);
    accepted = dead_journal_accepted(jobs[1].message_id, 1, TAKEOVER_SID);
    dead_journal_answer(&s->dead, &accepted, true);
    kept_back = dead_journal_accepted(jobs[2].message_id, 1, NULL);
    kept_back.status = "waiting";
    kept_back.outcome = "not_sent";
    kept_back.rank = kept_back.error_code = kept_back.http_status = 0;
    kept_back.due_us = clock_wall_us() + 60000000;
    dead_journal_answer(&s->dead, &kept_back, false);
    dead_journal_kill(&s->dead);
}
