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
    case SETTING_PROPERTIES:
        return "PROPERTIES";
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
    buf_addf(
        &out,
        "usage: %s [--config=FILE] [--env-file=FILE] [--name=value ...]\n\n"
        "  --config=FILE   settings file (libconfig); also SMSQ_CONFIG\n"
        "  --env-file=FILE NAME=value lines; also SMSQ_ENV_FILE\n"
        "  --check-config  read and check the settings, print what is wrong or odd,\n"
        "                  ok if nothing is wrong, and end\n"
        "  --print-config  print them as a settings file, with their origin and\n"
        "                  without secrets, and end\n"
        "  --version       print the version and end\n"
        "  --help          print this and end\n\n"
        "A flag wins over the environment, that over the environment file, that over a\n"
        "systemd credential of the setting's name, that over the settings file. In\n"
        "the file, a.b is the key b in the group a. VARIABLE_FILE names a file that\n"
        "holds the value of VARIABLE. Durations: 500ms, 3s, 10m, 24h, 7d.\n"
        "What is live is taken over by a running program at SIGHUP.\n",
        source->program);
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            add_row(&out, row);
    buf_add_text(&out, "\nNames that guides print, known and without effect:\n\n");
    for (size_t i = 0; settings_known_at(i); i++)
        buf_addf(&out, "  %s\n      %s\n", settings_known_at(i)->name,
                 settings_known_at(i)->what);
    (void)fputs(buf_text(&out), stdout);
    buf_free(&out);
}

// libconfig's strings know \\ \" \n \r \t \f and \xHH; its integers have 32 bits.
static void add_quoted(struct buf *out, const char *text)
{
    buf_add_char(out, '"');
    for (const char *p = text; *p; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_addf(out, "\\x%02x", c);
        else
            buf_add_char(out, *p);
    }
    buf_add_char(out, '"');
}

static void add_key(struct buf *out, const struct settings_given *given)
{
    const char *key = given->key ? given->key : strchr(given->row->name, '.') + 1;

    for (const char *p = key; *p; p++)
        buf_add_char(out, *p == '.' ? '_' : *p);
}

// What is not given and what is secret becomes a comment, so that the page can be read
// again.
static void add_line(struct buf *out, const struct settings_given *given,
                     const char *indent)
{
    const bool is_value =
        given->text &&
        !settings_is_secret(given->row, given->key ? given->key : given->row->name);

    buf_addf(out, "%s%s", indent, is_value ? "" : "// ");
    add_key(out, given);
    if (is_value) {
        buf_add_text(out, " = ");
        add_quoted(out, given->text);
        buf_add_char(out, ';');
    } else {
        buf_add_text(out, given->text ? " = ***" : " is not set");
    }
    if (given->place)
        buf_addf(out, "  %s%s", is_value ? "// " : "from ", given->place);
    buf_add_char(out, '\n');
}

static bool has_keys(const struct settings_loading *l, const struct setting *row)
{
    for (size_t i = l->row_count; i < l->count; i++)
        if (l->given[i].row == row)
            return true;
    return false;
}

static void add_properties(struct buf *out, const struct settings_loading *l,
                           const struct settings_given *row)
{
    if (!has_keys(l, row->row)) {
        add_line(out, row, "    ");
        return;
    }
    buf_add_text(out, "    ");
    add_key(out, row);
    buf_add_text(out, ": {\n");
    for (size_t i = l->row_count; i < l->count; i++)
        if (l->given[i].row == row->row)
            add_line(out, &l->given[i], "        ");
    buf_add_text(out, "    };\n");
}

static bool is_of_group(const struct settings_given *given, const char *name)
{
    const size_t len = strcspn(name, ".") + 1;

    return strncmp(given->row->name, name, len) == 0;
}

static bool is_first_of_group(const struct settings_loading *l, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (is_of_group(&l->given[i], l->given[at].row->name))
            return false;
    return true;
}

static void add_group(struct buf *out, const struct settings_loading *l, size_t first)
{
    const char *name = l->given[first].row->name;

    buf_addf(out, "%.*s: {\n", (int)strcspn(name, "."), name);
    for (size_t i = first; i < l->row_count; i++) {
        if (!is_of_group(&l->given[i], name))
            continue;
        if (setting_kind(l->given[i].row) == SETTING_PROPERTIES)
            add_properties(out, l, &l->given[i]);
        else
            add_line(out, &l->given[i], "    ");
    }
    buf_add_text(out, "};\n");
}

void settings_print_values(const struct settings_loading *l)
{
    struct buf out = BUF_INIT(PRINT_MAX);

    buf_addf(&out, "// %s %s: the settings in force, without secrets\n",
             l->source->program, SMSQ_VERSION);
    for (size_t i = 0; i < l->row_count; i++)
        if (is_first_of_group(l, i))
            add_group(&out, l, i);
    (void)fputs(buf_text(&out), stdout);
    buf_free(&out);
}
