// The names of settings: whose they are, and which one was meant.
#include "settings_parts.h"

#include "buf.h"

#include <ctype.h>
#include <string.h>

// Groups of the one settings file, and the word in the name of the program that reads
// them; NULL: any program may. A new group of a program is added here.
static const struct {
    const char *group, *owner;
} groups[] = {
    { "producer", "producer" },
    { "api", "producer" },
    { "console", "producer" },
    { "worker", "worker" },
    { "receiver", "receiver" },
    { "status", "status" },
    { "reconcile", "status" },
    { "inbound", "inbound" },
    { "scheduler", "scheduler" },
    { "simulator", "simulator" },
    { "database", NULL },
    { "http", NULL },
    { "kafka", NULL },
    { "keys", NULL },
    { "log", NULL },
    { "process", NULL },
    { "public", NULL },
    { "retry", NULL },
    { "stop", NULL },
    { "topics", NULL },
    { "twilio", NULL },
};

static bool is_word(const char *word, const char *text, size_t len)
{
    return strlen(word) == len && memcmp(word, text, len) == 0;
}

bool settings_is_known_group(const char *group, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        if (is_word(groups[i].group, group, len))
            return true;
    return false;
}

bool settings_is_foreign(const struct settings_source *source, const char *group,
                         size_t len)
{
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        if (is_word(groups[i].group, group, len))
            return groups[i].owner && !strstr(source->program, groups[i].owner);
    return false;
}

// Words that the names of librdkafka's secrets hold: sasl.password, ssl.key.pem,
// sasl.oauthbearer.client.secret, sasl.oauthbearer.config.
bool settings_is_secret(const struct setting *row, const char *name)
{
    static const char *const words[] = { "password", "secret", "key.pem",
                                         "oauthbearer.config" };

    if (setting_kind(row) != SETTING_PROPERTIES || strcmp(name, row->name) == 0)
        return setting_is_secret(row);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strstr(name, words[i]))
            return true;
    return false;
}

bool settings_is_meant_for(const struct settings_source *source, const char *group,
                           size_t len)
{
    return settings_has_group(source, group, len) &&
           !settings_is_foreign(source, group, len);
}

bool settings_has_group(const struct settings_source *source, const char *group,
                        size_t len)
{
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            if (strncmp(row->name, group, len) == 0 && row->name[len] == '.')
                return true;
    return false;
}

static bool is_key_of(const struct setting *row, const char *name, size_t len)
{
    const size_t row_len = strlen(row->name);

    return setting_kind(row) == SETTING_PROPERTIES && len > row_len + 1 &&
           memcmp(row->name, name, row_len) == 0 && name[row_len] == '.';
}

const struct setting *settings_find(const struct settings_source *source,
                                    const char *name, size_t len)
{
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            if (is_word(row->name, name, len) || is_key_of(row, name, len))
                return row;
    return NULL;
}

const struct setting *settings_property_row(const struct settings_source *source,
                                            const char *variable, size_t len)
{
    struct buf name = BUF_INIT(SETTINGS_NAME_MAX + 16);
    const struct setting *found = NULL;

    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++) {
            if (setting_kind(row) != SETTING_PROPERTIES)
                continue;
            buf_clear(&name);
            settings_environment_name(&name, row->name);
            buf_add_char(&name, '_');
            if (len > name.len && strncmp(variable, buf_text(&name), name.len) == 0)
                found = row;
        }
    buf_free(&name);
    return found;
}

void settings_environment_name(struct buf *out, const char *name)
{
    buf_add_text(out, "SMSQ_");
    for (const char *p = name; *p; p++)
        buf_add_char(out, *p == '.' ? '_' : (char)toupper((unsigned char)*p));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t settings_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    // rows[i % 3][j]: the distance of the first i letters of a and the first j of b.
    size_t rows[3][SETTINGS_NAME_MAX + 1];

    if (a_len > SETTINGS_NAME_MAX || b_len > SETTINGS_NAME_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above_2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1,
                           above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above_2[j - 2] + 1);  // two letters swapped
        }
    }
    return rows[a_len % 3][b_len];
}

// Keeps candidate if it is nearer than *best and near enough to have been meant.
static void consider(const char **best, size_t *best_distance, const char *name,
                     const char *candidate)
{
    const size_t len = strlen(name);
    size_t distance = settings_distance(name, len, candidate, strlen(candidate));

    if (distance >= *best_distance || distance > 1 + len / 4)
        return;
    *best = candidate;
    *best_distance = distance;
}

enum outcome settings_refuse_name(const struct settings_source *source, const char *name,
                                  const char *place, struct err *err)
{
    const char *best = NULL;
    size_t distance = SIZE_MAX;

    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            consider(&best, &distance, name, row->name);
    if (best)
        return err_set(err, OUTCOME_REJECT, "%s (%s) is not a setting; the nearest is %s",
                       name, place, best);
    return err_set(err, OUTCOME_REJECT, "%s (%s) is not a setting; --help lists them",
                   name, place);
}

// Like consider, with the group in front of the first dot of name.
static void consider_group(char best[SETTINGS_NAME_MAX], size_t *best_distance,
                           const char *group, const char *name)
{
    char candidate[SETTINGS_NAME_MAX];
    const char *found = NULL;
    size_t len = least(strcspn(name, "."), sizeof(candidate) - 1);

    memcpy(candidate, name, len);
    candidate[len] = '\0';
    consider(&found, best_distance, group, candidate);
    if (found)
        memcpy(best, candidate, len + 1);
}

enum outcome settings_refuse_group(const struct settings_source *source,
                                   const char *group, const char *place, struct err *err)
{
    char best[SETTINGS_NAME_MAX] = "";
    size_t distance = SIZE_MAX;

    for (size_t i = 0; i < COUNT_OF(groups); i++)
        consider_group(best, &distance, group, groups[i].group);
    for (size_t t = 0; source->tables[t]; t++)
        for (const struct setting *row = source->tables[t]; row->name; row++)
            consider_group(best, &distance, group, row->name);
    return err_set(err, OUTCOME_REJECT, "%s (%s) is not a group of settings%s%s", group,
                   place, best[0] ? "; the nearest is " : "", best);
}
