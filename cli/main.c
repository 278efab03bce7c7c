#include "command.h"
#include "log.h"

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
    { 0 },
};

static const struct settings_source cli_settings_source = {
    .program = "smsq",
    .what = "Sends SMS, shows what became of them, sets up topics, tokens and rates.",
    .tables = (const struct setting *const[]){ cli_table, NULL },
};

static const struct command commands[] = {
    { "send", "NUMBER --message TEXT [OPTION…]",
      "send one SMS through the API; prints its id\n"
      "  --message TEXT      the text\n"
      "  --from SENDER       instead of the default sender\n"
      "  --class CLASS       otp, emergency, transactional (default) or marketing\n"
      "  --reference WORD    your own word for it\n"
      "  --expires-in N      seconds for which it is worth sending\n"
      "  --region CC         country of a number without a country code\n"
      "  --idempotency-key K makes repeats of the command one message\n"
      "  --wait N            up to N seconds (30 at most) for Twilio's SID\n"
      "  --json              print the API's answer as it is",
      command_send },
    { "status", "ID|SID [--json]", "what became of a message", command_status },
    { "topics create", "", "make the Kafka topics that are missing",
      command_topics_create },
    { "topics list", "", "show the Kafka topics", command_topics_list },
    { "token create", "--client NAME --scope SCOPE [--scope SCOPE…] [OPTION…]",
      "make an API token; it is printed once\n"
      "  --client NAME       who uses it; made when it is new\n"
      "  --scope SCOPE       send_sms, view_sms_history, view_dashboard or admin\n"
      "  --mode MODE         the most its messages may do: simulate, listed (sent to\n"
      "                      the listed numbers only) or live (default)\n"
      "  --rate N            requests per minute; 0 = no limit; without it the "
      "producer's\n"
      "                      setting counts (RATE_LIMIT_PER_MINUTE)\n"
      "  --expires-days N    it stops working after so many days\n"
      "  --json              print it and all of this as JSON",
      command_token_create },
    { "token list", "[--client NAME] [--all] [--json]",
      "show the API tokens that work, without what is secret in them\n"
      "  --client NAME       those of one client\n"
      "  --all               revoked and expired ones too\n"
      "  --json              as JSON, one object a line",
      command_token_list },
    { "token revoke", "ID [--json]",
      "end an API token; within 5 seconds no producer takes it any more\n"
      "  ID                  the 12 characters in its middle, as the list shows them, "
      "or\n"
      "                      the whole token\n"
      "  --json              print what was revoked as JSON",
      command_token_revoke },
    { "rates load", "FILE", "put a CSV rate card into PostgreSQL", command_rates_load },
};

static int print_help(FILE *to)
{
    fprintf(to, "smsq %s: %s\n\n", SMSQ_VERSION, cli_settings_source.what);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        fprintf(to, "smsq %s %s\n  %s\n\n", commands[i].words, commands[i].usage,
                commands[i].help);
    fputs(
        "Settings come from flags (--api.url=…), the environment (SMSQ_API_URL,\n"
        "SMSQ_TOKEN, SMSQ_DATABASE_URL, SMSQ_BROKERS) and --config=FILE or SMSQ_CONFIG;\n"
        "smsq settings lists them. --check-config and --print-config read and show\n"
        "them, --version prints the version.\n\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused,\n"
        "5 try again later, 78 a setting is missing or wrong.\n",
        to);
    return to == stdout ? EXIT_OK : EXIT_USAGE;
}

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

// Returns the command whose words argv begins with; *used tells how many they are.
static const struct command *find_command(int argc, char *argv[], int *used)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        const char *words = commands[i].words, *blank = strchr(words, ' ');
        size_t first = blank ? (size_t)(blank - words) : strlen(words);

        *used = blank ? 2 : 1;
        if (argc < *used || strlen(argv[0]) != first ||
            memcmp(argv[0], words, first) != 0)
            continue;
        if (!blank || strcmp(argv[1], blank + 1) == 0)
            return &commands[i];
    }
    return NULL;
}

static bool wants_help(int argc, char *argv[])
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return argc > 0 && strcmp(argv[0], "help") == 0;
}

static int run(const struct command_settings *set, int argc, char *argv[])
{
    int used;
    const struct command *command = find_command(argc, argv, &used);

    if (command && wants_help(argc - used, argv + used)) {
        printf("smsq %s %s\n  %s\n", command->words, command->usage, command->help);
        return EXIT_OK;
    }
    if (command)
        return command->run(command, set, argc - used, argv + used);
    if (wants_help(argc, argv))
        return print_help(stdout);
    if (argc > 0)
        fprintf(stderr, "smsq: \"%s\" is no command\n\n", argv[0]);
    return print_help(stderr);
}

int main(int argc, char *argv[])
{
    char **settings = xcalloc((size_t)argc + 2, sizeof(*settings));
    char **rest = xcalloc((size_t)argc + 1, sizeof(*rest));
    int setting_count = 0, rest_count = 0;
    struct command_settings set = { 0 };
    struct err err = { 0 };

    log_init("smsq");
    settings[setting_count++] = argv[0];
    for (int i = 1; i < argc; i++) {
        if (is_setting(argv[i]))
            settings[setting_count++] = argv[i];
        else
            rest[rest_count++] = argv[i];
    }
    if (rest_count > 0 && strcmp(rest[0], "settings") == 0)
        settings[setting_count++] = (char *)(uintptr_t) "--help";
    int code = EXIT_SETTINGS;
    if (settings_load(&set, &cli_settings_source, setting_count, settings, &err))
        fprintf(stderr, "smsq: %s\n", err.text);
    else
        code = run(&set, rest_count, rest);
    settings_free(&set, &cli_settings_source);
    free(settings);
    free(rest);
    return code;
}
