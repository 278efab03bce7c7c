// smsq topics, smsq rates: what operators do with Kafka and PostgreSQL.
#include "command.h"
#include "rates.h"

#include <stdio.h>

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

bool command_has_database(const struct command_settings *set)
{
    if (set->database_url && set->database_url[0])
        return true;
    fputs("smsq: no database: set SMSQ_DATABASE_URL or database.url\n", stderr);
    return false;
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
    if (!command_has_database(set))
        return EXIT_SETTINGS;
    enum outcome rc = rates_load(&count, path, set->database_url, &err);
    if (rc)
        return command_failed(rc, &err);
    printf("%zu rates loaded\n", count);
    return EXIT_OK;
}
