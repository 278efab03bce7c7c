#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int command_usage(const struct command *self, const char *fmt, ...)
{
    va_list args;

    fputs("smsq: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nusage: smsq %s %s\n", self->words, self->usage);
    return EXIT_USAGE;
}

int command_failed(enum outcome rc, const struct err *err)
{
    fprintf(stderr, "smsq: %s\n", err->text);
    return rc == OUTCOME_RETRY ? EXIT_TEMPORARY : EXIT_FAILED;
}

static const struct command_option *find(const struct command_option *options,
                                         const char *text, size_t len)
{
    for (const struct command_option *o = options; o->name; o++)
        if (strlen(o->name) == len && memcmp(o->name, text, len) == 0)
            return o;
    return NULL;
}

static enum outcome store(const struct command_option *o, const char *value,
                          struct err *err)
{
    if (o->value) {
        *o->value = value;
        return OUTCOME_OK;
    }
    if (*o->value_count == o->values_max)
        return err_set(err, OUTCOME_REJECT, "--%s is given more than %zu times", o->name,
                       o->values_max);
    o->values[(*o->value_count)++] = value;
    return OUTCOME_OK;
}

// Reads the option at argv[*i], and its value there or behind it.
static enum outcome read_option(int argc, char *argv[], int *i,
                                const struct command_option *options, struct err *err)
{
    const char *text = argv[*i] + 2, *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    const struct command_option *o = find(options, text, len);

    if (!o)
        return err_set(err, OUTCOME_REJECT, "unknown option --%.*s", (int)len, text);
    if (o->is_flag)
        return equals ? err_set(err, OUTCOME_REJECT, "--%s takes no value", o->name)
                      : store(o, "", err);
    if (equals)
        return store(o, equals + 1, err);
    if (*i + 1 >= argc)
        return err_set(err, OUTCOME_REJECT, "--%s wants a value", o->name);
    return store(o, argv[++*i], err);
}

enum outcome command_options(int argc, char *argv[], const struct command_option *options,
                             const char **positionals, size_t positional_max,
                             struct err *err)
{
    size_t count = 0;
    bool only_positionals = false;

    for (int i = 0; i < argc; i++) {
        if (!only_positionals && strcmp(argv[i], "--") == 0) {
            only_positionals = true;
        } else if (!only_positionals && strncmp(argv[i], "--", 2) == 0) {
            if (read_option(argc, argv, &i, options, err))
                return OUTCOME_REJECT;
        } else if (count == positional_max) {
            return err_set(err, OUTCOME_REJECT, "one argument too many: \"%s\"", argv[i]);
        } else {
            positionals[count++] = argv[i];
        }
    }
    return OUTCOME_OK;
}
