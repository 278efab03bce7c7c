#include "reloader.h"

#include "log.h"
#include "settings_reload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LISTENERS_MAX = 64 };

struct listener {
    const char *name;  // of the setting
    void (*changed)(void *arg);
    void *arg;
};

struct reloader {
    struct settings_origin origin;
    struct listener listeners[LISTENERS_MAX];
    size_t count;
    int64_t applied, kept;  // of the run in hand
};

struct reloader *reloader_new(const struct settings_origin *origin)
{
    struct reloader *r = xcalloc(1, sizeof(*r));

    r->origin = *origin;
    return r;
}

void reloader_free(struct reloader *r)
{
    free(r);
}

void reloader_on_change(struct reloader *r, const char *name, void (*changed)(void *arg),
                        void *arg)
{
    assert(r->count < LISTENERS_MAX);
    r->listeners[r->count++] = (struct listener){ name, changed, arg };
}

static void on_change(void *arg, const struct settings_change *change)
{
    struct reloader *r = arg;
    const char *name = change->row->name;

    if (!change->is_applied) {
        r->kept++;
        log_line(LOG_LEVEL_WARN, "setting_needs_restart", LOG_T("setting", name),
                 LOG_T("runs_with", change->old_value), LOG_T("new", change->new_value));
        return;
    }
    r->applied++;
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->listeners[i].name, name) == 0)
            r->listeners[i].changed(r->listeners[i].arg);
    log_line(LOG_LEVEL_INFO, "setting_changed", LOG_T("setting", name),
             LOG_T("old", change->old_value), LOG_T("new", change->new_value));
}

static void log_warning(void *arg, const char *text)
{
    (void)arg;
    log_line(LOG_LEVEL_WARN, "setting_warning", LOG_T("text", text));
}

void reloader_review(const struct reloader *r)
{
    if (r->origin.source)
        settings_review(&r->origin, log_warning, NULL);
}

void reloader_run(struct reloader *r)
{
    struct err err = { 0 };

    if (!r->origin.source || r->origin.source->size == 0) {
        log_line(LOG_LEVEL_INFO, "signal_ignored", LOG_T("signal", "SIGHUP"),
                 LOG_T("reason", "this program reads its settings at its start only"));
        return;
    }
    r->applied = r->kept = 0;
    if (settings_reload(&r->origin, on_change, r, &err)) {
        log_line(LOG_LEVEL_ERROR, "settings_refused", LOG_T("reason", err.text),
                 LOG_T("consequence", "the settings stay as they were"));
        return;
    }
    reloader_review(r);
    log_line(LOG_LEVEL_INFO, "settings_reloaded", LOG_I("changed", r->applied),
             LOG_I("need_restart", r->kept));
}
