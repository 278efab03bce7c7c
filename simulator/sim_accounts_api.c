// sim_accounts_api.c: the resources Account, Balance and Key.
#include "http_server.h"
#include "rate_card.h"
#include "sim_accounts.h"
#include "sim_clock.h"
#include "sim_json.h"
#include "sim_page.h"
#include "sim_request.h"
#include "simulator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_words[] = { "active", "suspended", "closed" };

static void add_subresources(struct buf *out, const struct sim_account *a)
{
    static const char *const names[][2] = {
        { "available_phone_numbers", "AvailablePhoneNumbers" },
        { "calls", "Calls" },
        { "conferences", "Conferences" },
        { "incoming_phone_numbers", "IncomingPhoneNumbers" },
        { "notifications", "Notifications" },
        { "outgoing_caller_ids", "OutgoingCallerIds" },
        { "recordings", "Recordings" },
        { "transcriptions", "Transcriptions" },
        { "addresses", "Addresses" },
        { "signing_keys", "SigningKeys" },
        { "connect_apps", "ConnectApps" },
        { "sip", "SIP" },
        { "authorized_connect_apps", "AuthorizedConnectApps" },
        { "usage", "Usage" },
        { "keys", "Keys" },
        { "applications", "Applications" },
        { "short_codes", "SMS/ShortCodes" },
        { "queues", "Queues" },
        { "messages", "Messages" },
        { "balance", "Balance" },
    };

    buf_add_text(out, ",\"subresource_uris\":{");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        buf_addf(out, "%s\"%s\":\"/" SIM_JSON_API_VERSION "/Accounts/%s/%s.json\"",
                 i ? "," : "", names[i][0], a->sid, names[i][1]);
    buf_add_char(out, '}');
}

static void add_account(struct buf *out, const struct sim_account *a)
{
    char uri[SIM_REQUEST_ID_BYTES + 32];

    (void)snprintf(uri, sizeof(uri), "/" SIM_JSON_API_VERSION "/Accounts/%s.json",
                   a->sid);
    buf_add_char(out, '{');
    sim_json_text(out, "sid", a->sid);
    sim_json_text(out, "owner_account_sid", a->owner->sid);
    sim_json_text(out, "friendly_name", a->name);
    sim_json_text(out, "auth_token", a->token);
    sim_json_text(out, "status", status_words[a->status]);
    sim_json_text(out, "type", a->is_trial ? "Trial" : "Full");
    sim_json_date_member(out, "date_created", a->created_us);
    sim_json_date_member(out, "date_updated", a->updated_us);
    sim_json_text(out, "uri", uri);
    add_subresources(out, a);
    buf_add_char(out, '}');
}

static bool is_listed(const struct sim_request *r, const struct sim_account *a,
                      const char *name, const char *status)
{
    return (a == r->caller || a->owner == r->caller) &&
           (!name || strcmp(name, a->name) == 0) &&
           (!status || strcmp(status, status_words[a->status]) == 0);
}

enum outcome sim_accounts_list(struct sim_request *r, struct sim_error *error)
{
    const struct sim_accounts *all = &r->sim->accounts;
    struct sim_page page;
    size_t count = 0;

    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (rc)
        return rc;
    const char *name = sim_page_filter(&page, r->http, "FriendlyName");
    const char *status = sim_page_filter(&page, r->http, "Status");
    buf_add_text(r->out, "{\"accounts\":[");
    for (size_t i = 0; i < all->table.count; i++) {
        if (!is_listed(r, sim_accounts_at(all, i), name, status))
            continue;
        if (sim_page_takes(r->out, &page, count++))
            add_account(r->out, sim_accounts_at(all, i));
    }
    buf_add_char(r->out, ']');
    sim_page_close(r->out, &page, count);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

enum outcome sim_accounts_fetch(struct sim_request *r, struct sim_error *error)
{
    (void)error;
    add_account(r->out, r->account);
    return OUTCOME_OK;
}

bool sim_request_name(const struct sim_request *r, char name[SIM_ACCOUNT_NAME_BYTES])
{
    bool is_bad = false;
    char *value =
        sim_request_param(r, "FriendlyName", SIM_ACCOUNT_NAME_BYTES - 1, &is_bad);

    if (value)
        (void)snprintf(name, SIM_ACCOUNT_NAME_BYTES, "%s", value);
    free(value);
    return !is_bad;
}

enum outcome sim_accounts_create(struct sim_request *r, struct sim_error *error)
{
    char name[SIM_ACCOUNT_NAME_BYTES] = "SubAccount";

    if (!sim_request_name(r, name))
        return sim_request_bad_param(error, "FriendlyName");
    struct sim_account *a =
        sim_accounts_new(&r->sim->accounts, r->caller, sim_clock_now_us(r->sim->clock));
    if (!a)
        return sim_request_bad_param(error, "too many accounts");
    (void)snprintf(a->name, sizeof(a->name), "%s", name);
    add_account(r->out, a);
    r->status = 201;
    return OUTCOME_OK;
}

// An account cannot end itself: its owner does.
static enum outcome update_status(struct sim_request *r, const char *word,
                                  struct sim_error *error)
{
    for (size_t i = 0; i < COUNT_OF(status_words); i++) {
        if (strcmp(word, status_words[i]) != 0)
            continue;
        if (r->account == r->caller && i != SIM_ACCOUNT_ACTIVE)
            break;
        r->account->status = (enum sim_account_status)i;
        return OUTCOME_OK;
    }
    return sim_request_bad_param(error, "Status");
}

enum outcome sim_accounts_update(struct sim_request *r, struct sim_error *error)
{
    bool is_bad = false;
    char *status = sim_request_param(r, "Status", SIM_REQUEST_ID_BYTES, &is_bad);
    enum outcome rc = OUTCOME_OK;

    if (is_bad)
        rc = sim_request_bad_param(error, "Status");
    else if (status)
        rc = update_status(r, status, error);
    free(status);
    if (!rc && !sim_request_name(r, r->account->name))
        rc = sim_request_bad_param(error, "FriendlyName");
    if (rc)
        return rc;
    r->account->updated_us = sim_clock_now_us(r->sim->clock);
    add_account(r->out, r->account);
    return OUTCOME_OK;
}

// Subaccounts have no balance of their own: their owner's holds what they use.
enum outcome sim_balance_fetch(struct sim_request *r, struct sim_error *error)
{
    const struct sim_accounts *all = &r->sim->accounts;
    char text[RATE_TEXT_BYTES];
    int64_t micros = r->account->balance_micros;

    if (r->account->owner != r->account)
        return sim_request_not_found(r, error);
    for (size_t i = 0; i < all->table.count; i++)
        if (sim_accounts_at(all, i)->owner == r->account)
            micros -= sim_usage_total(&sim_accounts_at(all, i)->usage);
    rate_card_format_micros(text, micros);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "account_sid", r->account->sid);
    sim_json_text(r->out, "balance", text);
    sim_json_text(r->out, "currency", r->sim->json.currency);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

static void add_key(struct buf *out, const struct sim_key *key, bool with_secret)
{
    buf_add_char(out, '{');
    sim_json_text(out, "sid", key->sid);
    sim_json_text(out, "friendly_name", key->name);
    sim_json_date_member(out, "date_created", key->created_us);
    sim_json_date_member(out, "date_updated", key->updated_us);
    if (with_secret)
        sim_json_text(out, "secret", key->secret);
    buf_add_char(out, '}');
}

enum outcome sim_keys_list(struct sim_request *r, struct sim_error *error)
{
    const struct sim_table *keys = &r->account->keys;
    struct sim_page page;

    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (rc)
        return rc;
    buf_add_text(r->out, "{\"keys\":[");
    size_t first = sim_page_first(&page, keys->count);
    for (size_t i = first; i < sim_page_end(&page, keys->count); i++) {
        if (i > first)
            buf_add_char(r->out, ',');
        add_key(r->out, keys->rows[i], false);
    }
    buf_add_char(r->out, ']');
    sim_page_close(r->out, &page, keys->count);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

// The secret is told only here.
enum outcome sim_keys_create(struct sim_request *r, struct sim_error *error)
{
    struct sim_key *key =
        sim_account_add_key(r->account, r->sim->sids, sim_clock_now_us(r->sim->clock));

    if (!key || !sim_request_name(r, key->name))
        return sim_request_bad_param(error, "FriendlyName");
    add_key(r->out, key, true);
    r->status = 201;
    return OUTCOME_OK;
}

static struct sim_key *find_key(const struct sim_request *r)
{
    return sim_table_find(&r->account->keys, r->ids[1], strlen(r->ids[1]));
}

enum outcome sim_keys_fetch(struct sim_request *r, struct sim_error *error)
{
    const struct sim_key *key = find_key(r);

    if (!key)
        return sim_request_not_found(r, error);
    add_key(r->out, key, false);
    return OUTCOME_OK;
}

enum outcome sim_keys_update(struct sim_request *r, struct sim_error *error)
{
    struct sim_key *key = find_key(r);

    if (!key)
        return sim_request_not_found(r, error);
    if (!sim_request_name(r, key->name))
        return sim_request_bad_param(error, "FriendlyName");
    key->updated_us = sim_clock_now_us(r->sim->clock);
    add_key(r->out, key, false);
    return OUTCOME_OK;
}

enum outcome sim_keys_delete(struct sim_request *r, struct sim_error *error)
{
    struct sim_key *key = find_key(r);

    if (!key)
        return sim_request_not_found(r, error);
    sim_account_remove_key(r->account, key);
    r->status = 204;
    return OUTCOME_OK;
}
