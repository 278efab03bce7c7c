// sim_short_codes_api.c: the resource ShortCode: the short codes of an account.
#include "http_server.h"
#include "sim_clock.h"
#include "sim_hook.h"
#include "sim_json.h"
#include "sim_page.h"
#include "simulator.h"

#include <stdio.h>
#include <string.h>

enum { URI_BYTES = 160 };

static bool is_short_code(const struct sim_sender *s)
{
    return strcmp(s->type, "short_code") == 0;
}

static void add_short_code(const struct sim_request *r, const struct sim_sender *s)
{
    char uri[URI_BYTES];

    (void)snprintf(uri, sizeof(uri),
                   "/" SIM_JSON_API_VERSION "/Accounts/%s/SMS/ShortCodes/%s.json",
                   r->account->sid, s->sid);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "sid", s->sid);
    sim_json_text(r->out, "account_sid", r->account->sid);
    sim_json_text(r->out, "short_code", s->sender);
    sim_json_text(r->out, "friendly_name", s->name);
    sim_json_text(r->out, "api_version", SIM_JSON_API_VERSION);
    sim_json_date_member(r->out, "date_created", s->created_us);
    sim_json_date_member(r->out, "date_updated", s->updated_us);
    sim_json_text(r->out, "sms_url", s->sms.url);
    sim_json_text(r->out, "sms_method", sim_hook_method(s->sms.is_get));
    sim_json_text(r->out, "sms_fallback_url", s->sms.fallback_url);
    sim_json_text(r->out, "sms_fallback_method", sim_hook_method(s->sms.is_fallback_get));
    sim_json_text(r->out, "uri", uri);
    buf_add_char(r->out, '}');
}

enum outcome sim_short_codes_list(struct sim_request *r, struct sim_error *error)
{
    const struct sim_table *all = &r->account->senders;
    struct sim_page page;
    size_t count = 0;

    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (rc)
        return rc;
    const char *code = sim_page_filter(&page, r->http, "ShortCode");
    buf_add_text(r->out, "{\"short_codes\":[");
    for (size_t i = 0; i < all->count; i++) {
        const struct sim_sender *s = all->rows[i];
        if (!is_short_code(s) || (code && !strstr(s->sender, code)))
            continue;
        if (sim_page_takes(r->out, &page, count++))
            add_short_code(r, s);
    }
    buf_add_char(r->out, ']');
    sim_page_close(r->out, &page, count);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

static struct sim_sender *find(const struct sim_request *r)
{
    struct sim_sender *s = sim_account_sender_of(r->account, r->ids[1]);

    return s && is_short_code(s) ? s : NULL;
}

enum outcome sim_short_codes_fetch(struct sim_request *r, struct sim_error *error)
{
    const struct sim_sender *s = find(r);

    if (!s)
        return sim_request_not_found(r, error);
    add_short_code(r, s);
    return OUTCOME_OK;
}

enum outcome sim_short_codes_update(struct sim_request *r, struct sim_error *error)
{
    struct sim_sender *s = find(r);

    if (!s)
        return sim_request_not_found(r, error);
    enum outcome rc = sim_hook_update(&s->sms, r, &sim_hook_sms_names, error);
    if (!rc && !sim_request_name(r, s->name))
        rc = sim_request_bad_param(error, "FriendlyName");
    if (rc)
        return rc;
    s->updated_us = sim_clock_now_us(r->sim->clock);
    add_short_code(r, s);
    return OUTCOME_OK;
}
