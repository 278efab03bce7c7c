// sim_pool_api.c: Messaging v1: the senders of a service: numbers, short codes and
// alphanumeric senders, which differ in little.
#include "account.h"
#include "http_server.h"
#include "sim_clock.h"
#include "sim_json.h"
#include "sim_page.h"
#include "sim_phone.h"
#include "sim_services_api.h"
#include "simulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 192 };

static const struct kind {
    const char *part;    // of the path
    const char *key;     // of the list
    const char *member;  // that holds the sender
    const char *param;   // of a create
    const char *type;    // as account_sender_type
} kinds[] = {
    { "PhoneNumbers", "phone_numbers", "phone_number", "PhoneNumberSid", "number" },
    { "ShortCodes", "short_codes", "short_code", "ShortCodeSid", "short_code" },
    { "AlphaSenders", "alpha_senders", "alpha_sender", "AlphaSender", "alphanumeric" },
};

static const struct kind *kind_of(const struct sim_request *r)
{
    size_t i = 0;

    while (!strstr(r->path, kinds[i].part))
        i++;
    return &kinds[i];
}

static void add_country(const struct sim_request *r, const struct sim_sender *s)
{
    struct phone phone = { 0 };

    if (strcmp(s->type, "number") != 0 ||
        sim_phone_read(&phone, r->sim->checker.phones, s->sender, strlen(s->sender)))
        (void)snprintf(phone.country, sizeof(phone.country), "US");
    sim_json_text(r->out, "country_code", phone.country);
}

static void add_sender(const struct sim_request *r, const struct sim_service *service,
                       const struct sim_sender *s)
{
    const struct kind *kind = kind_of(r);
    char url[URL_BYTES];

    (void)snprintf(url, sizeof(url), SIM_SERVICES_HOST "/v1/Services/%s/%s/%s",
                   service->sid, kind->part, s->sid);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "sid", s->sid);
    sim_json_text(r->out, "account_sid", r->account->sid);
    sim_json_text(r->out, "service_sid", service->sid);
    sim_json_iso_member(r->out, "date_created", s->created_us);
    sim_json_iso_member(r->out, "date_updated", s->updated_us);
    sim_json_text(r->out, kind->member, s->sender);
    if (strcmp(kind->type, "alphanumeric") == 0) {
        buf_add_text(r->out, ",\"capabilities\":[\"SMS\"]");
    } else {
        add_country(r, s);
        buf_add_text(r->out, ",\"capabilities\":[\"MMS\",\"SMS\"]");
    }
    sim_json_text(r->out, "url", url);
    buf_add_char(r->out, '}');
}

enum outcome sim_pool_list(struct sim_request *r, struct sim_error *error)
{
    const struct sim_service *service = sim_services_find(r);
    const struct kind *kind = kind_of(r);
    struct sim_page page;
    size_t count = 0;

    if (!service)
        return sim_request_not_found(r, error);
    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (rc)
        return rc;
    buf_addf(r->out, "{\"%s\":[", kind->key);
    for (size_t i = 0; i < service->pool_count; i++) {
        if (strcmp(service->pool[i]->type, kind->type) != 0)
            continue;
        if (sim_page_takes(r->out, &page, count++))
            add_sender(r, service, service->pool[i]);
    }
    buf_add_char(r->out, ']');
    sim_page_close_v1(r->out, &page, count, SIM_SERVICES_HOST, kind->key);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

// Numbers and short codes are given by their SID; an alphanumeric sender is made here.
static struct sim_sender *find_or_make(struct sim_request *r, const struct kind *kind,
                                       const char *value)
{
    const char *type = account_sender_type(value);
    bool is_alphanumeric = strcmp(kind->type, "alphanumeric") == 0;
    struct sim_sender *s = NULL;

    if (!is_alphanumeric)
        s = sim_account_sender_of(r->account, value);
    else if (type && strcmp(type, kind->type) == 0)
        s = sim_account_add_sender(r->account, r->sim->sids, value,
                                   sim_clock_now_us(r->sim->clock));
    return s && strcmp(s->type, kind->type) == 0 ? s : NULL;
}

enum outcome sim_pool_create(struct sim_request *r, struct sim_error *error)
{
    struct sim_service *service = sim_services_find(r);
    const struct kind *kind = kind_of(r);
    bool is_bad = false;
    char *value = sim_request_param(r, kind->param, SIM_REQUEST_ID_BYTES - 1, &is_bad);
    struct sim_sender *s = service && value ? find_or_make(r, kind, value) : NULL;
    bool is_given = value != NULL;

    free(value);
    if (!service)
        return sim_request_not_found(r, error);
    if (!s)
        return is_given && strcmp(kind->type, "alphanumeric") != 0
                   ? sim_request_not_found(r, error)
                   : sim_request_bad_param(error, kind->param);
    struct sim_service *other = sim_account_service_of(r->account, s->sender);
    if (other && strcmp(kind->type, "alphanumeric") != 0)
        return sim_error_code(error, other == service ? 21710 : 21712,
                              (struct sim_text){ s->sender, strlen(s->sender) });
    if (!sim_service_add(service, s))
        return sim_error_code(error, 21714,
                              (struct sim_text){ s->sender, strlen(s->sender) });
    add_sender(r, service, s);
    r->status = 201;
    return OUTCOME_OK;
}

static struct sim_sender *find(const struct sim_request *r, struct sim_service **service)
{
    *service = sim_services_find(r);
    for (size_t i = 0; *service && i < (*service)->pool_count; i++)
        if (strcmp((*service)->pool[i]->sid, r->ids[1]) == 0)
            return (*service)->pool[i];
    return NULL;
}

enum outcome sim_pool_fetch(struct sim_request *r, struct sim_error *error)
{
    struct sim_service *service = NULL;
    const struct sim_sender *s = find(r, &service);

    if (!s)
        return sim_request_not_found(r, error);
    add_sender(r, service, s);
    return OUTCOME_OK;
}

enum outcome sim_pool_delete(struct sim_request *r, struct sim_error *error)
{
    struct sim_service *service = NULL;
    const struct sim_sender *s = find(r, &service);

    if (!s)
        return sim_request_not_found(r, error);
    sim_service_remove(service, s);
    r->status = 204;
    return OUTCOME_OK;
}
