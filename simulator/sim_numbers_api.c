// sim_numbers_api.c: the resource IncomingPhoneNumber: the numbers of an account.
#include "http_server.h"
#include "phone.h"
#include "sim_accounts.h"
#include "sim_clock.h"
#include "sim_hook.h"
#include "sim_json.h"
#include "sim_page.h"
#include "sim_phone.h"
#include "simulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URI_BYTES = 160 };

static bool is_number(const struct sim_sender *s)
{
    return strcmp(s->type, "number") == 0;
}

static void add_nulls(struct buf *out, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sim_json_text(out, names[i], NULL);
}

// What belongs to calls and addresses: the simulator has none.
static void add_voice(struct buf *out)
{
    static const char *const nulls[] = {
        "voice_url",           "voice_fallback_url",       "voice_application_sid",
        "address_sid",         "emergency_address_sid",    "identity_sid",
        "bundle_sid",          "emergency_address_status", "trunk_sid",
        "sms_application_sid",
    };

    add_nulls(out, nulls, COUNT_OF(nulls));
    sim_json_text(out, "voice_method", "POST");
    sim_json_text(out, "voice_fallback_method", "POST");
    sim_json_text(out, "voice_receive_mode", "voice");
    sim_json_bool(out, "voice_caller_id_lookup", false);
    sim_json_text(out, "address_requirements", "none");
    sim_json_text(out, "emergency_status", "Inactive");
    sim_json_text(out, "emergency_address_status", "unregistered");
}

static void add_sms(struct buf *out, const struct sim_sender *s)
{
    sim_json_text(out, "sms_url", s->sms.url ? s->sms.url : "");
    sim_json_text(out, "sms_method", sim_hook_method(s->sms.is_get));
    sim_json_text(out, "sms_fallback_url",
                  s->sms.fallback_url ? s->sms.fallback_url : "");
    sim_json_text(out, "sms_fallback_method", sim_hook_method(s->sms.is_fallback_get));
    sim_json_text(out, "status_callback", s->status_callback ? s->status_callback : "");
    sim_json_text(out, "status_callback_method", "POST");
}

static void add_number(const struct sim_request *r, const struct sim_sender *s)
{
    char uri[URI_BYTES];

    (void)snprintf(uri, sizeof(uri),
                   "/" SIM_JSON_API_VERSION "/Accounts/%s/IncomingPhoneNumbers/%s.json",
                   r->account->sid, s->sid);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "sid", s->sid);
    sim_json_text(r->out, "account_sid", r->account->sid);
    sim_json_text(r->out, "phone_number", s->sender);
    sim_json_text(r->out, "friendly_name", s->name);
    sim_json_text(r->out, "api_version", SIM_JSON_API_VERSION);
    sim_json_bool(r->out, "beta", false);
    buf_add_text(r->out, ",\"capabilities\":{\"voice\":false,\"sms\":true,\"mms\":true,"
                         "\"fax\":false}");
    sim_json_date_member(r->out, "date_created", s->created_us);
    sim_json_date_member(r->out, "date_updated", s->updated_us);
    sim_json_text(r->out, "origin", "twilio");
    sim_json_text(r->out, "status", "in-use");
    sim_json_text(r->out, "type", "local");
    sim_json_text(r->out, "uri", uri);
    add_sms(r->out, s);
    add_voice(r->out);
    buf_add_char(r->out, '}');
}

enum outcome sim_numbers_list(struct sim_request *r, struct sim_error *error)
{
    const struct sim_table *all = &r->account->senders;
    struct sim_page page;
    size_t count = 0;

    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (rc)
        return rc;
    const char *number = sim_page_filter(&page, r->http, "PhoneNumber");
    const char *name = sim_page_filter(&page, r->http, "FriendlyName");
    buf_add_text(r->out, "{\"incoming_phone_numbers\":[");
    for (size_t i = 0; i < all->count; i++) {
        const struct sim_sender *s = all->rows[i];
        if (!is_number(s) || (number && !strstr(s->sender, number)) ||
            (name && strcmp(name, s->name) != 0))
            continue;
        if (sim_page_takes(r->out, &page, count++))
            add_number(r, s);
    }
    buf_add_char(r->out, ']');
    sim_page_close(r->out, &page, count);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

static enum outcome update(struct sim_request *r, struct sim_sender *s,
                           struct sim_error *error)
{
    enum outcome rc = sim_hook_update(&s->sms, r, &sim_hook_sms_names, error);

    if (!rc)
        rc = sim_hook_update_url(&s->status_callback, r, "StatusCallback", error);
    if (!rc && !sim_request_name(r, s->name))
        rc = sim_request_bad_param(error, "FriendlyName");
    if (rc)
        return rc;
    s->updated_us = sim_clock_now_us(r->sim->clock);
    add_number(r, s);
    return OUTCOME_OK;
}

static bool is_taken(const struct sim_accounts *all, const char *number)
{
    for (size_t i = 0; i < all->table.count; i++)
        if (sim_table_find(&sim_accounts_at(all, i)->senders, number, strlen(number)))
            return true;
    return false;
}

enum outcome sim_numbers_create(struct sim_request *r, struct sim_error *error)
{
    const struct form_pair *pair = form_find(&r->form, "PhoneNumber");
    struct sim_text wanted = { pair ? pair->value : "", pair ? pair->value_len : 0 };
    struct phone phone = { 0 };

    if (wanted.len == 0 ||
        sim_phone_read(&phone, r->sim->checker.phones, wanted.bytes, wanted.len))
        return sim_error_code(error, 21421, wanted);
    if (is_taken(&r->sim->accounts, phone.e164))
        return sim_error_code(error, 21422, wanted);
    struct sim_sender *s = sim_account_add_sender(r->account, r->sim->sids, phone.e164,
                                                  sim_clock_now_us(r->sim->clock));
    if (!s)
        return sim_error_code(error, 21422, wanted);
    r->status = 201;
    enum outcome rc = update(r, s, error);
    if (rc)
        sim_account_remove_sender(r->account, s);
    return rc;
}

static struct sim_sender *find(const struct sim_request *r)
{
    struct sim_sender *s = sim_account_sender_of(r->account, r->ids[1]);

    return s && is_number(s) ? s : NULL;
}

enum outcome sim_numbers_fetch(struct sim_request *r, struct sim_error *error)
{
    const struct sim_sender *s = find(r);

    if (!s)
        return sim_request_not_found(r, error);
    add_number(r, s);
    return OUTCOME_OK;
}

enum outcome sim_numbers_update(struct sim_request *r, struct sim_error *error)
{
    struct sim_sender *s = find(r);

    return s ? update(r, s, error) : sim_request_not_found(r, error);
}

enum outcome sim_numbers_delete(struct sim_request *r, struct sim_error *error)
{
    struct sim_sender *s = find(r);

    if (!s)
        return sim_request_not_found(r, error);
    sim_account_remove_sender(r->account, s);
    r->status = 204;
    return OUTCOME_OK;
}
