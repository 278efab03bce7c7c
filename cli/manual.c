#include "manual.h"

#include "command.h"

#include <errno.h>
#include <string.h>

static const char what[] =
    "sends SMS, shows what became of them, and runs the parts of smsq";

static const struct {
    int code;
    const char *meaning;
} exit_codes[] = {
    { EXIT_OK, "done" },
    { EXIT_FAILED, "failed" },
    { EXIT_USAGE, "wrong usage" },
    { EXIT_NOT_FOUND, "not found" },
    { EXIT_REFUSED, "refused: the same request never works" },
    { EXIT_TEMPORARY, "try again later: the API, Kafka or PostgreSQL is away" },
    { EXIT_SETTINGS, "a setting is missing or wrong" },
    { EXIT_INTERRUPTED, "interrupted" },
};

static const char settings_text[] =
    "Settings come from flags (--api.url=…), the environment (SMSQ_API_URL, SMSQ_TOKEN, "
    "SMSQ_DATABASE_URL, SMSQ_BROKERS) and the file that --config=FILE or SMSQ_CONFIG "
    "names; smsq settings lists them. --check-config and --print-config read and show "
    "those of smsq itself, --version prints the version.";

static const char output_text[] =
    "Data goes to standard output, talk and errors to standard error. Colours and "
    "progress bars are for terminals only; NO_COLOR turns colours off. Control "
    "characters in data are shown escaped.";

static void print_wrapped(FILE *to, const char *indent, const char *text)
{
    enum { WIDTH = 78 };
    size_t column = 0;

    while (*text) {
        size_t len = strcspn(text, " "), shown = 0;
        for (size_t i = 0; i < len; i++)  // of UTF-8, only the first bytes count
            shown += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (column > 0 && column + 1 + shown > WIDTH) {
            fputc('\n', to);
            column = 0;
        }
        column += (size_t)fprintf(to, "%s", column ? " " : indent);
        fwrite(text, 1, len, to);
        column += shown;
        text += len + (text[len] == ' ');
    }
    fputc('\n', to);
}

static void print_usage(FILE *to, const struct command *c)
{
    fprintf(to, "smsq %s", c->words);
    if (c->arguments[0])
        fprintf(to, " %s", c->arguments);
    for (const struct option *o = c->options; o && o->name; o++)
        if (strstr(o->help, "wanted") || strstr(o->help, "at least one"))
            fprintf(to, " --%s %s", o->name, o->value);
    fputs(" [OPTION…]", to);
}

static void print_option(FILE *to, const struct option *o)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "--%s%s%s", o->name, o->value ? " " : "",
                   o->value ? o->value : "");
    fprintf(to, "  %-20s %s\n", name, o->help);
}

static void print_options(FILE *to, const struct command *c)
{
    for (const struct option *o = c->options; o && o->name; o++)
        print_option(to, o);
    for (const struct option *o = command_common_options; o->name; o++)
        print_option(to, o);
}

void manual_help(FILE *to)
{
    fprintf(to, "smsq %s: %s.\n\n", SMSQ_VERSION, what);
    for (const struct command *c = commands; c->words; c++) {
        char words[64];
        (void)snprintf(words, sizeof(words), "%s%s%s", c->words,
                       c->arguments[0] ? " " : "", c->arguments);
        fprintf(to, "  smsq %-24s %s\n", words, c->summary);
    }
    fputs("\nsmsq COMMAND --help tells more.\n\n", to);
    print_wrapped(to, "", settings_text);
    fputc('\n', to);
    print_wrapped(to, "", output_text);
    fputs("\nExit codes:\n", to);
    for (size_t i = 0; i < COUNT_OF(exit_codes); i++)
        fprintf(to, "  %-4d %s\n", exit_codes[i].code, exit_codes[i].meaning);
}

void manual_command_help(FILE *to, const struct command *c)
{
    print_usage(to, c);
    fprintf(to, "\n  %s\n\n", c->summary);
    print_options(to, c);
    fputc('\n', to);
    print_wrapped(to, "", c->text);
    fputs("\nWith --json it prints ", to);
    fprintf(to, "%s.\n\nExample:\n  %s\n", c->json, c->example);
}

// In roff a backslash is written \e, a minus sign \-, and a line must not begin with a
// dot or an apostrophe.
static void roff_text(FILE *to, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (at == text && (*at == '.' || *at == '\''))
            fputs("\\&", to);
        if (*at == '\\')
            fputs("\\e", to);
        else if (*at == '-')
            fputs("\\-", to);
        else if (*at == '"')
            fputs("\\(dq", to);
        else if (strncmp(at, "…", strlen("…")) == 0) {
            fputs("...", to);
            at += strlen("…") - 1;
        } else {
            fputc(*at, to);
        }
    }
}

static void roff_line(FILE *to, const char *before, const char *text)
{
    fputs(before, to);
    roff_text(to, text);
    fputc('\n', to);
}

static void roff_option(FILE *to, const struct option *o)
{
    fputs(".TP\n\\fB\\-\\-", to);
    roff_text(to, o->name);
    fputs("\\fR", to);
    if (o->value)
        fprintf(to, " \\fI%s\\fR", o->value);
    fputc('\n', to);
    roff_line(to, "", o->help);
}

// words with '-' for ' ': the name of the page.
static void page_name(char *out, size_t size, const struct command *c)
{
    (void)snprintf(out, size, "smsq-%s", c->words);
    for (char *at = out; *at; at++)
        if (*at == ' ')
            *at = '-';
}

static void roff_head(FILE *to, const char *name, const char *summary)
{
    char capitals[64];
    size_t len = 0;

    for (; name[len] && len + 1 < sizeof(capitals); len++)
        capitals[len] = name[len] >= 'a' && name[len] <= 'z'
                            ? (char)(name[len] - 'a' + 'A')
                            : name[len];
    capitals[len] = '\0';
    fputs(".TH ", to);
    roff_text(to, capitals);
    fprintf(to, " 1 \"\" \"smsq %s\" \"smsq\"\n.SH NAME\n", SMSQ_VERSION);
    roff_text(to, name);
    roff_line(to, " \\- ", summary);
}

static void roff_exit_codes(FILE *to)
{
    fputs(".SH EXIT STATUS\n", to);
    for (size_t i = 0; i < COUNT_OF(exit_codes); i++) {
        fprintf(to, ".TP\n%d\n", exit_codes[i].code);
        roff_line(to, "", exit_codes[i].meaning);
    }
}

void manual_page(FILE *to)
{
    roff_head(to, "smsq", what);
    fputs(".SH SYNOPSIS\n\\fBsmsq\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR...] "
          "[\\fIOPTION\\fR...]\n.SH COMMANDS\n",
          to);
    for (const struct command *c = commands; c->words; c++) {
        fputs(".TP\n\\fB", to);
        roff_text(to, c->words);
        fputs("\\fR ", to);
        roff_line(to, "", c->arguments);
        roff_line(to, "", c->summary);
    }
    roff_line(to, ".SH OUTPUT\n", output_text);
    roff_line(to, ".SH SETTINGS\n", settings_text);
    roff_exit_codes(to);
    fputs(".SH SEE ALSO\n", to);
    for (const struct command *c = commands; c->words; c++) {
        char name[64];
        page_name(name, sizeof(name), c);
        fputs("\\fB", to);
        roff_text(to, name);
        fprintf(to, "\\fR(1)%s\n", c[1].words ? "," : "");
    }
}

void manual_command_page(FILE *to, const struct command *c)
{
    char name[64];

    page_name(name, sizeof(name), c);
    roff_head(to, name, c->summary);
    fprintf(to, ".SH SYNOPSIS\n\\fBsmsq %s\\fR ", c->words);
    roff_line(to, "", c->arguments[0] ? c->arguments : "[OPTION…]");
    roff_line(to, ".SH DESCRIPTION\n", c->text);
    fputs(".SH OPTIONS\n", to);
    for (const struct option *o = c->options; o && o->name; o++)
        roff_option(to, o);
    for (const struct option *o = command_common_options; o->name; o++)
        roff_option(to, o);
    roff_line(to, ".SH JSON\nWith \\fB\\-\\-json\\fR it prints ", c->json);
    fputs(".SH EXAMPLE\n.nf\n", to);
    roff_line(to, "", c->example);
    fputs(".fi\n", to);
    roff_exit_codes(to);
    fputs(".SH SEE ALSO\n\\fBsmsq\\fR(1)\n", to);
}

static void markdown_command(FILE *to, const struct command *c)
{
    fprintf(to, "### smsq %s\n\n    ", c->words);
    print_usage(to, c);
    fprintf(to, "\n\n%c%s. %s\n\n", c->summary[0] - 'a' + 'A', c->summary + 1, c->text);
    if (c->options)
        fputs("| option | what |\n|---|---|\n", to);
    for (const struct option *o = c->options; o && o->name; o++)
        fprintf(to, "| `--%s%s%s` | %s |\n", o->name, o->value ? " " : "",
                o->value ? o->value : "", o->help);
    fprintf(to, "%sWith `--json` it prints `%s`.\n\n    %s\n\n", c->options ? "\n" : "",
            c->json, c->example);
}

void manual_markdown(FILE *to)
{
    for (const struct command *c = commands; c->words; c++)
        markdown_command(to, c);
    fputs("## Exit codes\n\n| exit code | meaning |\n|---|---|\n", to);
    for (size_t i = 0; i < COUNT_OF(exit_codes); i++)
        fprintf(to, "| %d | %s |\n", exit_codes[i].code, exit_codes[i].meaning);
}

// Writes one page to FOLDER/name.1.
static bool write_page(const char *folder, const struct command *command)
{
    char name[64] = "smsq", path[4096];

    if (command)
        page_name(name, sizeof(name), command);
    (void)snprintf(path, sizeof(path), "%s/%s.1", folder, name);
    FILE *to = fopen(path, "w");
    if (!to)
        return false;
    if (command)
        manual_command_page(to, command);
    else
        manual_page(to);
    return fclose(to) == 0;
}

static int write_pages(const char *folder)
{
    bool is_written = write_page(folder, NULL);

    for (const struct command *c = commands; c->words && is_written; c++)
        is_written = write_page(folder, c);
    if (!is_written)
        command_says("cannot write to %s: %s", folder, strerror(errno));
    return is_written ? EXIT_OK : EXIT_FAILED;
}

int command_completion(const struct call *call)
{
    if (strcmp(call->positionals[0], "bash") != 0)
        return command_usage(call, "SHELL is bash");
    manual_completion(stdout);
    return EXIT_OK;
}

static const struct command *find_words(const char *words)
{
    for (const struct command *c = commands; c->words; c++)
        if (strcmp(c->words, words) == 0)
            return c;
    return NULL;
}

int command_manual(const struct call *call)
{
    const char *format = call->positionals[0];
    const char *words = call->positional_count > 1 ? call->positionals[1] : NULL;
    const struct command *one = words ? find_words(words) : NULL;

    if (words && strcmp(format, "pages") == 0)
        return write_pages(words);
    if (words && !one)
        return command_usage(call, "\"%s\" is no command", words);
    if (strcmp(format, "man") == 0 && one)
        manual_command_page(stdout, one);
    else if (strcmp(format, "man") == 0)
        manual_page(stdout);
    else if (strcmp(format, "markdown") == 0 && !one)
        manual_markdown(stdout);
    else
        return command_usage(call, "FORMAT is man, perhaps with a command, markdown, "
                                   "or pages with a folder");
    return EXIT_OK;
}
