// sim_triggers_api.c: the resource UsageTrigger.
#include "http_server.h"
#include "rate_card.h"
#include "sim_clock.h"
#include "sim_hook.h"
#include "sim_json.h"
#include "sim_page.h"
#include "sim_triggers.h"
#include "simulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URI_BYTES = 192, WORD_MAX_BYTES = 64, DIGITS_MAX = 12, PLACES_MAX = 6 };

static void add_trigger(const struct sim_request *r, const struct sim_trigger *t)
{
    char current[RATE_TEXT_BYTES], value[RATE_TEXT_BYTES];
    char uri[URI_BYTES], record[URI_BYTES];
    const char *sid = r->account->sid;

    rate_card_format_micros(
        current, sim_triggers_current(t, r->account, sim_clock_now_us(r->sim->clock)));
    rate_card_format_micros(value, t->value_millionths);
    (void)snprintf(uri, sizeof(uri),
                   "/" SIM_JSON_API_VERSION "/Accounts/%s/Usage/Triggers/%s.json", sid,
                   t->sid);
    (void)snprintf(record, sizeof(record),
                   "/" SIM_JSON_API_VERSION "/Accounts/%s/Usage/Records.json?Category=%s",
                   sid, t->category->name);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "sid", t->sid);
    sim_json_text(r->out, "account_sid", sid);
    sim_json_text(r->out, "api_version", SIM_JSON_API_VERSION);
    sim_json_text(r->out, "friendly_name", t->name);
    sim_json_text(r->out, "callback_url", t->callback_url);
    sim_json_text(r->out, "callback_method", sim_hook_method(t->is_get));
    sim_json_text(r->out, "usage_category", t->category->name);
    sim_json_text(r->out, "trigger_by", sim_trigger_by_word(t->by));
    sim_json_text(r->out, "trigger_value", value);
    sim_json_text(r->out, "current_value", current);
    sim_json_text(r->out, "recurring", sim_trigger_recurring_word(t->recurring));
    sim_json_date_member(r->out, "date_created", t->created_us);
    sim_json_date_member(r->out, "date_updated", t->updated_us);
    sim_json_date_member(r->out, "date_fired", t->fired_us);
    sim_json_text(r->out, "uri", uri);
    sim_json_text(r->out, "usage_record_uri", record);
    buf_add_char(r->out, '}');
}

static bool is_listed(const struct sim_trigger *t, const char *recurring, const char *by,
                      const char *category)
{
    const char *word = sim_trigger_recurring_word(t->recurring);

    return (!recurring || (word && strcmp(word, recurring) == 0)) &&
           (!by || strcmp(sim_trigger_by_word(t->by), by) == 0) &&
           (!category || strcmp(t->category->name, category) == 0);
}

enum outcome sim_triggers_list(struct sim_request *r, struct sim_error *error)
{
    const struct sim_table *all = &r->account->triggers;
    struct sim_page page;
    size_t count = 0;

    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (rc)
        return rc;
    const char *recurring = sim_page_filter(&page, r->http, "Recurring");
    const char *by = sim_page_filter(&page, r->http, "TriggerBy");
    const char *category = sim_page_filter(&page, r->http, "UsageCategory");
    buf_add_text(r->out, "{\"usage_triggers\":[");
    for (size_t i = 0; i < all->count; i++) {
        if (!is_listed(all->rows[i], recurring, by, category))
            continue;
        if (sim_page_takes(r->out, &page, count++))
            add_trigger(r, all->rows[i]);
    }
    buf_add_char(r->out, ']');
    sim_page_close(r->out, &page, count);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

// Reads "30", "0.5" or "+30" (from the current value on) exactly.
static bool read_value(const char *text, int64_t *millionths, bool *is_relative)
{
    int64_t value = 0, scale = 1000000;
    size_t digits = 0;
    bool is_fraction = false;

    *is_relative = *text == '+';
    for (text += *is_relative; *text; text++) {
        if (*text == '.' && !is_fraction) {
            is_fraction = true;
            continue;
        }
        if (*text < '0' || *text > '9' || ++digits > DIGITS_MAX || scale == 1)
            return false;
        value = value * 10 + (*text - '0');
        scale /= is_fraction ? 10 : 1;
    }
    *millionths = value * scale;
    return digits > 0;
}

// Reads the word of TriggerBy; without one it is usage.
static bool read_by(const char *word, enum sim_trigger_by *by)
{
    *by = SIM_TRIGGER_USAGE;
    for (int i = SIM_TRIGGER_COUNT; word && i <= SIM_TRIGGER_PRICE; i++) {
        if (strcmp(word, sim_trigger_by_word((enum sim_trigger_by)i)) != 0)
            continue;
        *by = (enum sim_trigger_by)i;
        return true;
    }
    return !word;
}

static enum outcome read_trigger(struct sim_trigger *t, const struct sim_request *r,
                                 struct sim_error *error)
{
    bool is_bad = false, is_relative = false;
    char *value = sim_request_param(r, "TriggerValue", DIGITS_MAX + PLACES_MAX, &is_bad);
    char *category = sim_request_param(r, "UsageCategory", WORD_MAX_BYTES, &is_bad);
    char *by = sim_request_param(r, "TriggerBy", WORD_MAX_BYTES, &is_bad);
    char *recurring = sim_request_param(r, "Recurring", WORD_MAX_BYTES, &is_bad);
    const char *bad = NULL;

    t->category = category ? sim_usage_category_find(category) : NULL;
    bool is_by_known = read_by(by, &t->by);
    t->recurring = recurring && recurring[0] ? recurring[0] : '\0';
    const char *word = sim_trigger_recurring_word(t->recurring);
    if (is_bad || !value || !read_value(value, &t->value_millionths, &is_relative))
        bad = "TriggerValue";
    else if (!t->category)
        bad = "UsageCategory";
    else if (!is_by_known)
        bad = "TriggerBy";
    else if (t->recurring && (!word || strcmp(word, recurring) != 0))
        bad = "Recurring";
    else if (is_relative)
        t->value_millionths +=
            sim_triggers_current(t, r->account, sim_clock_now_us(r->sim->clock));
    free(value);
    free(category);
    free(by);
    free(recurring);
    return bad ? sim_request_bad_param(error, bad) : OUTCOME_OK;
}

static enum outcome update(struct sim_request *r, struct sim_trigger *t,
                           struct sim_error *error)
{
    static const struct sim_hook_names names = { "CallbackUrl", "CallbackMethod", "",
                                                 "" };
    struct sim_hook hook = { .url = t->callback_url, .is_get = t->is_get };

    enum outcome rc = sim_hook_update(&hook, r, &names, error);
    t->callback_url = hook.url;
    t->is_get = hook.is_get;
    if (!rc && !t->callback_url)
        rc = sim_request_bad_param(error, "CallbackUrl");
    if (!rc && !sim_request_name(r, t->name))
        rc = sim_request_bad_param(error, "FriendlyName");
    t->updated_us = sim_clock_now_us(r->sim->clock);
    return rc;
}

enum outcome sim_triggers_create(struct sim_request *r, struct sim_error *error)
{
    struct sim_trigger *t = xcalloc(1, sizeof(*t));

    enum outcome rc = read_trigger(t, r, error);
    if (!rc)
        rc = update(r, t, error);
    if (!rc && r->account->triggers.count == SIM_ACCOUNT_TRIGGERS_MAX)
        rc = sim_request_bad_param(error, "too many triggers");
    if (rc) {
        sim_trigger_free(t);
        return rc;
    }
    t->created_us = t->updated_us;
    sim_sids_other(r->sim->sids, "UT",
                   (uint64_t)r->account->index << 32 | ++r->account->trigger_number,
                   t->sid);
    sim_table_add(&r->account->triggers, t);
    add_trigger(r, t);
    r->status = 201;
    return OUTCOME_OK;
}

static struct sim_trigger *find(const struct sim_request *r)
{
    return sim_table_find(&r->account->triggers, r->ids[1], strlen(r->ids[1]));
}

enum outcome sim_triggers_fetch(struct sim_request *r, struct sim_error *error)
{
    const struct sim_trigger *t = find(r);

    if (!t)
        return sim_request_not_found(r, error);
    add_trigger(r, t);
    return OUTCOME_OK;
}

enum outcome sim_triggers_update(struct sim_request *r, struct sim_error *error)
{
    struct sim_trigger *t = find(r);

    if (!t)
        return sim_request_not_found(r, error);
    enum outcome rc = update(r, t, error);
    if (!rc)
        add_trigger(r, t);
    return rc;
}

enum outcome sim_triggers_delete(struct sim_request *r, struct sim_error *error)
{
    struct sim_trigger *t = find(r);

    if (!t)
        return sim_request_not_found(r, error);
    sim_account_remove_trigger(r->account, t);
    r->status = 204;
    return OUTCOME_OK;
}
