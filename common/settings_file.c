// The settings file (libconfig): groups of name = value.
#include "settings_parts.h"

#include "buf.h"

#include <errno.h>
#include <inttypes.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_MAX = 1024, INT_SAFE_DIGITS = 9 };

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

// Writes the value as the user would write it in the environment.
static enum outcome add_value(struct buf *out, const struct settings_loading *l,
                              const config_setting_t *s, const struct setting *row,
                              struct err *err)
{
    const int type = config_setting_type(s);

    if (type == CONFIG_TYPE_STRING) {
        buf_add_text(out, config_setting_get_string(s));
        return OUTCOME_OK;
    }
    if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64 &&
        type != CONFIG_TYPE_BOOL && type != CONFIG_TYPE_FLOAT)
        return err_set(err, OUTCOME_REJECT, "must be one value, not a list or a group");
    if (setting_is_text(row))
        return err_set(err, OUTCOME_REJECT, "must be written in quotes");
    if (type == CONFIG_TYPE_INT && may_be_cut(l, s))
        return err_set(err, OUTCOME_REJECT,
                       "must be written in quotes, it has more than %d digits",
                       INT_SAFE_DIGITS);
    if (type == CONFIG_TYPE_BOOL)
        buf_add_text(out, config_setting_get_bool(s) ? "true" : "false");
    else if (type == CONFIG_TYPE_FLOAT)
        buf_addf(out, "%g", config_setting_get_float(s));
    else
        buf_add_int(out, config_setting_get_int64(s));
    return OUTCOME_OK;
}

static enum outcome take_value(struct settings_loading *l, const config_setting_t *s,
                               const char *name, struct err *err)
{
    struct buf place = BUF_INIT(PLACE_MAX), value = BUF_INIT(SETTINGS_VALUE_MAX);
    const struct setting *row = settings_find(l->source, name, strlen(name));
    enum outcome rc = OUTCOME_OK;

    add_place(&place, l, s);
    if (!row) {
        if (!settings_is_foreign(l->source, name, strcspn(name, ".")))
            rc = settings_refuse_name(l->source, name, buf_text(&place), err);
        goto done;
    }
    rc = add_value(&value, l, s, row, err);
    if (rc) {
        struct buf what = BUF_INIT(PLACE_MAX + SETTINGS_NAME_MAX);
        buf_addf(&what, "%s (%s) %s", name, buf_text(&place), err ? err->text : "");
        err_set(err, rc, "%s", buf_text(&what));
        buf_free(&what);
        goto done;
    }
    if (!settings_give(l, name, strlen(name), buf_text(&value), buf_text(&place)))
        rc = OUTCOME_REJECT;  // not reached: the row was found
done:
    buf_free(&place);
    buf_free(&value);
    return rc;
}

static enum outcome take_group(struct settings_loading *l, const config_setting_t *group,
                               const char *prefix, struct err *err);

static enum outcome take_member(struct settings_loading *l, const config_setting_t *s,
                                const char *prefix, struct err *err)
{
    struct buf name = BUF_INIT(SETTINGS_NAME_MAX);
    enum outcome rc;

    buf_addf(&name, "%s%s%s", prefix, prefix[0] ? "." : "", config_setting_name(s));
    if (name.failed)
        rc = err_set(err, OUTCOME_REJECT, "%s:%u: the name is too long", l->file,
                     config_setting_source_line(s));
    else if (config_setting_is_group(s))
        rc = take_group(l, s, buf_text(&name), err);
    else
        rc = take_value(l, s, buf_text(&name), err);
    buf_free(&name);
    return rc;
}

static enum outcome take_group(struct settings_loading *l, const config_setting_t *group,
                               const char *prefix, struct err *err)
{
    const size_t top_len = strcspn(prefix, ".");

    if (prefix[0] && !settings_has_group(l->source, prefix, top_len)) {
        if (settings_is_known_group(prefix, top_len))
            return OUTCOME_OK;  // of programs that need other things
        struct buf place = BUF_INIT(PLACE_MAX);
        add_place(&place, l, group);
        settings_refuse_group(l->source, prefix, buf_text(&place), err);
        buf_free(&place);
        return OUTCOME_REJECT;
    }
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
        enum outcome rc = take_member(l, s, prefix, err);
        if (rc)
            return rc;
    }
    return OUTCOME_OK;
}

static enum outcome refuse_file(const config_t *file, const char *path, struct err *err)
{
    const char *at = config_error_file(file);

    if (config_error_type(file) == CONFIG_ERR_PARSE)
        return err_set(err, OUTCOME_REJECT, "%s:%d: %s", at ? at : path,
                       config_error_line(file), config_error_text(file));
    return err_set(err, OUTCOME_REJECT, "cannot read the settings file %s: %s", path,
                   strerror(errno));
}

enum outcome settings_read_file(struct settings_loading *l, struct err *err)
{
    config_t file;
    enum outcome rc;

    config_init(&file);
    errno = EIO;  // libconfig keeps the reason to itself when it is not the open
    if (config_read_file(&file, l->file))
        rc = take_group(l, config_root_setting(&file), "", err);
    else
        rc = refuse_file(&file, l->file, err);
    config_destroy(&file);
    return rc;
}
