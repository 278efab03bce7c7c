// command.h: what the subcommands of smsq share: the table that feeds parsing, --help,
// man pages and completion; settings; exit codes.
#ifndef COMMAND_H
#define COMMAND_H

#include "base.h"
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
    EXIT_INTERRUPTED = 130,
};

struct command_settings {
    struct kafka_settings kafka;
    char *database_url;
    char *lookup_key;  // keys.lookup
    char *seal_key;    // keys.seal
    struct topics_settings topics;
    char *api_url;       // api.url
    char *api_token;     // api.token
    char *receiver_url;  // api.receiver_url
    const char *config;  // --config=FILE, for commands without settings; else NULL
};

// An option of a command: "--name VALUE" or "--name=VALUE"; a flag when value is NULL.
struct option {
    const char *name;   // without "--"; NULL ends a table
    const char *value;  // "TEXT": what stands for the value in help
    const char *help;   // a sentence, lower case, without a full stop
    const char *words;  // "otp|emergency": the only values, for completion; NULL = any
    bool repeats;
};

struct call;

// One row of the table. Texts are plain: a blank line divides paragraphs, lines that
// begin with two blanks are shown as they are.
struct command {
    const char *words;      // "token create"
    const char *arguments;  // "NUMBER", "" without; names are capitals
    size_t positional_min, positional_max;
    const char *summary;  // one line, lower case, without a full stop
    const char *text;     // more about it
    const char *json;     // what --json prints
    const char *example;  // one call
    const struct option *options;
    int (*run)(const struct call *call);  // returns an exit code
    const char *argument_words;           // "man|markdown": for completion, or NULL
    bool without_settings;                // runs also where none are right
};

// commands is ended by NULL words.
extern const struct command commands[];

// --json and --help, which every command has.
extern const struct option command_common_options[];

enum { CALL_POSITIONALS_MAX = 64, CALL_OPTIONS_MAX = 64 };

// What was given for one call; texts are borrowed from argv.
struct call {
    const struct command *command;
    const struct command_settings *set;
    const char *positionals[CALL_POSITIONALS_MAX];
    size_t positional_count;
    struct given {
        const struct option *option;
        const char *value;  // "" of a flag
    } given[CALL_OPTIONS_MAX];
    size_t given_count;
};

// command_find returns the command whose words argv begins with, or NULL; *used tells how
// many words that are.
const struct command *command_find(int argc, char *const argv[], int *used);

// call_parse reads the arguments behind the command's words, command and set are filled.
//   OUTCOME_REJECT  an unknown option, a missing or unknown value, too few or too many.
MUST_CHECK enum outcome call_parse(struct call *call, int argc, char *const argv[],
                                   struct err *err);

// call_text returns the last value given for an option of the command, or NULL.
const char *call_text(const struct call *call, const char *name);
bool call_has(const struct call *call, const char *name);

// call_texts copies all values given for it, up to max, in order; returns how many.
size_t call_texts(const struct call *call, const char *name, const char **out,
                  size_t max);

// call_number reads a whole number from min to max; *out stays without the option.
//   OUTCOME_REJECT  it is none; the text names the option and the range.
MUST_CHECK enum outcome call_number(int64_t *out, const struct call *call,
                                    const char *name, int64_t min, int64_t max,
                                    struct err *err);

// command_usage prints what is wrong and how the command is called; returns EXIT_USAGE.
int command_usage(const struct call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);

// command_failed prints the error and returns the exit code for the outcome.
// command_says prints one line of talk, escaped, on standard error.
int command_failed(enum outcome rc, const struct err *err);
void command_says(const char *fmt, ...) PRINTF_LIKE(1, 2);

// command_has_database tells, and prints what is missing. command_open_keys likewise:
// without wants_seal keys.lookup is enough.
bool command_has_database(const struct command_settings *set);
bool command_open_keys(struct keys *out, const struct command_settings *set,
                       bool wants_seal);

int command_send(const struct call *call);
int command_status(const struct call *call);
int command_cancel(const struct call *call);
int command_reschedule(const struct call *call);
int command_overview(const struct call *call);
int command_explain(const struct call *call);
int command_topics_create(const struct call *call);
int command_topics_list(const struct call *call);
int command_topics_check(const struct call *call);
int command_token_create(const struct call *call);
int command_token_list(const struct call *call);
int command_token_revoke(const struct call *call);
int command_rates_load(const struct call *call);
int command_codes_list(const struct call *call);
int command_codes_show(const struct call *call);
int command_codes_set(const struct call *call);
int command_dlq_list(const struct call *call);
int command_dlq_show(const struct call *call);
int command_dlq_replay(const struct call *call);
int command_dlq_purge(const struct call *call);
int command_switch_list(const struct call *call);
int command_switch_account(const struct call *call);
int command_switch_emergency_only(const struct call *call);
int command_switch_sender(const struct call *call);
int command_doubt_list(const struct call *call);
int command_doubt_resend(const struct call *call);
int command_doubt_close(const struct call *call);
int command_ping(const struct call *call);
int command_check_config(const struct call *call);
int command_completion(const struct call *call);
int command_manual(const struct call *call);

#endif
