// The settings file (libconfig): groups of name = value.
#include "settings_parts.h"

#include "buf.h"

#include <errno.h>
#include <inttypes.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INT_SAFE_DIGITS = 9 };

static void add_place(struct buf *out, const struct settings_loading *l,
                      const config_setting_t *s)
{
    const char *file = config_setting_source_file(s);
    buf_addf(out, "%s:%u", file ? file : l->file, config_setting_source_line(s));
}

// True if the line holds a number outside quotes that an int may not hold.
static bool holds_long_number(const char *line)
{
    size_t digits = 0;
    bool quoted = false;

    for (const char *p = line; *p; p++) {
        if (*p == '"')
            quoted = !quoted;
        digits = *p >= '0' && *p <= '9' && !quoted ? digits + 1 : 0;
        if (digits > INT_SAFE_DIGITS)
            return true;
    }
    return false;
}

// libconfig 1.5 cuts integers to 32 bits without a word, so the line is looked at again.
static bool may_be_cut(const struct settings_loading *l, const config_setting_t *s)
{
    const char *file = config_setting_source_file(s);
    char *line = NULL;
    size_t room = 0;
    bool found = false;

    FILE *f = fopen(file ? file : l->file, "re");
    if (!f)
        return false;
    for (unsigned n = 1; getline(&line, &room, f) > 0; n++)
        if (n == config_setting_source_line(s))
            found = holds_long_number(line);
    free(line);
    fclose(f);
    return found;
}

static enum outcome complain(struct err *err, const char *name, const char *place,
                             const char *what)
{
    return err_set(err, OUTCOME_REJECT, "%s (%s) %s", name, place, what);
}

static bool is_value(int type)
{
    return type == CONFIG_TYPE_STRING || type == CONFIG_TYPE_INT ||
           type == CONFIG_TYPE_INT64 || type == CONFIG_TYPE_BOOL ||
           type == CONFIG_TYPE_FLOAT;
}

// Writes the value as the user would write it in the environment; returns what is wrong.
static const char *add_value(struct buf *out, const struct settings_loading *l,
                             const config_setting_t *s, const struct setting *row)
{
    const int type = config_setting_type(s);
    const bool is_key = setting_kind(row) == SETTING_PROPERTIES;

    if (!is_value(type))
        return "must be one value, not a list or a group";
    if (setting_is_text(row) && !is_key && type != CONFIG_TYPE_STRING)
        return "must be written in quotes";
    if (type == CONFIG_TYPE_INT && may_be_cut(l, s))
        return "must be written in quotes, it has more than 9 digits";
    if (type == CONFIG_TYPE_STRING)
        buf_add_text(out, config_setting_get_string(s));
    else if (type == CONFIG_TYPE_BOOL)
        buf_add_text(out, config_setting_get_bool(s) ? "true" : "false");
    else if (type == CONFIG_TYPE_FLOAT)
        buf_addf(out, "%g", config_setting_get_float(s));
    else
        buf_add_int(out, config_setting_get_int64(s));
    return NULL;
}

// libconfig's names have no dots: kafka.properties.sasl_password.
static void undo_underscores(char *name, const struct setting *row)
{
    if (setting_kind(row) != SETTING_PROPERTIES)
        return;
    for (char *p = name + strlen(row->name); *p; p++)
        if (*p == '_')
            *p = '.';
}

static void take_value(struct settings_loading *l, const config_setting_t *s, char *name)
{
    struct buf place = BUF_INIT(SETTINGS_PLACE_MAX), value = BUF_INIT(SETTINGS_VALUE_MAX);
    const struct setting *row = settings_find(l->source, name, strlen(name));
    struct err err = { 0 };

    add_place(&place, l, s);
    if (!row) {
        if (!settings_is_foreign(l->source, name, strcspn(name, ".")))
            settings_refuse_name(l->source, name, buf_text(&place), &err);
    } else {
        const char *wrong = add_value(&value, l, s, row);
        undo_underscores(name, row);
        if (wrong)
            complain(&err, name, buf_text(&place), wrong);
        else
            settings_give(l, name, strlen(name), buf_text(&value), buf_text(&place));
        if (l->file_is_public && settings_is_secret(row, name))
            settings_warn(&l->notes,
                          "%s (%s) is a secret in a file that other users can "
                          "read: run chmod 600 %s",
                          name, buf_text(&place), l->file);
    }
    if (err.text[0])
        settings_problem(&l->notes, &err);
    buf_free(&place);
    settings_wipe(&value);
}

static void take_group(struct settings_loading *l, const config_setting_t *group,
                       const char *prefix);

static void take_member(struct settings_loading *l, const config_setting_t *s,
                        const char *prefix)
{
    struct buf name = BUF_INIT(SETTINGS_NAME_MAX);

    buf_addf(&name, "%s%s%s", prefix, prefix[0] ? "." : "", config_setting_name(s));
    if (name.failed) {
        struct err err;
        err_set(&err, OUTCOME_REJECT, "%s:%u: the name is too long", l->file,
                config_setting_source_line(s));
        settings_problem(&l->notes, &err);
    } else if (config_setting_is_group(s)) {
        take_group(l, s, buf_text(&name));
    } else {
        take_value(l, s, name.bytes);
    }
    buf_free(&name);
}

static void refuse_group(struct settings_loading *l, const config_setting_t *group,
                         const char *name)
{
    struct buf place = BUF_INIT(SETTINGS_PLACE_MAX);
    struct err err;

    add_place(&place, l, group);
    settings_refuse_group(l->source, name, buf_text(&place), &err);
    settings_problem(&l->notes, &err);
    buf_free(&place);
}

static void take_group(struct settings_loading *l, const config_setting_t *group,
                       const char *prefix)
{
    const size_t top_len = strcspn(prefix, ".");

    if (prefix[0] && !settings_has_group(l->source, prefix, top_len)) {
        if (!settings_is_known_group(prefix, top_len))  // else of other programs
            refuse_group(l, group, prefix);
        return;
    }
    for (int i = 0; i < config_setting_length(group); i++)
        take_member(l, config_setting_get_elem(group, (unsigned)i), prefix);
}

static void refuse_file(struct settings_loading *l, const config_t *file)
{
    const char *at = config_error_file(file);
    struct err err;

    if (config_error_type(file) == CONFIG_ERR_PARSE)
        err_set(&err, OUTCOME_REJECT, "%s:%d: %s", at ? at : l->file,
                config_error_line(file), config_error_text(file));
    else
        err_set(&err, OUTCOME_REJECT, "cannot read the settings file %s: %s", l->file,
                strerror(errno));
    settings_problem(&l->notes, &err);
}

void settings_read_file(struct settings_loading *l)
{
    config_t file;
    struct stat st;

    l->file_is_public = stat(l->file, &st) == 0 && !settings_is_private(&st);
    config_init(&file);
    errno = EIO;  // libconfig keeps the reason to itself when it is not the open
    if (config_read_file(&file, l->file))
        take_group(l, config_root_setting(&file), "");
    else
        refuse_file(l, &file);
    config_destroy(&file);
}
