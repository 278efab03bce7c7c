#include "command.h"
#include "log.h"
#include "manual.h"
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct command_settings, field)

static const struct setting cli_table[] = {
    KAFKA_SETTINGS(AT(kafka)),
    { "database.url", SETTING_SECRET, AT(database_url), NULL, 0, 4096, NULL,
      "PostgreSQL connection string (postgresql://user@host/name)" },
    { "keys.lookup", SETTING_SECRET, AT(lookup_key), NULL, 0, 64, NULL,
      "64 hex digits, the same as the producer's" },
    { "keys.seal", SETTING_SECRET, AT(seal_key), NULL, 0, 4096, NULL,
      "sealing keys, the same as the producer's" },
    TOPICS_SETTINGS(AT(topics)),
    { "api.url", SETTING_TEXT, AT(api_url), "http://127.0.0.1:8000", 8, 512, NULL,
      "address of smsq-producer" },
    { "api.token", SETTING_SECRET, AT(api_token), NULL, 0, 512, "SMSQ_TOKEN",
      "API token to send and ask with" },
    { "api.receiver_url", SETTING_TEXT, AT(receiver_url), "http://127.0.0.1:8001", 8, 512,
      "SMSQ_RECEIVER_URL", "address of smsq-webhook-receiver, for smsq ping" },
    { 0 },
};

static const struct settings_source cli_settings_source = {
    .program = "smsq",
    .what = "Sends SMS, shows what became of them, sets up topics, tokens and rates.",
    .tables = (const struct setting *const[]){ cli_table, NULL },
};

// Flags with a '.' in their name, and those that every program has, are for the settings;
// the rest is the command's.
static bool is_setting(const char *arg)
{
    static const char *const own[] = { "--config", "--env-file", "--check-config",
                                       "--print-config", "--version" };
    size_t len = strcspn(arg, "=");

    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (strlen(own[i]) == len && memcmp(own[i], arg, len) == 0)
            return true;
    return strncmp(arg, "--", 2) == 0 && memchr(arg, '.', len);
}

static bool wants_help(int argc, char *const argv[])
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return argc > 0 && strcmp(argv[0], "help") == 0;
}

static int run_command(struct call *call, int argc, char *const argv[])
{
    struct err err = { 0 };

    if (call_parse(call, argc, argv, &err))
        return command_usage(call, "%s", err.text);
    if (!call_has(call, "help"))
        return call->command->run(call);
    manual_command_help(stdout, call->command);
    return EXIT_OK;
}

static int run(const struct command_settings *set, int argc, char *const argv[])
{
    int used;
    struct call call = { .command = command_find(argc, argv, &used), .set = set };

    if (call.command)
        return run_command(&call, argc - used, argv + used);
    if (wants_help(argc, argv)) {
        manual_help(stdout);
        return EXIT_OK;
    }
    if (argc > 0)
        command_says("\"%s\" is no command; smsq --help lists them", argv[0]);
    else
        manual_help(stderr);
    return EXIT_USAGE;
}

// The command line in two: flags for the settings, and the command with its own.
struct line {
    char **settings, **rest;
    int setting_count, rest_count;
    const char *config;
};

static void split(struct line *out, int argc, char *argv[])
{
    *out = (struct line){ .settings = xcalloc((size_t)argc + 2, sizeof(char *)),
                          .rest = xcalloc((size_t)argc + 1, sizeof(char *)) };
    out->settings[out->setting_count++] = argv[0];
    for (int i = 1; i < argc; i++) {
        if (is_setting(argv[i]))
            out->settings[out->setting_count++] = argv[i];
        else
            out->rest[out->rest_count++] = argv[i];
        if (strncmp(argv[i], "--config=", strlen("--config=")) == 0)
            out->config = argv[i] + strlen("--config=");
    }
    if (out->rest_count > 0 && strcmp(out->rest[0], "settings") == 0)
        out->settings[out->setting_count++] = (char *)(uintptr_t) "--help";
}

// Help must come also where nothing is set up yet.
static bool needs_settings(const struct line *line)
{
    int used;
    const struct command *command = command_find(line->rest_count, line->rest, &used);

    if (line->setting_count > 1 && !line->config)
        return true;
    return command ? !command->without_settings &&
                         !wants_help(line->rest_count - used, line->rest + used)
                   : line->setting_count > 1;
}

static int load_and_run(const struct line *line)
{
    struct command_settings set = { 0 };
    struct err err = { 0 };
    int code = EXIT_SETTINGS;

    if (settings_load(&set, &cli_settings_source, line->setting_count, line->settings,
                      &err))
        command_says("%s", err.text);
    else
        code = run(&set, line->rest_count, line->rest);
    settings_free(&set, &cli_settings_source);
    return code;
}

// What was printed has to arrive: a full disk is an error, also at the last byte.
static int close_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    command_says("could not write to standard output: %s", strerror(errno));
    return code == EXIT_OK ? EXIT_FAILED : code;
}

int main(int argc, char *argv[])
{
    struct line line;

    log_init("smsq");
    split(&line, argc, argv);
    const struct command_settings none = { .config = line.config };
    int code = needs_settings(&line) ? load_and_run(&line)
                                     : run(&none, line.rest_count, line.rest);
    code = close_output(code);
    free(line.settings);
    free(line.rest);
    return code;
}
