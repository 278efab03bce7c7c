#include "command.h"

#include "terminal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4096 };

const struct option command_common_options[] = {
    { "json", NULL, "print JSON, for programs", NULL, false },
    { "help", NULL, "print this and do nothing", NULL, false },
    { 0 },
};

PRINTF_LIKE(1, 0) static void says(const char *fmt, va_list args)
{
    char line[LINE_MAX_BYTES];

    (void)vsnprintf(line, sizeof(line), fmt, args);
    fputs("smsq: ", stderr);
    terminal_print(stderr, line, strlen(line));
    fputc('\n', stderr);
}

void command_says(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    says(fmt, args);
    va_end(args);
}

int command_usage(const struct call *call, const char *fmt, ...)
{
    const struct command *command = call->command;
    va_list args;

    va_start(args, fmt);
    says(fmt, args);
    va_end(args);
    fprintf(stderr, "usage: smsq %s%s%s [OPTION…]; smsq %s --help tells more\n",
            command->words, command->arguments[0] ? " " : "", command->arguments,
            command->words);
    return EXIT_USAGE;
}

int command_failed(enum outcome rc, const struct err *err)
{
    command_says("%s", err->text);
    return rc == OUTCOME_RETRY ? EXIT_TEMPORARY : EXIT_FAILED;
}

bool command_has_database(const struct command_settings *set)
{
    if (set->database_url && set->database_url[0])
        return true;
    command_says("no database: set SMSQ_DATABASE_URL or database.url");
    return false;
}

bool command_open_keys(struct keys *out, const struct command_settings *set,
                       bool wants_seal)
{
    static char no_seal[] =
        "1:"
        "0000000000000000000000000000000000000000000000000000000000000000";
    const struct keys_settings wanted = { set->lookup_key,
                                          wants_seal ? set->seal_key : no_seal };
    struct err err = { 0 };

    if (!wanted.lookup || !wanted.lookup[0] || !wanted.seal || !wanted.seal[0]) {
        command_says("%s is missing: the same one that the producer has",
                     wanted.lookup && wanted.lookup[0] ? "keys.seal" : "keys.lookup");
        return false;
    }
    if (!keys_open(out, &wanted, &err))
        return true;
    command_says("%s", err.text);
    return false;
}

const struct command *command_find(int argc, char *const argv[], int *used)
{
    for (const struct command *c = commands; c->words; c++) {
        const char *blank = strchr(c->words, ' ');
        size_t first = blank ? (size_t)(blank - c->words) : strlen(c->words);

        *used = blank ? 2 : 1;
        if (argc < *used || strlen(argv[0]) != first ||
            memcmp(argv[0], c->words, first) != 0)
            continue;
        if (!blank || strcmp(argv[1], blank + 1) == 0)
            return c;
    }
    return NULL;
}

static const struct option *find_in(const struct option *options, const char *text,
                                    size_t len)
{
    for (const struct option *o = options; o && o->name; o++)
        if (strlen(o->name) == len && memcmp(o->name, text, len) == 0)
            return o;
    return NULL;
}

static const struct option *find(const struct command *command, const char *text,
                                 size_t len)
{
    const struct option *o = find_in(command->options, text, len);
    return o ? o : find_in(command_common_options, text, len);
}

static bool is_one_of(const char *words, const char *value)
{
    size_t len = strlen(value);

    for (const char *at = words;;) {
        size_t word_len = strcspn(at, "|");
        if (word_len == len && memcmp(at, value, len) == 0)
            return true;
        if (at[word_len] == '\0')
            return false;
        at += word_len + 1;
    }
}

static enum outcome store(struct call *call, const struct option *o, const char *value,
                          struct err *err)
{
    if (o->words && !is_one_of(o->words, value))
        return err_set(err, OUTCOME_REJECT, "--%s is \"%s\"; it may be %s", o->name,
                       value, o->words);
    if (!utf8_is_valid(value, strlen(value)))
        return err_set(err, OUTCOME_REJECT, "--%s must be UTF-8", o->name);
    if (!o->repeats && call_text(call, o->name))
        return err_set(err, OUTCOME_REJECT, "--%s is given twice", o->name);
    if (call->given_count == CALL_OPTIONS_MAX)
        return err_set(err, OUTCOME_REJECT, "more than %d options", CALL_OPTIONS_MAX);
    call->given[call->given_count++] = (struct given){ o, value };
    return OUTCOME_OK;
}

// Reads the option at argv[*i], and its value there or behind it.
static enum outcome read_option(struct call *call, int argc, char *const argv[], int *i,
                                struct err *err)
{
    const char *text = argv[*i] + 2, *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    const struct option *o = find(call->command, text, len);

    if (!o)
        return err_set(err, OUTCOME_REJECT, "unknown option --%.*s", (int)len, text);
    if (!o->value)
        return equals ? err_set(err, OUTCOME_REJECT, "--%s takes no value", o->name)
                      : store(call, o, "", err);
    if (equals)
        return store(call, o, equals + 1, err);
    if (*i + 1 >= argc)
        return err_set(err, OUTCOME_REJECT, "--%s wants a value: %s", o->name, o->value);
    return store(call, o, argv[++*i], err);
}

static enum outcome check_count(const struct call *call, struct err *err)
{
    const struct command *command = call->command;

    if (call->positional_count < command->positional_min)
        return err_set(err, OUTCOME_REJECT, "%s is missing", command->arguments);
    return OUTCOME_OK;
}

static enum outcome read_positional(struct call *call, const char *text, struct err *err)
{
    if (call->positional_count == call->command->positional_max)
        return err_set(err, OUTCOME_REJECT, "one argument too many: \"%s\"", text);
    if (!utf8_is_valid(text, strlen(text)))
        return err_set(err, OUTCOME_REJECT, "%s must be UTF-8", call->command->arguments);
    call->positionals[call->positional_count++] = text;
    return OUTCOME_OK;
}

enum outcome call_parse(struct call *call, int argc, char *const argv[], struct err *err)
{
    bool only_positionals = false;
    enum outcome rc = OUTCOME_OK;

    assert(call->command->positional_max <= CALL_POSITIONALS_MAX);
    for (int i = 0; i < argc && !rc; i++) {
        if (!only_positionals && strcmp(argv[i], "--") == 0)
            only_positionals = true;
        else if (!only_positionals && strcmp(argv[i], "-h") == 0)
            rc = store(call, find(call->command, "help", 4), "", err);
        else if (!only_positionals && strncmp(argv[i], "--", 2) == 0)
            rc = read_option(call, argc, argv, &i, err);
        else
            rc = read_positional(call, argv[i], err);
    }
    return rc || call_has(call, "help") ? rc : check_count(call, err);
}

size_t call_texts(const struct call *call, const char *name, const char **out, size_t max)
{
    const struct option *o = find(call->command, name, strlen(name));
    size_t count = 0;

    assert(o);
    for (size_t i = 0; i < call->given_count && count < max; i++)
        if (call->given[i].option == o)
            out[count++] = call->given[i].value;
    return count;
}

const char *call_text(const struct call *call, const char *name)
{
    const char *value = NULL;

    (void)call_texts(call, name, &value, 1);
    return value;
}

bool call_has(const struct call *call, const char *name)
{
    return call_text(call, name) != NULL;
}

enum outcome call_number(int64_t *out, const struct call *call, const char *name,
                         int64_t min, int64_t max, struct err *err)
{
    const char *text = call_text(call, name);

    if (!text)
        return OUTCOME_OK;
    size_t digits = strspn(text, "0123456789");
    int64_t value = digits > 0 && digits < 19 ? strtoll(text, NULL, 10) : -1;
    if (text[digits] || value < min || value > max)
        return err_set(err, OUTCOME_REJECT,
                       "--%s wants a whole number from %" PRId64 " to %" PRId64, name,
                       min, max);
    *out = value;
    return OUTCOME_OK;
}
