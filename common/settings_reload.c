#include "settings_reload.h"

#include "buf.h"
#include "settings_parts.h"

#include <stdlib.h>
#include <string.h>

static size_t field_bytes(const struct setting *row)
{
    if (setting_is_text(row))
        return sizeof(char *);
    return setting_kind(row) == SETTING_BOOL ? sizeof(bool) : sizeof(int64_t);
}

static bool is_same(const struct setting *row, const void *set, const void *other)
{
    const char *a = (const char *)set + row->offset;
    const char *b = (const char *)other + row->offset;
    const char *a_text, *b_text;

    if (!setting_is_text(row))
        return memcmp(a, b, field_bytes(row)) == 0;
    memcpy(&a_text, a, sizeof(a_text));
    memcpy(&b_text, b, sizeof(b_text));
    if (!a_text || !b_text)
        return a_text == b_text;
    return strcmp(a_text, b_text) == 0;
}

static void copy_field(const struct setting *row, void *to, const void *from)
{
    memcpy((char *)to + row->offset, (const char *)from + row->offset, field_bytes(row));
}

static void swap_field(const struct setting *row, void *set, void *other)
{
    char kept[sizeof(int64_t)];
    char *a = (char *)set + row->offset, *b = (char *)other + row->offset;
    const size_t bytes = field_bytes(row);

    memcpy(kept, a, bytes);
    memcpy(a, b, bytes);
    memcpy(b, kept, bytes);
}

// The new values may be good together, and yet not with the old ones that stay.
static enum outcome check_mixture(const struct settings_origin *origin, const void *fresh,
                                  struct err *err)
{
    const struct settings_source *source = origin->source;
    void *mixture = xcalloc(1, source->size);

    memcpy(mixture, origin->set, source->size);
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            if (row->kind & SETTING_LIVE)
                copy_field(row, mixture, fresh);
    enum outcome rc = settings_check(source, mixture, err);
    free(mixture);
    return rc;
}

static void tell(const struct setting *row, const void *old_set, const void *new_set,
                 settings_on_change *on_change, void *arg)
{
    struct buf old_value = BUF_INIT(SETTINGS_VALUE_MAX);
    struct buf new_value = BUF_INIT(SETTINGS_VALUE_MAX);

    settings_add_field(&old_value, row, old_set);
    settings_add_field(&new_value, row, new_set);
    const struct settings_change change = {
        .row = row,
        .old_value = buf_text(&old_value),
        .new_value = buf_text(&new_value),
        .is_applied = row->kind & SETTING_LIVE,
    };
    on_change(arg, &change);
    buf_free(&old_value);
    buf_free(&new_value);
}

// Behind it, fresh holds the old value of each live row that changed.
static void take_over(const struct settings_origin *origin, void *fresh)
{
    const struct settings_source *source = origin->source;

    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            if (row->kind & SETTING_LIVE)
                swap_field(row, origin->set, fresh);
}

static void tell_all(const struct settings_origin *origin, const void *fresh,
                     settings_on_change *on_change, void *arg)
{
    const struct settings_source *source = origin->source;

    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++) {
            if (is_same(row, origin->set, fresh))
                continue;
            if (row->kind & SETTING_LIVE)
                tell(row, fresh, origin->set, on_change, arg);
            else
                tell(row, origin->set, fresh, on_change, arg);
        }
}

enum outcome settings_reload(const struct settings_origin *origin,
                             settings_on_change *on_change, void *arg, struct err *err)
{
    struct settings_loading l = { 0 };
    void *fresh = xcalloc(1, origin->source->size);

    settings_gather(&l, fresh, origin->source, origin->argc, origin->argv);
    enum outcome rc = settings_verdict(&l.notes, err);
    settings_gathered(&l);
    if (!rc)
        rc = check_mixture(origin, fresh, err);
    if (!rc) {
        take_over(origin, fresh);
        tell_all(origin, fresh, on_change, arg);
    }
    settings_free(fresh, origin->source);
    free(fresh);
    return rc;
}

void settings_review(const struct settings_origin *origin,
                     void (*on_warning)(void *arg, const char *text), void *arg)
{
    struct settings_loading l = { 0 };
    void *fresh = xcalloc(1, origin->source->size);

    settings_gather(&l, fresh, origin->source, origin->argc, origin->argv);
    for (size_t i = 0; i < l.notes.count; i++)
        if (!l.notes.list[i].is_problem)
            on_warning(arg, l.notes.list[i].text);
    settings_gathered(&l);
    settings_free(fresh, origin->source);
    free(fresh);
}
