// smsq topics, smsq token, smsq rates: what operators do with Kafka and PostgreSQL.
#include "command.h"
#include "rates.h"
#include "scope.h"
#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCOPES_MAX = 8, CLIENT_NAME_MAX_BYTES = 64, EXPIRES_DAYS_MAX = 36500 };

static const struct command_option no_options[] = { { 0 } };

static void print_topic(void *arg, const struct topics_row *row)
{
    static const char *const states[] = { "created", "exists", "missing" };

    (void)arg;
    printf("%-16s %-8s partitions=%d replication=%d\n", row->name, states[row->state],
           row->partitions, row->replication);
}

int command_topics_create(const struct command *self, const struct command_settings *set,
                          int argc, char *argv[])
{
    struct err err = { 0 };

    if (command_options(argc, argv, no_options, NULL, 0, &err))
        return command_usage(self, "%s", err.text);
    enum outcome rc = topics_create(&set->kafka, &set->topics, print_topic, NULL, &err);
    return rc ? command_failed(rc, &err) : EXIT_OK;
}

int command_topics_list(const struct command *self, const struct command_settings *set,
                        int argc, char *argv[])
{
    struct err err = { 0 };

    if (command_options(argc, argv, no_options, NULL, 0, &err))
        return command_usage(self, "%s", err.text);
    enum outcome rc =
        topics_list(&set->kafka, set->topics.deadline_us, print_topic, NULL, &err);
    return rc ? command_failed(rc, &err) : EXIT_OK;
}

static bool has_database(const struct command_settings *set)
{
    if (set->database_url && set->database_url[0])
        return true;
    fputs("smsq: no database: set SMSQ_DATABASE_URL or database.url\n", stderr);
    return false;
}

// Needs keys.lookup only: the hash of a token hangs on it.
static bool open_keys(struct keys *keys, const struct command_settings *set)
{
    static char no_seal[] =
        "1:"
        "0000000000000000000000000000000000000000000000000000000000000000";
    const struct keys_settings wanted = { set->lookup_key, no_seal };
    struct err err = { 0 };

    if (!set->lookup_key || !set->lookup_key[0]) {
        fputs("smsq: keys.lookup is missing: the same one that the producer has\n",
              stderr);
        return false;
    }
    if (!keys_open(keys, &wanted, &err))
        return true;
    fprintf(stderr, "smsq: %s\n", err.text);
    return false;
}

static int create_token(const struct command_settings *set,
                        const struct token_order *order, bool as_json)
{
    char token[TOKEN_TEXT_BYTES];
    struct keys keys;
    struct err err = { 0 };

    if (!has_database(set) || !open_keys(&keys, set))
        return EXIT_SETTINGS;
    enum outcome rc = tokens_create(token, order, &keys, set->database_url, &err);
    keys_close(&keys);
    if (rc)
        return command_failed(rc, &err);
    printf(as_json ? "{\"token\":\"%s\"}\n" : "%s\n", token);
    fputs("this token is shown once; it is stored as a hash only\n", stderr);
    return EXIT_OK;
}

int command_token_create(const struct command *self, const struct command_settings *set,
                         int argc, char *argv[])
{
    const char *client = NULL, *days = NULL, *json = NULL, *scopes[SCOPES_MAX];
    size_t scope_count = 0;
    const struct command_option options[] = {
        { .name = "client", .value = &client },
        { .name = "scope",
          .values = scopes,
          .values_max = SCOPES_MAX,
          .value_count = &scope_count },
        { .name = "expires-days", .value = &days },
        { .name = "json", .is_flag = true, .value = &json },
        { 0 },
    };
    struct err err = { 0 };

    if (command_options(argc, argv, options, NULL, 0, &err))
        return command_usage(self, "%s", err.text);
    if (!client || !client[0] || strlen(client) > CLIENT_NAME_MAX_BYTES)
        return command_usage(self, "--client NAME is wanted, 1 to 64 bytes");
    if (scope_count == 0)
        return command_usage(self, "at least one --scope is wanted");
    for (size_t i = 0; i < scope_count; i++)
        if (!scope_find(scopes[i], strlen(scopes[i])))
            return command_usage(self,
                                 "\"%s\" is no scope: send_sms, view_sms_history, "
                                 "view_dashboard or admin",
                                 scopes[i]);
    long expires = days ? strtol(days, NULL, 10) : 0;
    if (days && (strspn(days, "0123456789") != strlen(days) || expires < 1 ||
                 expires > EXPIRES_DAYS_MAX))
        return command_usage(self, "--expires-days wants 1 to %d", EXPIRES_DAYS_MAX);
    const struct token_order order = { client, scopes, scope_count, expires };
    return create_token(set, &order, json != NULL);
}

int command_rates_load(const struct command *self, const struct command_settings *set,
                       int argc, char *argv[])
{
    const char *path = NULL;
    struct err err = { 0 };
    size_t count;

    if (command_options(argc, argv, no_options, &path, 1, &err))
        return command_usage(self, "%s", err.text);
    if (!path)
        return command_usage(self, "a CSV file is wanted");
    if (!has_database(set))
        return EXIT_SETTINGS;
    enum outcome rc = rates_load(&count, path, set->database_url, &err);
    if (rc)
        return command_failed(rc, &err);
    printf("%zu rates loaded\n", count);
    return EXIT_OK;
}
