#include "settings.h"

#include "settings_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void settings_replace(struct settings_given *given, const char *text, const char *place)
{
    char *old_text = given->text, *old_place = given->place;

    given->text = xstrdup(text);
    given->place = xstrdup(place);
    free(old_text);
    free(old_place);
}

bool settings_give(struct settings_loading *l, const char *name, size_t len,
                   const char *text, const char *place)
{
    bool found = false;

    for (size_t i = 0; i < l->count; i++) {
        const char *row_name = l->given[i].row->name;
        if (strlen(row_name) != len || memcmp(row_name, name, len) != 0)
            continue;
        settings_replace(&l->given[i], text, place);
        found = true;
    }
    return found;
}

static void begin(struct settings_loading *l, const struct settings_source *source)
{
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            l->count++;
    l->source = source;
    l->given = xcalloc(l->count, sizeof(*l->given));

    struct settings_given *next = l->given;
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++) {
            next->row = row;
            if (row->fallback)
                settings_replace(next, row->fallback, "default");
            next++;
        }
}

static void end(struct settings_loading *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->given[i].text);
        free(l->given[i].place);
    }
    free(l->given);
    free(l->file);
}

static enum outcome no_flag(int number, struct err *err)
{
    // Its text is not shown: it may be a secret behind a blank too many.
    return err_set(err, OUTCOME_REJECT,
                   "argument %d is not a flag: settings are given as --name=value",
                   number);
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
    if (strncmp(flag, "--config=", strlen("--config=")) != 0)
        return false;
    free(l->file);
    l->file = xstrdup(flag + strlen("--config="));
    return true;
}

static enum outcome take_flag(struct settings_loading *l, const char *flag,
                              struct err *err)
{
    const size_t len = strcspn(flag, "=");
    char name[SETTINGS_NAME_MAX + 1];

    if (len > SETTINGS_NAME_MAX)
        return err_set(err, OUTCOME_REJECT, "a flag has a name that is too long");
    memcpy(name, flag, len);
    name[len] = '\0';
    if (flag[len] == '=' && settings_give(l, name + 2, len - 2, flag + len + 1, name))
        return OUTCOME_OK;
    if (!settings_find(l->source, name + 2, len - 2) && strcmp(name, "--config") != 0)
        return settings_refuse_name(l->source, name + 2, "flag", err);
    return err_set(err, OUTCOME_REJECT, "%s needs a value: %s=value", name, name);
}

// Runs twice: first for --config and its like, then for the settings, which win over the
// file and the environment.
static enum outcome read_flags(struct settings_loading *l, int argc, char *argv[],
                               bool settings, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        if (is_own_flag(l, argv[i]))
            continue;
        if (strncmp(argv[i], "--", 2) != 0)
            return no_flag(i, err);
        enum outcome rc = settings ? take_flag(l, argv[i], err) : OUTCOME_OK;
        if (rc)
            return rc;
    }
    return OUTCOME_OK;
}

static enum outcome refuse_missing(const struct settings_given *given, struct err *err)
{
    return err_set(err, OUTCOME_REJECT, "%s is missing (%s): it is required, see --help",
                   given->row->name, given->row->help);
}

static enum outcome store_all(void *set, const struct settings_loading *l,
                              struct err *err)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct settings_given *given = &l->given[i];
        const struct setting *row = given->row;
        bool optional = setting_is_text(row) && row->min == 0;
        enum outcome rc = OUTCOME_OK;
        if (given->text)
            rc = settings_store(set, row, given->text, given->place, err);
        else if (!optional)
            rc = refuse_missing(given, err);
        if (rc)
            return rc;
    }
    return OUTCOME_OK;
}

static enum outcome load(void *set, struct settings_loading *l, int argc, char *argv[],
                         struct err *err)
{
    enum outcome rc = read_flags(l, argc, argv, false, err);
    const char *file = getenv("SMSQ_CONFIG");
    if (!l->file && file && file[0])
        l->file = xstrdup(file);
    if (!rc && l->file)
        rc = settings_read_file(l, err);
    if (!rc)
        rc = settings_read_environment(l, err);
    if (!rc)
        rc = read_flags(l, argc, argv, true, err);
    if (!rc)
        rc = store_all(set, l, err);
    if (!rc && l->source->check)
        rc = l->source->check(set, err);
    return rc;
}

enum outcome settings_load(void *set, const struct settings_source *source, int argc,
                           char *argv[], struct err *err)
{
    struct settings_loading l = { 0 };

    begin(&l, source);
    enum outcome rc = load(set, &l, argc, argv, err);
    if (!rc && l.print)
        settings_print_values(&l);
    if (!rc && l.check_only)
        (void)puts("ok");
    const bool done = !rc && (l.print || l.check_only);
    end(&l);
    if (rc || done)
        settings_free(set, source);
    if (done)
        exit(EXIT_SUCCESS);
    return rc;
}

void settings_free(void *set, const struct settings_source *source)
{
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++) {
            char *text, *none = NULL;
            if (!setting_is_text(row))
                continue;
            memcpy(&text, (char *)set + row->offset, sizeof(text));
            free(text);
            memcpy((char *)set + row->offset, &none, sizeof(none));
        }
}
