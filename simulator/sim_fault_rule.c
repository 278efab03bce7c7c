#include "sim_fault_rule.h"
#include "form.h"
#include "settings.h"
#include "sim_fault_kinds.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct sim_fault_rule, field)
#define BILLION   INT64_C(1000000000)

enum value { VALUE_TEXT, VALUE_COUNT, VALUE_INT, VALUE_TIME, VALUE_YES, VALUE_SHARE };

// A parameter of a rule and where it goes. Texts have SIM_FAULTS_TEXT_BYTES of room.
static const struct {
    const char *name;
    enum value value;
    size_t offset;
    int64_t min, max;
    const char *wanted;
} params[] = {
    { "probability", VALUE_SHARE, AT(ppb), 0, 0, "a share from 0 to 1" },
    { "to", VALUE_TEXT, AT(to), 0, 0, "a recipient" },
    { "from", VALUE_TEXT, AT(from), 0, 0, "a sender" },
    { "account", VALUE_TEXT, AT(account), 0, 0, "an account's SID" },
    { "status_is", VALUE_TEXT, AT(status_is), 0, 0, "the status a callback tells" },
    { "nth", VALUE_COUNT, AT(nth), 1, BILLION, "1 or more" },
    { "count", VALUE_COUNT, AT(count), 0, BILLION, "0 (any number) or more" },
    { "delay", VALUE_TIME, AT(fault.delay_us), 0, 0, "a time such as 50ms, up to 24h" },
    { "status", VALUE_INT, AT(fault.status), 200, 599, "200 to 599" },
    { "error_code", VALUE_INT, AT(fault.code), 0, 999999, "one of Twilio's error codes" },
    { "accepts", VALUE_YES, AT(fault.accepts), 0, 0, "yes or no" },
    { "bytes", VALUE_COUNT, AT(fault.bytes), 1, SIM_FAULTS_BYTES_MAX, "1 to 268435456" },
    { "retry_after", VALUE_COUNT, AT(fault.retry_after_s), 0, 86400, "0 to 86400" },
    { "times", VALUE_INT, AT(fault.times), 1, 100, "1 to 100" },
};

static bool read_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end = NULL;
    long long value = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;

    if (!end || *end || value < min || value > max)
        return false;
    *out = value;
    return true;
}

static bool read_share(const char *text, int64_t *ppb)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end == text || *end || !(value >= 0 && value <= 1))
        return false;
    *ppb = (int64_t)(value * (double)BILLION + 0.5);
    return true;
}

static bool read_time(const char *text, int64_t *out)
{
    return settings_parse_us(text, out) && *out >= 0 && *out <= 86400 * INT64_C(1000000);
}

static bool read_value(struct sim_fault_rule *rule, size_t i, const char *text)
{
    void *at = (char *)rule + params[i].offset;
    int64_t value = 0;

    switch (params[i].value) {
    case VALUE_TEXT:
        memcpy(at, text, strlen(text) + 1);
        return true;
    case VALUE_COUNT:
        return read_int(text, params[i].min, params[i].max, at);
    case VALUE_INT:
        if (!read_int(text, params[i].min, params[i].max, &value))
            return false;
        *(int *)at = (int)value;
        return true;
    case VALUE_TIME:
        return read_time(text, at);
    case VALUE_YES:
        *(bool *)at = strcmp(text, "yes") == 0;
        return *(bool *)at || strcmp(text, "no") == 0;
    default:
        return read_share(text, at);
    }
}

static enum outcome read_param(struct sim_fault_rule *rule, const char *name,
                               const char *text, struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(params); i++)
        if (strcmp(params[i].name, name) == 0)
            return read_value(rule, i, text)
                       ? OUTCOME_OK
                       : err_set(err, OUTCOME_REJECT, "%s is %s", name, params[i].wanted);
    return err_set(err, OUTCOME_REJECT, "there is no parameter of that name");
}

// What a rule is on can be narrowed for requests only.
static enum outcome read_on(struct sim_fault *fault, const char *word, struct err *err)
{
    unsigned on = sim_fault_on_read(word);
    bool is_request = (fault->on & SIM_FAULT_ON_REQUEST) != 0;

    if (on == 0 || (on != fault->on && !(is_request && (on & SIM_FAULT_ON_REQUEST))))
        return err_set(err, OUTCOME_REJECT,
                       "on is create, fetch, list or request for faults of requests");
    fault->on = on;
    return OUTCOME_OK;
}

enum outcome sim_fault_rule_read(struct sim_fault_rule *rule, const struct form *form,
                                 struct err *err)
{
    char name[SIM_FAULTS_TEXT_BYTES], value[SIM_FAULTS_TEXT_BYTES];
    const struct sim_fault_row *row =
        form_copy(value, sizeof(value), form, "kind") ? sim_fault_row_find(value) : NULL;
    enum outcome rc = OUTCOME_OK;

    if (!row)
        return err_set(err, OUTCOME_REJECT,
                       "kind is one of those that GET /_sim/faults "
                       "lists");
    *rule = (struct sim_fault_rule){ .fault = row->fault, .ppb = BILLION, .nth = 1 };
    for (size_t i = 0; i < form->count && !rc; i++) {
        const struct form_pair *p = &form->pairs[i];
        if (!sim_text_copy(name, sizeof(name),
                           (struct sim_text){ p->name, p->name_len }) ||
            !sim_text_copy(value, sizeof(value),
                           (struct sim_text){ p->value, p->value_len }))
            return err_set(err, OUTCOME_REJECT, "a name or value is too long");
        if (strcmp(name, "on") == 0)
            rc = read_on(&rule->fault, value, err);
        else if (strcmp(name, "kind") != 0)
            rc = read_param(rule, name, value, err);
    }
    return rc;
}
