// What --help and --print-config write.
#include "settings_parts.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>

enum { PRINT_MAX = 1 << 20 };

static const char *kind_word(enum setting_kind kind)
{
    switch (kind) {
    case SETTING_TEXT:
        return "TEXT";
    case SETTING_SECRET:
        return "SECRET";
    case SETTING_COUNT:
        return "NUMBER";
    case SETTING_US:
        return "DURATION";
    case SETTING_BOOL:
        return "YES|NO";
    case SETTING_PORT:
        return "PORT";
    }
    return "";
}

static void add_default(struct buf *out, const struct setting *row)
{
    if (row->fallback)
        buf_addf(out, "default %s", row->fallback[0] ? row->fallback : "\"\"");
    else
        buf_add_text(out, setting_is_text(row) && row->min == 0 ? "not set by default"
                                                                : "required");
}

static void add_row(struct buf *out, const struct setting *row)
{
    buf_addf(out, "\n  --%s=%s\n      %s\n      ", row->name,
             kind_word(setting_kind(row)), row->help);
    settings_environment_name(out, row->name);
    if (row->alias)
        buf_addf(out, " or %s", row->alias);
    buf_add_text(out, "; ");
    add_default(out, row);
    if (setting_kind(row) != SETTING_BOOL) {
        buf_add_text(out, "; ");
        settings_add_range(out, row);
    }
    if (row->kind & SETTING_LIVE)
        buf_add_text(out, "; live");
    buf_add_char(out, '\n');
}

void settings_print_help(const struct settings_source *source)
{
    struct buf out = BUF_INIT(PRINT_MAX);

    buf_addf(&out, "%s: %s\n\n", source->program, source->what);
    buf_addf(&out,
             "usage: %s [--config=FILE] [--name=value ...]\n\n"
             "  --config=FILE   settings file (libconfig); also SMSQ_CONFIG\n"
             "  --check-config  read and check the settings, print ok, and end\n"
             "  --print-config  print them with their origin, secrets as ***, and end\n"
             "  --version       print the version and end\n"
             "  --help          print this and end\n\n"
             "A flag wins over the environment, the environment over the file. In the\n"
             "file, a.b is the key b in the group a. VARIABLE_FILE names a file that\n"
             "holds the value of VARIABLE. Durations: 500ms, 3s, 10m, 24h, 7d.\n"
             "What is live is taken over by a running program at SIGHUP.\n",
             source->program);
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            add_row(&out, row);
    (void)fputs(buf_text(&out), stdout);
    buf_free(&out);
}

static void add_value(struct buf *out, const struct settings_given *given)
{
    if (!given->text)
        buf_add_text(out, "(not set)");
    else if (setting_kind(given->row) == SETTING_SECRET)
        buf_add_text(out, "***");
    else
        buf_add_json_string(out, given->text, strlen(given->text));
}

void settings_print_values(const struct settings_loading *l)
{
    struct buf out = BUF_INIT(PRINT_MAX);

    for (size_t i = 0; i < l->count; i++) {
        buf_addf(&out, "%s = ", l->given[i].row->name);
        add_value(&out, &l->given[i]);
        if (l->given[i].place)
            buf_addf(&out, "  # %s", l->given[i].place);
        buf_add_char(&out, '\n');
    }
    (void)fputs(buf_text(&out), stdout);
    buf_free(&out);
}
