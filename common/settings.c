#include "settings.h"

#include "buf.h"
#include "properties.h"
#include "settings_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void settings_replace(struct settings_given *given, const char *text, const char *place)
{
    char *old_text = given->text, *old_place = given->place;

    given->text = xstrdup(text);
    given->place = xstrdup(place);
    if (old_text)
        explicit_bzero(old_text, strlen(old_text));
    free(old_text);
    free(old_place);
}

void settings_wipe(struct buf *value)
{
    if (value->bytes)
        explicit_bzero(value->bytes, value->room);
    buf_free(value);
}

// The key's place among those of the row; a new one is made.
static struct settings_given *given_key(struct settings_loading *l,
                                        const struct setting *row, const char *key)
{
    for (size_t i = l->row_count; i < l->count; i++)
        if (l->given[i].row == row && strcmp(l->given[i].key, key) == 0)
            return &l->given[i];
    l->given = xrealloc(l->given, (l->count + 1) * sizeof(*l->given));
    l->given[l->count] = (struct settings_given){ .row = row, .key = xstrdup(key) };
    return &l->given[l->count++];
}

static void give_properties(struct settings_loading *l, const struct setting *row,
                            const char *text, const char *place)
{
    struct property property = PROPERTY_INIT;
    struct err err;
    enum outcome rc;

    while (!(rc = properties_next(&text, &property, &err)))
        settings_replace(given_key(l, row, buf_text(&property.key)),
                         buf_text(&property.value), place);
    if (rc == OUTCOME_REJECT) {
        struct err why;
        err_set(&why, rc, "%s (%s): %s", row->name, place, err.text);
        settings_problem(&l->notes, &why);
    }
    property_free(&property);
}

void settings_give(struct settings_loading *l, const char *name, size_t len,
                   const char *text, const char *place)
{
    for (size_t i = 0; i < l->row_count; i++) {
        const struct setting *row = l->given[i].row;
        const size_t row_len = strlen(row->name);
        const bool has_keys = setting_kind(row) == SETTING_PROPERTIES;

        if (len < row_len || strncmp(row->name, name, row_len) != 0)
            continue;
        if (len == row_len && has_keys)
            give_properties(l, row, text, place);
        else if (len == row_len)
            settings_replace(&l->given[i], text, place);
        else if (has_keys && name[row_len] == '.')
            settings_replace(given_key(l, row, name + row_len + 1), text, place);
    }
}

static void begin(struct settings_loading *l, const struct settings_source *source)
{
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            l->row_count++;
    l->source = source;
    l->count = l->row_count;
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

void settings_gathered(struct settings_loading *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->given[i].text)
            explicit_bzero(l->given[i].text, strlen(l->given[i].text));
        free(l->given[i].text);
        free(l->given[i].place);
        free(l->given[i].key);
    }
    free(l->given);
    free(l->file);
    free(l->env_file);
    settings_variables_free(&l->variables);
    settings_notes_free(&l->notes);
}

static void note_missing(struct settings_loading *l, const struct settings_given *given)
{
    struct err err;

    err_set(&err, OUTCOME_REJECT, "%s is missing (%s): it is required, see --help",
            given->row->name, given->row->help);
    settings_problem(&l->notes, &err);
}

static void store_properties(void *set, const struct settings_loading *l,
                             const struct setting *row)
{
    struct buf all = BUF_INIT(PROPERTIES_MAX_BYTES);
    char *text = NULL;

    for (size_t i = l->row_count; i < l->count; i++)
        if (l->given[i].row == row)
            properties_add(&all, l->given[i].key, l->given[i].text);
    if (all.len > 0)
        text = xstrdup(buf_text(&all));
    memcpy((char *)set + row->offset, &text, sizeof(text));
    settings_wipe(&all);
}

static void store_all(void *set, struct settings_loading *l)
{
    struct err err;

    for (size_t i = 0; i < l->row_count; i++) {
        const struct settings_given *given = &l->given[i];
        const struct setting *row = given->row;
        if (setting_kind(row) == SETTING_PROPERTIES)
            store_properties(set, l, row);
        else if (!given->text && !(setting_is_text(row) && row->min == 0))
            note_missing(l, given);
        else if (given->text && settings_store(set, row, given->text, given->place, &err))
            settings_problem(&l->notes, &err);
    }
}

// What a check complains about begins with the setting's name; behind it goes the place
// that gave it.
static void add_place(const struct settings_loading *l, struct err *err)
{
    const size_t len = strcspn(err->text, " :,");
    struct buf text = BUF_INIT(2 * ERR_TEXT_BYTES);

    for (size_t i = 0; i < l->count; i++) {
        const struct settings_given *given = &l->given[i];
        const char *name = given->row->name;
        const size_t name_len = strlen(name);
        const bool is_it =
            given->key ? len > name_len && strncmp(err->text, name, name_len) == 0 &&
                             strncmp(err->text + name_len + 1, given->key,
                                     len - name_len - 1) == 0 &&
                             strlen(given->key) == len - name_len - 1
                       : name_len == len && strncmp(err->text, name, len) == 0;
        if (!is_it || !given->place)
            continue;
        buf_addf(&text, "%.*s (%s)%s", (int)len, err->text, given->place,
                 err->text + len);
        err_set(err, OUTCOME_REJECT, "%s", buf_text(&text));
        break;
    }
    buf_free(&text);
}

static const void *part_of(const void *set, const struct settings_place *place)
{
    return (const char *)set + place->at;
}

enum outcome settings_check(const struct settings_source *source, const void *set,
                            struct err *err)
{
    enum outcome rc = OUTCOME_OK;

    for (const struct settings_place *p = source->parts; !rc && p && p->part; p++)
        if (p->part->check)
            rc = p->part->check(part_of(set, p), err);
    return rc || !source->check ? rc : source->check(set, err);
}

static void review_parts(const struct settings_source *source, const void *set,
                         struct settings_notes *notes)
{
    for (const struct settings_place *p = source->parts; p && p->part; p++)
        if (p->part->review)
            p->part->review(part_of(set, p), notes);
}

static void check_all(const void *set, struct settings_loading *l)
{
    struct err err = { 0 };

    if (l->notes.problems > 0)
        return;  // fields are missing
    if (settings_check(l->source, set, &err)) {
        add_place(l, &err);
        settings_problem(&l->notes, &err);
    } else {
        review_parts(l->source, set, &l->notes);
    }
}

// A variable that names a file of settings; the environment wins here too.
static void take_path(char **path, const struct settings_loading *l, const char *name)
{
    const char *value = getenv(name);
    const struct settings_variable *found = settings_variable_find(&l->variables, name);

    if (!*path && value && value[0])
        *path = xstrdup(value);
    if (!*path && found && found->value[0])
        *path = xstrdup(found->value);
}

void settings_gather(struct settings_loading *l, void *set,
                     const struct settings_source *source, int argc, char *argv[])
{
    struct err err;

    begin(l, source);
    settings_read_flags(l, argc, argv, false);
    take_path(&l->env_file, l, "SMSQ_ENV_FILE");
    if (l->env_file && settings_read_env_file(l, &err))
        settings_problem(&l->notes, &err);
    take_path(&l->file, l, "SMSQ_CONFIG");
    if (l->file)
        settings_read_file(l);
    settings_read_credentials(l);
    settings_read_variables(l, true);
    settings_read_variables(l, false);
    settings_read_flags(l, argc, argv, true);
    store_all(set, l);
    check_all(set, l);
}

enum outcome settings_load(void *set, const struct settings_source *source, int argc,
                           char *argv[], struct err *err)
{
    struct settings_loading l = { 0 };

    settings_gather(&l, set, source, argc, argv);
    enum outcome rc = settings_verdict(&l.notes, err);
    if (l.check_only)
        settings_print_notes(&l.notes);
    if (!rc && l.print)
        settings_print_values(&l);
    if (!rc && l.check_only)
        (void)puts("ok");
    const bool done = !rc && (l.print || l.check_only);
    settings_gathered(&l);
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
            if (text && setting_is_secret(row))
                explicit_bzero(text, strlen(text));
            free(text);
            memcpy((char *)set + row->offset, &none, sizeof(none));
        }
}
