// Settings from the environment: SMSQ_…, the aliases, and …_FILE.
#include "settings_parts.h"

#include "buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VARIABLE_MAX = SETTINGS_NAME_MAX + 16, TYPO_DISTANCE = 2, TYPO_NAME_MIN = 10 };

// Reads a file that holds one value; one newline at its end is dropped.
static enum outcome read_value(struct buf *out, const char *variable, const char *path,
                               struct err *err)
{
    char part[4096];
    size_t got;

    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, OUTCOME_REJECT, "cannot read the file that %s names: %s",
                       variable, strerror(errno));
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(out, part, got);
    bool broken = ferror(file);
    fclose(file);
    if (broken || out->failed || strlen(buf_text(out)) != out->len)
        return err_set(err, OUTCOME_REJECT, "the file that %s names is not a text",
                       variable);
    if (out->len > 0 && out->bytes[out->len - 1] == '\n')
        out->bytes[out->len - 1] = '\0';
    return OUTCOME_OK;
}

// An empty variable is like none: compose files pass those that nobody set.
static const char *variable_of(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

// Takes NAME or the file that NAME_FILE names; *found tells if one of them is set.
static enum outcome take_variable(struct settings_given *given, const char *name,
                                  bool *found, struct err *err)
{
    struct buf file_name = BUF_INIT(VARIABLE_MAX), value = BUF_INIT(SETTINGS_VALUE_MAX);
    enum outcome rc = OUTCOME_OK;

    buf_addf(&file_name, "%s_FILE", name);
    const char *text = variable_of(name);
    const char *path = variable_of(buf_text(&file_name));
    *found = text || path;
    if (text && path)
        rc = err_set(err, OUTCOME_REJECT, "%s and %s are both set: only one may be", name,
                     buf_text(&file_name));
    else if (text)
        settings_replace(given, text, name);
    else if (path)
        rc = read_value(&value, buf_text(&file_name), path, err);
    if (!rc && path)
        settings_replace(given, buf_text(&value), buf_text(&file_name));
    buf_free(&file_name);
    buf_free(&value);
    return rc;
}

static enum outcome take_row(struct settings_given *given, struct err *err)
{
    struct buf name = BUF_INIT(VARIABLE_MAX);
    bool found = false;

    settings_environment_name(&name, given->row->name);
    enum outcome rc = take_variable(given, buf_text(&name), &found, err);
    if (!rc && !found && given->row->alias)
        rc = take_variable(given, given->row->alias, &found, err);
    buf_free(&name);
    return rc;
}

// A variable that nearly has the name of a row of ours was meant to be it. Others may
// belong to other programs, which share the environment.
static enum outcome refuse_typo(const struct settings_loading *l, const char *variable,
                                size_t len, struct err *err)
{
    struct buf name = BUF_INIT(VARIABLE_MAX);
    size_t best = SIZE_MAX, nearest = 0;

    for (size_t i = 0; i < l->count && best > 0; i++) {
        buf_clear(&name);
        settings_environment_name(&name, l->given[i].row->name);
        size_t distance = settings_distance(variable, len, buf_text(&name), name.len);
        if (distance < best) {
            best = distance;
            nearest = i;
        }
    }
    enum outcome rc = OUTCOME_OK;
    if (best > 0 && best <= TYPO_DISTANCE) {
        buf_clear(&name);
        settings_environment_name(&name, l->given[nearest].row->name);
        rc = err_set(err, OUTCOME_REJECT,
                     "%.*s (environment) is not a setting; the nearest is %s", (int)len,
                     variable, buf_text(&name));
    }
    buf_free(&name);
    return rc;
}

static bool is_foreign_variable(const struct settings_source *source,
                                const char *variable, size_t len)
{
    char group[SETTINGS_NAME_MAX];
    size_t n = 0;

    for (size_t i = strlen("SMSQ_"); i < len && variable[i] != '_'; i++) {
        if (n == sizeof(group))
            return false;
        group[n++] = (char)(variable[i] | 0x20);  // lower case
    }
    return settings_is_foreign(source, group, n);
}

static enum outcome check_variable(const struct settings_loading *l, const char *variable,
                                   struct err *err)
{
    size_t len = strcspn(variable, "=");

    if (strncmp(variable, "SMSQ_", strlen("SMSQ_")) != 0 || len < TYPO_NAME_MIN)
        return OUTCOME_OK;
    if (len > 5 && strncmp(variable + len - 5, "_FILE", 5) == 0)
        len -= 5;
    if (is_foreign_variable(l->source, variable, len))
        return OUTCOME_OK;
    return refuse_typo(l, variable, len, err);
}

enum outcome settings_read_environment(struct settings_loading *l, struct err *err)
{
    for (size_t i = 0; i < l->count; i++) {
        enum outcome rc = take_row(&l->given[i], err);
        if (rc)
            return rc;
    }
    for (char **variable = environ; variable && *variable; variable++) {
        enum outcome rc = check_variable(l, *variable, err);
        if (rc)
            return rc;
    }
    return OUTCOME_OK;
}
