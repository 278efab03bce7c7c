// Settings from variables: of the environment file, then of the environment, which wins.
// SMSQ_…, the aliases, and …_FILE.
#include "settings_parts.h"

#include "buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VARIABLE_MAX = SETTINGS_NAME_MAX + 16, TYPO_DISTANCE = 2, TYPO_NAME_MIN = 10 };

// The variables of one source.
struct variables {
    struct settings_loading *l;
    bool of_file;  // the environment file, else the environment
};

static void add_place(struct buf *out, const struct variables *v, const char *name)
{
    const struct settings_variable *found =
        v->of_file ? settings_variable_find(&v->l->variables, name) : NULL;

    buf_clear(out);
    if (found)
        buf_addf(out, "%s:%u", v->l->env_file, found->line);
    else
        buf_add_text(out, name);
}

// An empty variable is like none: compose files pass those that nobody set.
static const char *value_of(const struct variables *v, const char *name)
{
    const char *value;

    if (v->of_file) {
        const struct settings_variable *found =
            settings_variable_find(&v->l->variables, name);
        value = found ? found->value : NULL;
    } else {
        value = getenv(name);
    }
    return value && value[0] ? value : NULL;
}

// Takes NAME, or the file that NAME_FILE names, for the setting; returns whether one of
// them is set.
static bool take_variable(const struct variables *v, const struct setting *row,
                          const char *setting, const char *name)
{
    struct buf file_name = BUF_INIT(VARIABLE_MAX), place = BUF_INIT(SETTINGS_PLACE_MAX);
    struct err err = { 0 };

    buf_addf(&file_name, "%s_FILE", name);
    const char *text = value_of(v, name);
    const char *path = value_of(v, buf_text(&file_name));
    add_place(&place, v, path ? buf_text(&file_name) : name);
    if (text && path)
        err_set(&err, OUTCOME_REJECT, "%s and %s are both set: only one may be", name,
                buf_text(&file_name));
    else if (text)
        settings_give(v->l, setting, strlen(setting), text, buf_text(&place));
    else if (path)
        settings_take_file(v->l, setting, buf_text(&place), path);
    if (text && v->of_file && v->l->env_file_is_public &&
        settings_is_secret(row, setting))
        settings_warn(&v->l->notes,
                      "%s (%s) is a secret in a file that other users can "
                      "read: run chmod 600 %s",
                      name, buf_text(&place), v->l->env_file);
    if (err.text[0])
        settings_problem(&v->l->notes, &err);
    buf_free(&file_name);
    buf_free(&place);
    return text || path;
}

static void take_row(const struct variables *v, const struct setting *row)
{
    struct buf name = BUF_INIT(VARIABLE_MAX);

    settings_environment_name(&name, row->name);
    if (!take_variable(v, row, row->name, buf_text(&name)) && row->alias)
        (void)take_variable(v, row, row->name, row->alias);
    buf_free(&name);
}

// SMSQ_KAFKA_PROPERTIES_SASL_PASSWORD is kafka.properties.sasl.password.
static void take_property(const struct variables *v, const char *variable, size_t len)
{
    const struct setting *row = settings_property_row(v->l->source, variable, len);
    struct buf setting = BUF_INIT(VARIABLE_MAX), name = BUF_INIT(VARIABLE_MAX);

    if (!row)
        return;
    buf_add(&name, variable, len);
    buf_addf(&setting, "%s.", row->name);
    for (size_t i = setting.len + strlen("SMSQ_"); i < len; i++)
        buf_add_char(&setting, variable[i] == '_'
                                   ? '.'
                                   : (char)tolower((unsigned char)variable[i]));
    if (!name.failed && !setting.failed)
        (void)take_variable(v, row, buf_text(&setting), buf_text(&name));
    buf_free(&setting);
    buf_free(&name);
}

static size_t without_file(const char *name, size_t len)
{
    return len > 5 && strncmp(name + len - 5, "_FILE", 5) == 0 ? len - 5 : len;
}

static void refuse_variable(struct settings_loading *l, const char *variable,
                            const char *place, const char *nearest)
{
    struct err err;

    err_set(&err, OUTCOME_REJECT, "%s (%s) is not a setting%s%s", variable, place,
            nearest ? "; the nearest is " : "; --help lists them",
            nearest ? nearest : "");
    settings_problem(&l->notes, &err);
}

// The row whose variable's name is nearest, and how far it is.
static size_t nearest_row(const struct settings_loading *l, const char *name,
                          struct buf *best_name)
{
    struct buf candidate = BUF_INIT(VARIABLE_MAX);
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < l->row_count && best > 0; i++) {
        buf_clear(&candidate);
        settings_environment_name(&candidate, l->given[i].row->name);
        size_t distance =
            settings_distance(name, strlen(name), buf_text(&candidate), candidate.len);
        if (distance >= best)
            continue;
        best = distance;
        buf_clear(best_name);
        buf_add(best_name, candidate.bytes, candidate.len);
    }
    buf_free(&candidate);
    return best;
}

static bool is_alias(const struct settings_loading *l, const char *name)
{
    for (size_t i = 0; i < l->row_count; i++)
        if (l->given[i].row->alias && strcmp(l->given[i].row->alias, name) == 0)
            return true;
    return false;
}

// What begins with SMSQ_ must be a setting of ours or somebody else's name.
static void check_own_name(struct settings_loading *l, const char *name,
                           const char *place)
{
    struct buf group = BUF_INIT(VARIABLE_MAX), nearest = BUF_INIT(VARIABLE_MAX);

    for (const char *p = name + strlen("SMSQ_"); *p && *p != '_'; p++)
        buf_add_char(&group, (char)tolower((unsigned char)*p));
    const size_t distance = nearest_row(l, name, &nearest);
    const size_t group_and_key_len = strlen(name) - strlen("SMSQ_");
    const bool is_near = distance <= TYPO_DISTANCE && strlen(name) >= TYPO_NAME_MIN;
    if (distance == 0 || settings_is_of_tools(name) || is_alias(l, name) ||
        settings_property_row(l->source, name, strlen(name)))
        ;  // it is known
    else if (settings_is_meant_for(l->source, buf_text(&group), group.len))
        refuse_variable(l, name, place,
                        distance <= 1 + group_and_key_len / 4 ? buf_text(&nearest)
                                                              : NULL);
    else if (settings_is_known_group(buf_text(&group), group.len))
        ;  // another program's
    else if (is_near)
        refuse_variable(l, name, place, buf_text(&nearest));
    else
        settings_warn(&l->notes, "%s (%s) is not a setting of any program", name, place);
    buf_free(&group);
    buf_free(&nearest);
}

// A setting's own name may end in _FILE.
static bool is_setting(const struct settings_loading *l, const char *name)
{
    struct buf nearest = BUF_INIT(VARIABLE_MAX);
    const bool found = nearest_row(l, name, &nearest) == 0;

    buf_free(&nearest);
    return found;
}

static void check_name(const struct variables *v, const char *variable, size_t len)
{
    struct buf name = BUF_INIT(VARIABLE_MAX), place = BUF_INIT(SETTINGS_PLACE_MAX);

    buf_add(&name, variable, len);
    const bool is_known = is_setting(v->l, buf_text(&name));
    if (v->of_file)
        add_place(&place, v, buf_text(&name));
    else
        buf_add_text(&place, "environment");
    buf_clear(&name);
    buf_add(&name, variable, without_file(variable, len));
    if (is_known || name.failed)
        ;  // nothing to say about it
    else if (strncmp(variable, "SMSQ_", strlen("SMSQ_")) == 0)
        check_own_name(v->l, buf_text(&name), buf_text(&place));
    else
        settings_review_name(v->l, buf_text(&name), buf_text(&place));
    buf_free(&name);
    buf_free(&place);
}

static void take_name(const struct variables *v, const char *variable, size_t len)
{
    struct buf name = BUF_INIT(VARIABLE_MAX);

    buf_add(&name, variable, len);
    if (!name.failed && value_of(v, buf_text(&name))) {
        take_property(v, variable, without_file(variable, len));
        check_name(v, variable, len);
    }
    buf_free(&name);
}

void settings_read_variables(struct settings_loading *l, bool of_file)
{
    const struct variables v = { l, of_file };

    for (size_t i = 0; i < l->row_count; i++)
        take_row(&v, l->given[i].row);
    if (of_file)
        for (size_t i = 0; i < l->variables.count; i++)
            take_name(&v, l->variables.list[i].name, strlen(l->variables.list[i].name));
    else
        for (char **variable = environ; variable && *variable; variable++)
            take_name(&v, *variable, strcspn(*variable, "="));
}
