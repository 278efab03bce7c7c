#include "sim_switches.h"
#include "buf.h"
#include "form.h"
#include "settings.h"
#include "sim_settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct sim_settings, switches.field)
#define DELAY_MAX (24LL * 3600 * 1000000)
#define COUNT_MAX 1000000000

#define TIME(name, field, fallback, help)                                                \
    {                                                                                    \
        "simulator." name, SETTING_US, AT(field), fallback, 0, DELAY_MAX, NULL, help     \
    }
#define NUMBER(name, field, fallback, min, max, help)                                    \
    {                                                                                    \
        "simulator." name, SETTING_COUNT, AT(field), fallback, min, max, NULL, help      \
    }
#define YES_NO(name, field, help)                                                        \
    {                                                                                    \
        "simulator." name, SETTING_BOOL, AT(field), "no", 0, 1, NULL, help               \
    }

const struct setting sim_switches_table[] = {
    TIME("answer_delay", latency.delay_us, "0s",
         "time until a create is answered; with answer_high its median"),
    TIME("answer_high", latency.high_us, "0s",
         "one answer in a hundred takes longer (log-normal); 0 = all take answer_delay"),
    YES_NO("answer_uniform", latency.is_uniform,
           "spread the times evenly from answer_delay to answer_high"),
    NUMBER("slow_every", latency.slow_every, "0", 0, COUNT_MAX,
           "of so many creates in a row the last slow_count are slow; 0 = none"),
    NUMBER("slow_count", latency.slow_count, "0", 0, COUNT_MAX, "see slow_every"),
    TIME("slow_delay", latency.slow_us, "3s", "what slow ones take more"),
    NUMBER("in_flight_max", in_flight_max, "0", 0, COUNT_MAX,
           "requests of one account at a time, beyond which 429 comes; 0 = any number"),
    TIME("queued_delay", life.queued_us, "10ms",
         "time until a Messaging Service has picked a sender"),
    TIME("sent_delay", life.sent_us, "50ms",
         "time from create to sent, beside the sender's queue"),
    TIME("delivered_delay", life.delivered_us, "150ms",
         "time from create to delivered, beside the sender's queue"),
    TIME("read_delay", life.read_us, "0s",
         "time from delivered until a WhatsApp message is read; 0 = never"),
    TIME("price_delay", life.price_us, "0s", "time from delivered until the price shows"),
    TIME("list_lag", list_lag_us, "0s",
         "time from the create until a list shows the message"),
    NUMBER("rate_long_code", rates.long_code, "0", 0, COUNT_MAX,
           "segments per second of a number with +1 to one with +1; 0 = any number"),
    NUMBER("rate_long_code_abroad", rates.long_code_abroad, "0", 0, COUNT_MAX,
           "segments per second of other numbers and to other countries"),
    NUMBER("rate_toll_free", rates.toll_free, "0", 0, COUNT_MAX,
           "segments per second of a toll-free number"),
    NUMBER("rate_short_code", rates.short_code, "0", 0, COUNT_MAX,
           "segments per second of a short code"),
    NUMBER("rate_alphanumeric", rates.alphanumeric, "0", 0, COUNT_MAX,
           "segments per second of an alphanumeric sender"),
    NUMBER("rate_whatsapp", rates.whatsapp, "0", 0, COUNT_MAX,
           "messages per second of a WhatsApp sender"),
    TIME("queue_max", rates.wait_max_us, "10h",
         "how long the queue of a sender may get; beyond it 21611 or 30001"),
    NUMBER("segments_per_day", rates.segments_day, "0", 0, COUNT_MAX,
           "segments of a sender from midnight to midnight, UTC-8; beyond it 30023"),
    NUMBER("callback_repeat", callback_repeat, "1", 1, 100,
           "how often each callback is sent"),
    YES_NO("callback_reverse", callback_reverse, "send delivered before sent"),
    { 0 },
};

static void *field_of(const struct sim_switches *s, const struct setting *row)
{
    return (char *)(uintptr_t)s + row->offset - offsetof(struct sim_settings, switches);
}

static const char *name_of(const struct setting *row)
{
    return strchr(row->name, '.') + 1;
}

static const struct setting *find(const char *name)
{
    for (const struct setting *row = sim_switches_table; row->name; row++)
        if (strcmp(name_of(row), name) == 0)
            return row;
    return NULL;
}

static bool read_number(const char *text, int64_t *out)
{
    char *end = NULL;

    *out = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
    return end && *end == '\0';
}

static bool read_value(const struct setting *row, const char *text, void *field)
{
    int64_t value = 0;

    if (row->kind == SETTING_BOOL) {
        *(bool *)field = strcmp(text, "yes") == 0;
        return *(bool *)field || strcmp(text, "no") == 0;
    }
    if (row->kind == SETTING_US ? !settings_parse_us(text, &value)
                                : !read_number(text, &value))
        return false;
    *(int64_t *)field = value;
    return value >= row->min && value <= row->max;
}

static enum outcome apply(struct sim_switches *s, const char *name, const char *text,
                          struct err *err)
{
    const struct setting *row = find(name);

    if (!row)
        return err_set(err, OUTCOME_REJECT, "GET /_sim/delays shows the names there are");
    if (read_value(row, text, field_of(s, row)))
        return OUTCOME_OK;
    if (row->kind == SETTING_US)
        return err_set(err, OUTCOME_REJECT, "%s is a time such as 50ms, up to 24h", name);
    if (row->kind == SETTING_BOOL)
        return err_set(err, OUTCOME_REJECT, "%s is yes or no", name);
    return err_set(err, OUTCOME_REJECT, "%s is %" PRId64 " to %" PRId64, name, row->min,
                   row->max);
}

enum outcome sim_switches_apply(struct sim_switches *s, const struct form *form,
                                char bad[SIM_SWITCHES_NAME_BYTES], struct err *err)
{
    struct sim_switches changed = *s;
    char value[SIM_SWITCHES_NAME_BYTES];

    for (size_t i = 0; i < form->count; i++) {
        const struct form_pair *p = &form->pairs[i];
        bad[0] = '\0';
        if (!sim_text_copy(bad, SIM_SWITCHES_NAME_BYTES,
                           (struct sim_text){ p->name, p->name_len }) ||
            !sim_text_copy(value, sizeof(value),
                           (struct sim_text){ p->value, p->value_len }))
            return err_set(err, OUTCOME_REJECT, "a name or value is too long");
        enum outcome rc = apply(&changed, bad, value, err);
        if (rc)
            return rc;
    }
    *s = changed;
    return OUTCOME_OK;
}

void sim_switches_render(const struct sim_switches *s, struct buf *out)
{
    char before = '{';

    for (const struct setting *row = sim_switches_table; row->name; row++) {
        const void *field = field_of(s, row);
        buf_addf(out, "%c\"%s%s\":", before, name_of(row),
                 row->kind == SETTING_US ? "_us" : "");
        if (row->kind == SETTING_BOOL)
            buf_add_text(out, *(const bool *)field ? "true" : "false");
        else
            buf_add_int(out, *(const int64_t *)field);
        before = ',';
    }
    buf_add_text(out, "}\n");
}
