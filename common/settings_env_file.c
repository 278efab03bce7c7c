// The environment file (.env): NAME=value lines, as docker compose reads them, without
// putting other variables in: a '$' that compose would replace is refused.
#include "settings_parts.h"

#include "buf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_MAX_BYTES = 128, FILE_MAX_BYTES = 1 << 20 };

// One reading in hand.
struct text {
    const char *at;
    unsigned line;
    const char *file;
};

static enum outcome complain(const struct text *t, const char *what, struct err *err)
{
    return err_set(err, OUTCOME_REJECT, "%s:%u: %s", t->file, t->line, what);
}

static void skip_blanks(struct text *t)
{
    while (*t->at == ' ' || *t->at == '\t')
        t->at++;
}

static void skip_line(struct text *t)
{
    while (*t->at && *t->at != '\n')
        t->at++;
    if (*t->at)
        t->at++;
    t->line++;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_replaced_by_compose(const char *dollar)
{
    return dollar[1] == '{' || dollar[1] == '$' || dollar[1] == '_' ||
           isalpha((unsigned char)dollar[1]);
}

static char unescaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

static enum outcome read_quoted(struct text *t, struct buf *value, struct err *err)
{
    const char quote = *t->at++;

    for (; *t->at && *t->at != quote; t->at++) {
        char c = *t->at;
        if (c == '\n')
            t->line++;
        if (quote == '"' && c == '$' && is_replaced_by_compose(t->at))
            return complain(t, "a $ that means itself must stand in single quotes", err);
        if (quote == '"' && c == '\\' && t->at[1])
            c = unescaped(*++t->at);
        buf_add_char(value, c);
    }
    if (!*t->at)
        return complain(t, "a quote is never closed", err);
    t->at++;
    skip_blanks(t);
    if (*t->at && !strchr("#\r\n", *t->at))
        return complain(t, "something stands behind the closing quote", err);
    return OUTCOME_OK;
}

static enum outcome read_plain(struct text *t, struct buf *value, struct err *err)
{
    const char *begin = t->at, *p = begin;

    for (; *p && *p != '\n'; p++) {
        if (*p == '#' && (p == begin || p[-1] == ' ' || p[-1] == '\t'))
            break;  // a comment
        if (*p == '$' && is_replaced_by_compose(p))
            return complain(t, "a $ that means itself must stand in single quotes", err);
    }
    const char *end = p;
    while (end > begin && strchr(" \t\r", end[-1]))
        end--;
    buf_add(value, begin, (size_t)(end - begin));
    t->at = p;
    return OUTCOME_OK;
}

static void keep(struct settings_variables *out, const char *name, size_t len,
                 const struct buf *value, unsigned line)
{
    out->list = xrealloc(out->list, (out->count + 1) * sizeof(*out->list));
    out->list[out->count++] = (struct settings_variable){
        .name = xmemdup0(name, len), .value = xstrdup(buf_text(value)), .line = line
    };
}

static enum outcome read_variable(struct settings_variables *out, struct text *t,
                                  struct err *err)
{
    struct buf value = BUF_INIT(SETTINGS_VALUE_MAX);
    const unsigned line = t->line;

    if (strncmp(t->at, "export", 6) == 0 && (t->at[6] == ' ' || t->at[6] == '\t')) {
        t->at += 6;
        skip_blanks(t);
    }
    const char *name = t->at;
    while (is_name_char(*t->at))
        t->at++;
    const size_t len = (size_t)(t->at - name);
    skip_blanks(t);
    if (len == 0 || len > NAME_MAX_BYTES || isdigit((unsigned char)*name) ||
        *t->at != '=')
        return complain(t, "this is not NAME=value", err);
    t->at++;
    skip_blanks(t);
    enum outcome rc = *t->at == '"' || *t->at == '\'' ? read_quoted(t, &value, err)
                                                      : read_plain(t, &value, err);
    if (!rc && value.failed)
        rc = complain(t, "the value is too long", err);
    if (!rc)
        keep(out, name, len, &value, line);
    settings_wipe(&value);
    return rc;
}

enum outcome settings_parse_variables(struct settings_variables *out, const char *text,
                                      const char *file, struct err *err)
{
    struct text t = { text, 1, file };
    enum outcome rc = OUTCOME_OK;

    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        t.at += 3;  // the byte order mark of some editors
    while (!rc && *t.at) {
        skip_blanks(&t);
        if (*t.at && !strchr("#\r\n", *t.at))
            rc = read_variable(out, &t, err);
        if (!rc)
            skip_line(&t);
    }
    return rc;
}

enum outcome settings_read_env_file(struct settings_loading *l, struct err *err)
{
    struct buf text = BUF_INIT(FILE_MAX_BYTES);
    char part[4096];
    struct stat st;
    size_t got;

    FILE *file = fopen(l->env_file, "re");
    if (!file)
        return err_set(err, OUTCOME_REJECT, "cannot read the environment file %s: %s",
                       l->env_file, strerror(errno));
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(&text, part, got);
    l->env_file_is_public = fstat(fileno(file), &st) == 0 && !settings_is_private(&st);
    const bool is_broken = ferror(file) || text.failed;
    fclose(file);
    enum outcome rc = OUTCOME_OK;
    if (is_broken || strlen(buf_text(&text)) != text.len)
        rc = err_set(err, OUTCOME_REJECT,
                     "the environment file %s is not a text of at "
                     "most %d bytes",
                     l->env_file, FILE_MAX_BYTES);
    else
        rc = settings_parse_variables(&l->variables, buf_text(&text), l->env_file, err);
    explicit_bzero(part, sizeof(part));
    settings_wipe(&text);
    return rc;
}

const struct settings_variable *settings_variable_find(
    const struct settings_variables *variables, const char *name)
{
    for (size_t i = variables->count; i-- > 0;)  // the last one counts
        if (strcmp(variables->list[i].name, name) == 0)
            return &variables->list[i];
    return NULL;
}

void settings_variables_free(struct settings_variables *variables)
{
    for (size_t i = 0; i < variables->count; i++) {
        explicit_bzero(variables->list[i].value, strlen(variables->list[i].value));
        free(variables->list[i].name);
        free(variables->list[i].value);
    }
    free(variables->list);
    *variables = (struct settings_variables){ 0 };
}
