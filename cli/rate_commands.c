// smsq rates load.
#include "command.h"
#include "rates.h"

#include <stdio.h>

int command_rates_load(const struct call *call)
{
    struct err err = { 0 };
    size_t count;

    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    enum outcome rc =
        rates_load(&count, call->positionals[0], call->set->database_url, &err);
    if (rc)
        return command_failed(rc, &err);
    printf(call_has(call, "json") ? "{\"rates\":%zu}\n" : "%zu rates loaded\n", count);
    return EXIT_OK;
}
