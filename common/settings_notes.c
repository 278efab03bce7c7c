// What is wrong or odd with the settings of one loading, all of it, not just the first.
#include "settings_parts.h"

#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES_MAX = 100 };

static void add(struct settings_notes *notes, bool is_problem, const char *text)
{
    if (notes->count == NOTES_MAX)
        return;
    notes->list = xrealloc(notes->list, (notes->count + 1) * sizeof(*notes->list));
    notes->list[notes->count++] = (struct settings_note){ is_problem, xstrdup(text) };
    notes->problems += is_problem;
}

void settings_problem(struct settings_notes *notes, const struct err *err)
{
    add(notes, true, err->text);
}

void settings_warn(struct settings_notes *notes, const char *fmt, ...)
{
    char text[ERR_TEXT_BYTES];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    add(notes, false, text);
}

enum outcome settings_verdict(const struct settings_notes *notes, struct err *err)
{
    const char *first = NULL;

    for (size_t i = 0; i < notes->count && !first; i++)
        if (notes->list[i].is_problem)
            first = notes->list[i].text;
    if (!first)
        return OUTCOME_OK;
    if (notes->problems == 1)
        return err_set(err, OUTCOME_REJECT, "%s", first);
    return err_set(err, OUTCOME_REJECT,
                   "%.400s (and %zu more: --check-config lists them)", first,
                   notes->problems - 1);
}

void settings_print_notes(const struct settings_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        (void)printf("%s: %s\n", notes->list[i].is_problem ? "error" : "warning",
                     notes->list[i].text);
}

void settings_notes_free(struct settings_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        free(notes->list[i].text);
    free(notes->list);
    *notes = (struct settings_notes){ 0 };
}
