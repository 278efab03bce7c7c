// Names that the guides print and that no program takes as they stand, and names that
// tools of ours use. They stop nothing, and are never passed over in silence.
#include "settings_parts.h"

#include "buf.h"

#include <string.h>
#include <unistd.h>

// A name leaves this table when a row of a program has it as its alias.
static const struct settings_known known[] = {
    { "TWILIO_WEBHOOK_IPS", "every callback's signature is checked; a list of source "
                            "networks is not there yet" },
    { "TWILIO_WHATSAPP_NUMBER", "only SMS is sent" },
    { "ALPHANUMERIC_SENDER_ID", "senders by country are not there yet; "
                                "TWILIO_PHONE_NUMBER takes an alphanumeric ID for all" },
    { "RATE_LIMIT", "write RATE_LIMIT_PER_MINUTE" },
    { "RATE_LIMITS", "limits per recipient are not there yet" },
    { "SMS_TEMPLATES", "templates are not there yet" },
    { "SMS_PROVIDERS", "Twilio is the only provider" },
    { "OPENAI_API_KEY", "automatic replies are not there yet" },
    { "SUPABASE_URL", "PostgreSQL is reached by database.url" },
    { "SUPABASE_ANON_KEY", "PostgreSQL is reached by database.url" },
    { "TWILIO_CONFIG", "write each of its entries as a variable of its own" },
};

// Read by programs of ours, perhaps not by this one.
static const char *const ours[] = {
    "TWILIO_ACCOUNT_SID",    "TWILIO_AUTH_TOKEN",   "TWILIO_PHONE_NUMBER",
    "TWILIO_TEST_MODE",      "TWILIO_API_KEY_SID",  "TWILIO_MESSAGING_SERVICE_SID",
    "TWILIO_API_KEY_SECRET", "TWILIO_TEST_NUMBERS",
};

// Of ./dev, its "env", and the tests; SMSQ_DEV_…, SMSQ_TEST_… and SMSQ_BENCH_… too.
static const char *const tools[] = {
    "SMSQ_CONFIG",        "SMSQ_ENV_FILE",     "SMSQ_RUN",        "SMSQ_BIN",
    "SMSQ_TOKEN",         "SMSQ_RECEIVER_URL", "SMSQ_SIM_URL",    "SMSQ_BROKERS",
    "SMSQ_WRITE_SCHEMAS", "SMSQ_ACCOUNT_SID",  "SMSQ_AUTH_TOKEN",
};

const struct settings_known *settings_known_at(size_t i)
{
    return i < COUNT_OF(known) ? &known[i] : NULL;
}

static bool is_one_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool settings_is_of_tools(const char *name)
{
    static const char *const prefixes[] = { "SMSQ_DEV_", "SMSQ_TEST_", "SMSQ_BENCH_" };

    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return is_one_of(tools, COUNT_OF(tools), name);
}

static bool is_alias(const struct settings_source *source, const char *name)
{
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            if (row->alias && strcmp(row->alias, name) == 0)
                return true;
    return false;
}

static void check_twilio_name(struct settings_loading *l, const char *name,
                              const char *place)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;

    if (is_alias(l->source, name) || is_one_of(ours, COUNT_OF(ours), name))
        return;
    for (size_t i = 0; i < COUNT_OF(ours); i++) {
        size_t distance = settings_distance(name, strlen(name), ours[i], strlen(ours[i]));
        if (distance < best_distance) {
            best = ours[i];
            best_distance = distance;
        }
    }
    if (best_distance <= 1 + strlen(name) / 4)
        settings_warn(&l->notes, "%s (%s) is not a setting; the nearest is %s", name,
                      place, best);
    else
        settings_warn(&l->notes, "%s (%s) is not a setting", name, place);
}

void settings_review_name(struct settings_loading *l, const char *name, const char *place)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(known[i].name, name) == 0 && !is_alias(l->source, name)) {
            settings_warn(&l->notes, "%s (%s) is known and has no effect: %s", name,
                          place, known[i].what);
            return;
        }
    if (strncmp(name, "TWILIO_", strlen("TWILIO_")) == 0)
        check_twilio_name(l, name, place);
}
