// settings_reload.h: reads the settings of a running program again. service.c does that
// at SIGHUP; programs only mark rows with SETTING_LIVE.
#ifndef SETTINGS_RELOAD_H
#define SETTINGS_RELOAD_H

#include "settings.h"

// What settings_load was called with. It lives as long as the program; main fills it.
struct settings_origin {
    void *set;
    const struct settings_source *source;
    int argc;
    char **argv;
};

// One setting whose value is another than the running one. Texts are valid during the
// call and show no secret.
struct settings_change {
    const struct setting *row;
    const char *old_value, *new_value;
    bool is_applied;  // false: the program must be started again for it
};

typedef void settings_on_change(void *arg, const struct settings_change *change);

// settings_reload reads arguments, environment and files again, takes the new values of
// rows with SETTING_LIVE over into origin->set, and then calls on_change for each row
// that differs. Texts of such rows in the set are freed: nobody may keep a pointer.
//   OUTCOME_REJECT  what settings_load or the source's check refuses; nothing changed.
MUST_CHECK enum outcome settings_reload(const struct settings_origin *origin,
                                        settings_on_change *on_change, void *arg,
                                        struct err *err);

// settings_review calls on_warning for each thing that is allowed and yet odd: variables
// without effect, secrets that others can read, connections without TLS.
void settings_review(const struct settings_origin *origin,
                     void (*on_warning)(void *arg, const char *text), void *arg);

#endif
