// command.h: what the subcommands of smsq share: settings, exit codes, options.
#ifndef COMMAND_H
#define COMMAND_H

#include "base.h"
#include "db.h"
#include "kafka.h"
#include "keys.h"
#include "settings.h"
#include "topics.h"

// The exit codes are a contract with scripts: docs/cli.md.
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_REFUSED = 4,    // the same request never works
    EXIT_TEMPORARY = 5,  // try again later
    EXIT_SETTINGS = 78,  // EX_CONFIG of sysexits(3)
};

struct command_settings {
    struct kafka_settings kafka;
    char *database_url;
    char *lookup_key;  // keys.lookup
    char *seal_key;    // keys.seal: in the shared file, not needed here
    struct topics_settings topics;
    char *api_url;    // api.url
    char *api_token;  // api.token
};

// One subcommand. Its arguments begin behind its words; run returns an exit code.
struct command {
    const char *words;  // "token create"
    const char *usage;  // "--client NAME --scope SCOPE…"
    const char *help;   // a sentence, and the options, one per line
    int (*run)(const struct command *self, const struct command_settings *set, int argc,
               char *argv[]);
};

int command_send(const struct command *self, const struct command_settings *set, int argc,
                 char *argv[]);
int command_status(const struct command *self, const struct command_settings *set,
                   int argc, char *argv[]);
int command_topics_create(const struct command *self, const struct command_settings *set,
                          int argc, char *argv[]);
int command_topics_list(const struct command *self, const struct command_settings *set,
                        int argc, char *argv[]);
int command_token_create(const struct command *self, const struct command_settings *set,
                         int argc, char *argv[]);
int command_token_list(const struct command *self, const struct command_settings *set,
                       int argc, char *argv[]);
int command_token_revoke(const struct command *self, const struct command_settings *set,
                         int argc, char *argv[]);
int command_rates_load(const struct command *self, const struct command_settings *set,
                       int argc, char *argv[]);

// command_has_database complains when no database is configured.
bool command_has_database(const struct command_settings *set);

// command_usage prints what is wrong and how the command is called; returns EXIT_USAGE.
int command_usage(const struct command *self, const char *fmt, ...) PRINTF_LIKE(2, 3);

// command_failed prints the error and returns the exit code for the outcome.
int command_failed(enum outcome rc, const struct err *err);

// Options of the form "--name VALUE" or "--name=VALUE" and flags "--name"; what is
// neither is a positional argument. Strings are borrowed from argv.
struct command_option {
    const char *name;  // without "--"
    bool is_flag;
    const char **value;   // set to the value, or to "" for a flag
    const char **values;  // instead: up to values_max values, in order
    size_t values_max;
    size_t *value_count;
};

// command_options reads argv; positionals gets up to positional_max others.
//   OUTCOME_REJECT  an unknown option, a missing value, or too many arguments.
MUST_CHECK enum outcome command_options(int argc, char *argv[],
                                        const struct command_option *options,
                                        const char **positionals, size_t positional_max,
                                        struct err *err);

#endif
