// One value of settings: from text to field, with range and units.
#include "settings_parts.h"

#include "buf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_VALUE_MAX = 40, COMPLAINT_MAX = 400 };

static const struct {
    const char *name;
    int64_t us;
} units[] = {
    { "us", 1 },       { "ms", 1000 },      { "s", 1000000 },
    { "m", 60000000 }, { "h", 3600000000 }, { "d", 86400000000 },
};

static bool parse_integer(int64_t *out, const char *text, char **end)
{
    if (*text != '-' && (*text < '0' || *text > '9'))
        return false;
    errno = 0;
    long long value = strtoll(text, end, 10);
    if (errno || *end == text)
        return false;
    *out = value;
    return true;
}

bool settings_parse_us(const char *text, int64_t *out)
{
    char *unit;
    int64_t value;

    if (!parse_integer(&value, text, &unit) || value < 0)
        return false;
    if (*unit == '\0' && value == 0) {
        *out = 0;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (value > INT64_MAX / units[i].us)
            return false;
        *out = value * units[i].us;
        return true;
    }
    return false;
}

static void add_duration(struct buf *out, int64_t us)
{
    size_t best = 0;

    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (us % units[i].us == 0 && us != 0)
            best = i;
    if (us == 0)
        buf_add_text(out, "0s");
    else
        buf_addf(out, "%" PRId64 "%s", us / units[best].us, units[best].name);
}

void settings_add_field(struct buf *out, const struct setting *row, const void *set)
{
    const char *field = (const char *)set + row->offset;
    const char *text;
    int64_t number;
    bool yes;

    if (setting_is_text(row)) {
        memcpy(&text, field, sizeof(text));
        if (!text)
            buf_add_text(out, "(not set)");
        else
            buf_add_text(out, setting_is_secret(row) ? "***" : text);
    } else if (setting_kind(row) == SETTING_BOOL) {
        memcpy(&yes, field, sizeof(yes));
        buf_add_text(out, yes ? "true" : "false");
    } else {
        memcpy(&number, field, sizeof(number));
        if (setting_kind(row) == SETTING_US)
            add_duration(out, number);
        else
            buf_add_int(out, number);
    }
}

// The limits of a port may be left out of its row.
static int64_t max_of(const struct setting *row)
{
    return setting_kind(row) == SETTING_PORT && row->max == 0 ? 65535 : row->max;
}

void settings_add_range(struct buf *out, const struct setting *row)
{
    switch (setting_kind(row)) {
    case SETTING_TEXT:
    case SETTING_SECRET:
    case SETTING_PROPERTIES:
        if (row->min == row->max)
            buf_addf(out, "%" PRId64 " bytes long", row->min);
        else
            buf_addf(out, "%" PRId64 " to %" PRId64 " bytes long", row->min, row->max);
        break;
    case SETTING_COUNT:
        buf_addf(out, "a whole number from %" PRId64 " to %" PRId64, row->min, row->max);
        break;
    case SETTING_PORT:
        buf_addf(out, "a port from %" PRId64 " to %" PRId64, row->min, max_of(row));
        break;
    case SETTING_US:
        buf_add_text(out, "a duration from ");
        add_duration(out, row->min);
        buf_add_text(out, " to ");
        add_duration(out, row->max);
        break;
    case SETTING_BOOL:
        buf_add_text(out, "true or false (or yes, no, on, off, 1, 0)");
        break;
    }
}

static enum outcome refuse(const struct setting *row, const char *text, const char *place,
                           struct err *err)
{
    struct buf why = BUF_INIT(COMPLAINT_MAX);
    int64_t number;
    char *end;

    settings_add_range(&why, row);
    if (setting_is_text(row))
        buf_addf(&why, ", not %zu", strlen(text));
    else if (utf8_is_valid(text, strlen(text)))
        buf_addf(&why, ", not \"%.*s\"", SHOWN_VALUE_MAX, text);
    if (setting_kind(row) == SETTING_US && parse_integer(&number, text, &end) && !*end)
        buf_add_text(&why, ": the unit is missing (us, ms, s, m, h, d)");
    if (setting_kind(row) == SETTING_PORT && strncmp(text, "tcp://", 6) == 0)
        buf_add_text(&why, ": Kubernetes sets this variable for a Service of that name, "
                           "unless the pod says enableServiceLinks: false");
    err_set(err, OUTCOME_REJECT, "%s (%s) must be %s", row->name, place, buf_text(&why));
    buf_free(&why);
    return OUTCOME_REJECT;
}

static enum outcome store_text(void *field, const struct setting *row, const char *text,
                               const char *place, struct err *err)
{
    const size_t len = strlen(text);
    char *copy = NULL;

    if (len < (size_t)row->min || len > (size_t)row->max)
        return refuse(row, text, place, err);
    if (!utf8_is_valid(text, len))
        return err_set(err, OUTCOME_REJECT, "%s (%s) must be valid UTF-8", row->name,
                       place);
    if (len > 0 || row->fallback)  // else it is the same as not given
        copy = xstrdup(text);
    memcpy(field, &copy, sizeof(copy));
    return OUTCOME_OK;
}

static bool parse_bool(bool *out, const char *text)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        { "true", true },   { "yes", true }, { "on", true },   { "1", true },
        { "false", false }, { "no", false }, { "off", false }, { "0", false },
    };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcasecmp(text, words[i].word) != 0)
            continue;
        *out = words[i].value;
        return true;
    }
    return false;
}

static bool parse_number(int64_t *out, const struct setting *row, const char *text)
{
    char *end;

    if (setting_kind(row) == SETTING_US)
        return settings_parse_us(text, out);
    return parse_integer(out, text, &end) && *end == '\0';
}

enum outcome settings_store(void *set, const struct setting *row, const char *text,
                            const char *place, struct err *err)
{
    char *field = (char *)set + row->offset;
    int64_t number;
    bool yes;

    if (setting_is_text(row))
        return store_text(field, row, text, place, err);
    if (setting_kind(row) == SETTING_BOOL) {
        if (!parse_bool(&yes, text))
            return refuse(row, text, place, err);
        memcpy(field, &yes, sizeof(yes));
        return OUTCOME_OK;
    }
    if (!parse_number(&number, row, text) || number < row->min || number > max_of(row))
        return refuse(row, text, place, err);
    memcpy(field, &number, sizeof(number));
    return OUTCOME_OK;
}
