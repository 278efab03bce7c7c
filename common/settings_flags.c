// Settings from the command line: --name=value, and the flags that every program has.
#include "settings_parts.h"

#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool take_path(char **path, const char *flag, const char *prefix)
{
    if (strncmp(flag, prefix, strlen(prefix)) != 0)
        return false;
    free(*path);
    *path = xstrdup(flag + strlen(prefix));
    return true;
}

// Returns whether the argument is one that needs no table, and does what it says.
static bool is_own_flag(struct settings_loading *l, const char *flag)
{
    if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0) {
        settings_print_help(l->source);
        exit(EXIT_SUCCESS);
    }
    if (strcmp(flag, "--version") == 0) {
        (void)printf("%s %s\n", l->source->program, SMSQ_VERSION);
        exit(EXIT_SUCCESS);
    }
    if (strcmp(flag, "--check-config") == 0)
        return l->check_only = true;
    if (strcmp(flag, "--print-config") == 0)
        return l->print = true;
    return take_path(&l->file, flag, "--config=") ||
           take_path(&l->env_file, flag, "--env-file=");
}

static bool needs_value(const struct settings_source *source, const char *name,
                        size_t len)
{
    return settings_find(source, name, len) || strcmp(name, "config") == 0 ||
           strcmp(name, "env-file") == 0;
}

static void take_flag(struct settings_loading *l, const char *flag)
{
    const size_t len = strcspn(flag, "=");
    char name[SETTINGS_NAME_MAX + 1];
    struct err err = { 0 };

    if (len > SETTINGS_NAME_MAX) {
        err_set(&err, OUTCOME_REJECT, "a flag has a name that is too long");
        settings_problem(&l->notes, &err);
        return;
    }
    memcpy(name, flag, len);
    name[len] = '\0';
    const struct setting *row = settings_find(l->source, name + 2, len - 2);
    if (!needs_value(l->source, name + 2, len - 2))
        settings_refuse_name(l->source, name + 2, "flag", &err);
    else if (!row || flag[len] != '=')
        err_set(&err, OUTCOME_REJECT, "%s needs a value: %s=value", name, name);
    if (err.text[0]) {
        settings_problem(&l->notes, &err);
        return;
    }
    settings_give(l, name + 2, len - 2, flag + len + 1, name);
    if (settings_is_secret(row, name + 2))
        settings_warn(&l->notes,
                      "%s (%s) is a secret that every user of this machine can "
                      "read in the list of processes: give it in a file",
                      name + 2, name);
}

// Runs twice: first for --config and its like, then for the settings, which win over the
// file and the environment.
void settings_read_flags(struct settings_loading *l, int argc, char *argv[],
                         bool settings)
{
    struct err err;

    for (int i = 1; i < argc; i++) {
        if (is_own_flag(l, argv[i]) || !settings)
            continue;
        if (strncmp(argv[i], "--", 2) == 0) {
            take_flag(l, argv[i]);
            continue;
        }
        // Its text is not shown: it may be a secret behind a blank too many.
        err_set(&err, OUTCOME_REJECT,
                "argument %d is not a flag: settings are given as --name=value", i);
        settings_problem(&l->notes, &err);
    }
}
