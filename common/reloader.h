// reloader.h: what a service does at SIGHUP: takes over what may change while it runs,
// tells those who asked, and logs one line per setting that differs. Part of service.
#ifndef RELOADER_H
#define RELOADER_H

#include "base.h"

struct reloader;
struct settings_origin;

// reloader_new copies origin. One without a source never reloads, and says so.
struct reloader *reloader_new(const struct settings_origin *origin);
void reloader_free(struct reloader *r);

// reloader_on_change: see service_on_change.
void reloader_on_change(struct reloader *r, const char *name, void (*changed)(void *arg),
                        void *arg);

// reloader_review logs setting_warning for what is allowed and yet odd.
void reloader_review(const struct reloader *r);

// reloader_run logs setting_changed or setting_needs_restart for each setting that
// differs (secrets as ***), calls who asked for it, and ends with settings_reloaded; or
// it logs settings_refused, and everything stays as it was.
void reloader_run(struct reloader *r);

#endif
