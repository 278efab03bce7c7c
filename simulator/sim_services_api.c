// sim_services_api.c: Messaging v1: services.
#include "sim_services_api.h"
#include "http_server.h"
#include "sim_clock.h"
#include "sim_hook.h"
#include "sim_json.h"
#include "sim_page.h"
#include "simulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 160, NUMBER_MAX_BYTES = 8, WORD_MAX_BYTES = 32 };

static const struct sim_hook_names inbound_names = { "InboundRequestUrl", "InboundMethod",
                                                     "FallbackUrl", "FallbackMethod" };

static const char *const scan_words[] = { "inherit", "enable", "disable" };

static void add_links(struct buf *out, const struct sim_service *s)
{
    static const char *const names[][2] = {
        { "phone_numbers", "PhoneNumbers" },
        { "short_codes", "ShortCodes" },
        { "alpha_senders", "AlphaSenders" },
        { "messages", "Messages" },
        { "us_app_to_person", "Compliance/Usa2p" },
        { "us_app_to_person_usecases", "Compliance/Usa2p/Usecases" },
        { "channel_senders", "ChannelSenders" },
        { "destination_alpha_senders", "DestinationAlphaSenders" },
    };

    buf_add_text(out, ",\"links\":{");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        buf_addf(out, "%s\"%s\":\"" SIM_SERVICES_HOST "/v1/Services/%s/%s\"",
                 i ? "," : "", names[i][0], s->sid, names[i][1]);
    buf_add_char(out, '}');
}

static void add_switches(struct buf *out, const struct sim_service *s)
{
    sim_json_bool(out, "sticky_sender", s->sticky_sender);
    sim_json_bool(out, "mms_converter", s->mms_converter);
    sim_json_bool(out, "smart_encoding", s->smart_encoding);
    sim_json_bool(out, "fallback_to_long_code", s->fallback_to_long_code);
    sim_json_bool(out, "area_code_geomatch", s->area_code_geomatch);
    sim_json_bool(out, "synchronous_validation", s->synchronous_validation);
    sim_json_bool(out, "us_app_to_person_registered", false);
    sim_json_bool(out, "use_inbound_webhook_on_number", s->use_inbound_webhook_on_number);
    sim_json_text(out, "scan_message_content", s->scan_message_content);
    sim_json_text(out, "usecase", s->usecase);
    buf_addf(out, ",\"validity_period\":%d", s->validity_s);
}

static void add_service(const struct sim_request *r, const struct sim_service *s)
{
    char url[URL_BYTES];

    (void)snprintf(url, sizeof(url), SIM_SERVICES_HOST "/v1/Services/%s", s->sid);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "sid", s->sid);
    sim_json_text(r->out, "account_sid", r->account->sid);
    sim_json_text(r->out, "friendly_name", s->name);
    sim_json_iso_member(r->out, "date_created", s->created_us);
    sim_json_iso_member(r->out, "date_updated", s->updated_us);
    sim_json_text(r->out, "inbound_request_url", s->inbound.url);
    sim_json_text(r->out, "inbound_method", sim_hook_method(s->inbound.is_get));
    sim_json_text(r->out, "fallback_url", s->inbound.fallback_url);
    sim_json_text(r->out, "fallback_method", sim_hook_method(s->inbound.is_fallback_get));
    sim_json_text(r->out, "status_callback", s->status_callback);
    sim_json_text(r->out, "url", url);
    add_switches(r->out, s);
    add_links(r->out, s);
    buf_add_char(r->out, '}');
}

enum outcome sim_services_list(struct sim_request *r, struct sim_error *error)
{
    const struct sim_table *all = &r->account->services;
    struct sim_page page;

    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (rc)
        return rc;
    buf_add_text(r->out, "{\"services\":[");
    size_t first = sim_page_first(&page, all->count);
    for (size_t i = first; i < sim_page_end(&page, all->count); i++) {
        if (i > first)
            buf_add_char(r->out, ',');
        add_service(r, all->rows[i]);
    }
    buf_add_char(r->out, ']');
    sim_page_close_v1(r->out, &page, all->count, SIM_SERVICES_HOST, "services");
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

static enum outcome update_flag(const struct sim_request *r, const char *name, bool *flag,
                                struct sim_error *error)
{
    bool is_bad = false;
    char *value = sim_request_param(r, name, NUMBER_MAX_BYTES, &is_bad);

    if (value && (strcmp(value, "true") == 0 || strcmp(value, "True") == 0))
        *flag = true;
    else if (value && (strcmp(value, "false") == 0 || strcmp(value, "False") == 0))
        *flag = false;
    else
        is_bad = is_bad || value;
    free(value);
    return is_bad ? sim_request_bad_param(error, name) : OUTCOME_OK;
}

static enum outcome update_flags(const struct sim_request *r, struct sim_service *s,
                                 struct sim_error *error)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        { "StickySender", &s->sticky_sender },
        { "MmsConverter", &s->mms_converter },
        { "SmartEncoding", &s->smart_encoding },
        { "FallbackToLongCode", &s->fallback_to_long_code },
        { "AreaCodeGeomatch", &s->area_code_geomatch },
        { "SynchronousValidation", &s->synchronous_validation },
        { "UseInboundWebhookOnNumber", &s->use_inbound_webhook_on_number },
    };
    enum outcome rc = OUTCOME_OK;

    for (size_t i = 0; !rc && i < COUNT_OF(flags); i++)
        rc = update_flag(r, flags[i].name, flags[i].flag, error);
    return rc;
}

static enum outcome update_validity(const struct sim_request *r, struct sim_service *s,
                                    struct sim_error *error)
{
    bool is_bad = false;
    char *end = NULL;
    char *value = sim_request_param(r, "ValidityPeriod", NUMBER_MAX_BYTES, &is_bad);
    long seconds = value ? strtol(value, &end, 10) : 0;

    if (value &&
        (end == value || *end || seconds < 1 || seconds > SIM_MESSAGE_VALIDITY_MAX_S))
        is_bad = true;
    else if (value)
        s->validity_s = (int)seconds;
    free(value);
    return is_bad ? sim_request_bad_param(error, "ValidityPeriod") : OUTCOME_OK;
}

static enum outcome update_words(const struct sim_request *r, struct sim_service *s,
                                 struct sim_error *error)
{
    bool is_bad = false;
    char *usecase = sim_request_param(r, "Usecase", SIM_ACCOUNT_NAME_BYTES - 1, &is_bad);
    char *scan = sim_request_param(r, "ScanMessageContent", WORD_MAX_BYTES, &is_bad);
    bool is_known = !scan;

    for (size_t i = 0; scan && i < COUNT_OF(scan_words); i++) {
        if (strcmp(scan, scan_words[i]) != 0)
            continue;
        s->scan_message_content = scan_words[i];
        is_known = true;
    }
    if (usecase)
        (void)snprintf(s->usecase, sizeof(s->usecase), "%s", usecase);
    free(usecase);
    free(scan);
    return is_bad || !is_known
               ? sim_request_bad_param(error, "Usecase or ScanMessageContent")
               : OUTCOME_OK;
}

static enum outcome update(struct sim_request *r, struct sim_service *s,
                           struct sim_error *error)
{
    enum outcome rc = sim_hook_update(&s->inbound, r, &inbound_names, error);

    if (!rc)
        rc = sim_hook_update_url(&s->status_callback, r, "StatusCallback", error);
    if (!rc)
        rc = update_flags(r, s, error);
    if (!rc)
        rc = update_validity(r, s, error);
    if (!rc)
        rc = update_words(r, s, error);
    if (!rc && !sim_request_name(r, s->name))
        rc = sim_request_bad_param(error, "FriendlyName");
    if (rc)
        return rc;
    s->updated_us = sim_clock_now_us(r->sim->clock);
    add_service(r, s);
    return OUTCOME_OK;
}

enum outcome sim_services_create(struct sim_request *r, struct sim_error *error)
{
    const struct form_pair *name = form_find(&r->form, "FriendlyName");

    if (!name || name->value_len == 0)
        return sim_request_bad_param(error, "FriendlyName is required");
    struct sim_service *s = sim_account_add_service(r->account, r->sim->sids, NULL,
                                                    sim_clock_now_us(r->sim->clock));
    if (!s)
        return sim_request_bad_param(error, "too many services");
    enum outcome rc = update(r, s, error);
    if (rc)
        sim_account_remove_service(r->account, s);
    r->status = 201;
    return rc;
}

struct sim_service *sim_services_find(const struct sim_request *r)
{
    return sim_table_find(&r->account->services, r->ids[0], strlen(r->ids[0]));
}

enum outcome sim_services_fetch(struct sim_request *r, struct sim_error *error)
{
    const struct sim_service *s = sim_services_find(r);

    if (!s)
        return sim_request_not_found(r, error);
    add_service(r, s);
    return OUTCOME_OK;
}

enum outcome sim_services_update(struct sim_request *r, struct sim_error *error)
{
    struct sim_service *s = sim_services_find(r);

    return s ? update(r, s, error) : sim_request_not_found(r, error);
}

enum outcome sim_services_delete(struct sim_request *r, struct sim_error *error)
{
    struct sim_service *s = sim_services_find(r);

    if (!s)
        return sim_request_not_found(r, error);
    sim_account_remove_service(r->account, s);
    r->status = 204;
    return OUTCOME_OK;
}
