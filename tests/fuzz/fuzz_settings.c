// Settings: the first byte chooses a kind for the value in the first line; the rest is
// read as an environment file and as properties.
#include "fuzz.h"

#include "properties.h"
#include "settings_parts.h"

#include <string.h>

struct fuzz_settings {
    char *text;
    int64_t number;
    bool yes;
};

static void store(uint8_t choice, const char *value)
{
    static const struct setting rows[] = {
        { "fuzz.text", SETTING_TEXT, offsetof(struct fuzz_settings, text), NULL, 0, 64,
          NULL, "a text" },
        { "fuzz.secret", SETTING_SECRET, offsetof(struct fuzz_settings, text), NULL, 1,
          64, NULL, "a secret" },
        { "fuzz.count", SETTING_COUNT, offsetof(struct fuzz_settings, number), NULL, -5,
          20, NULL, "a number" },
        { "fuzz.time", SETTING_US, offsetof(struct fuzz_settings, number), NULL, 1000,
          86400000000, NULL, "a duration" },
        { "fuzz.yes", SETTING_BOOL, offsetof(struct fuzz_settings, yes), NULL, 0, 1, NULL,
          "yes or no" },
        { "fuzz.port", SETTING_PORT, offsetof(struct fuzz_settings, number), NULL, 0,
          65535, NULL, "a port" },
    };
    const struct setting *row = &rows[choice % COUNT_OF(rows)];
    struct fuzz_settings set = { 0 };
    struct err err;

    if (settings_store(&set, row, value, "fuzz", &err)) {
        CHECK(strstr(err.text, row->name));
    } else if (row->kind != SETTING_TEXT && row->kind != SETTING_SECRET &&
               row->kind != SETTING_BOOL) {
        CHECK(set.number >= row->min && set.number <= row->max);
    }
    free(set.text);
}

static void read_variables(const char *text)
{
    struct settings_variables all = { 0 };
    struct err err;

    if (settings_parse_variables(&all, text, "fuzz", &err))
        CHECK(err.text[0]);
    settings_variables_free(&all);
}

static void read_properties(const char *text)
{
    struct property property = PROPERTY_INIT;
    struct err err;

    while (!properties_next(&text, &property, &err))
        CHECK(property.key.len > 0);
    property_free(&property);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t choice = *data++;
    size--;
    const uint8_t *start = data;
    char *value = fuzz_text(start, fuzz_cut(&data, &size));
    char *rest = fuzz_text(data, size);
    store(choice, value);
    read_variables(rest);
    read_properties(rest);
    free(value);
    free(rest);
    return 0;
}
