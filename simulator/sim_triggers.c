#include "sim_triggers.h"
#include "rate_card.h"
#include "sim_account.h"
#include "sim_clock.h"
#include "sim_json.h"
#include "sim_webhooks.h"
#include "simulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, TOKEN_STATUS = 0x90, URI_BYTES = 160 };

static int32_t day_of(int64_t at_us)
{
    return (int32_t)(at_us / 1000000 / DAY_S);
}

// Returns the first day that counts for the trigger.
static int32_t begin_of(const struct sim_trigger *t, int32_t today)
{
    bool is_period = t->recurring == 'd' || t->recurring == 'm' || t->recurring == 'y';

    return is_period ? sim_usage_begin_of(today, t->recurring) : INT32_MIN;
}

int64_t sim_triggers_current(const struct sim_trigger *t, const struct sim_account *a,
                             int64_t now_us)
{
    int32_t today = day_of(now_us);
    struct sim_usage_period p = { begin_of(t, today), today };
    struct sim_usage_sum sum = sim_usage_category_sum(&a->usage, t->category, p);

    if (t->by == SIM_TRIGGER_PRICE || !t->category->unit)
        return sum.micros;
    return (t->by == SIM_TRIGGER_COUNT ? sum.count : sum.units) * 1000000;
}

static bool is_due(const struct sim_trigger *t, const struct sim_account *a,
                   int64_t now_us)
{
    if (t->fired_us && day_of(t->fired_us) >= begin_of(t, day_of(now_us)))
        return false;  // told already in this period
    return sim_triggers_current(t, a, now_us) >= t->value_millionths;
}

static void on_called(void *arg, const struct sim_webhook_answer *answer)
{
    (void)arg;  // Twilio tries as the address asks, and that is all
    (void)answer;
}

static void call(struct simulator *sim, const struct sim_account *a,
                 const struct sim_trigger *t)
{
    char current[RATE_TEXT_BYTES], value[RATE_TEXT_BYTES], date[SIM_JSON_DATE_BYTES];
    char token[SIM_SIDS_TOKEN_BYTES], uri[URI_BYTES];
    const char *recurring = sim_trigger_recurring_word(t->recurring);
    const struct sim_param params[] = {
        { "AccountSid", a->sid },
        { "UsageTriggerSid", t->sid },
        { "Recurring", recurring ? recurring : "" },
        { "CurrentValue", current },
        { "TriggerValue", value },
        { "TriggerBy", sim_trigger_by_word(t->by) },
        { "UsageCategory", t->category->name },
        { "DateFired", date },
        { "IdempotencyToken", token },
        { "UsageRecordUri", uri },
    };

    rate_card_format_micros(current, sim_triggers_current(t, a, t->fired_us));
    rate_card_format_micros(value, t->value_millionths);
    sim_json_date(date, t->fired_us / 1000000);
    sim_sids_token(sim->sids, (uint32_t)(t->fired_us / 1000000), TOKEN_STATUS, token);
    (void)snprintf(uri, sizeof(uri),
                   "/" SIM_JSON_API_VERSION "/Accounts/%s/Usage/Records.json?Category=%s",
                   a->sid, t->category->name);
    const struct sim_webhook hook = {
        .url = t->callback_url,
        .method = t->is_get ? "GET" : "POST",
        .params = params,
        .count = COUNT_OF(params),
        .signer = a->signer,
        .token = token,
    };
    sim_webhooks_submit(sim->webhooks, &hook, on_called, NULL);
}

void sim_triggers_check(struct simulator *sim, struct sim_account *a)
{
    int64_t now_us = sim_clock_now_us(sim->clock);

    for (size_t i = 0; i < a->triggers.count; i++) {
        struct sim_trigger *t = a->triggers.rows[i];
        if (!is_due(t, a, now_us))
            continue;
        t->fired_us = now_us;
        call(sim, a, t);
    }
}

void sim_trigger_free(struct sim_trigger *t)
{
    free(t->callback_url);
    free(t);
}

const char *sim_trigger_by_word(enum sim_trigger_by by)
{
    static const char *const words[] = { "count", "usage", "price" };
    return words[by];
}

const char *sim_trigger_recurring_word(char recurring)
{
    switch (recurring) {
    case 'd':
        return "daily";
    case 'm':
        return "monthly";
    case 'y':
        return "yearly";
    case 'a':
        return "alltime";
    default:
        return NULL;
    }
}
