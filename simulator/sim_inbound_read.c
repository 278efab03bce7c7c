#include "sim_inbound_read.h"
#include "account.h"
#include "form.h"
#include "rate_card.h"
#include "segments.h"
#include "sim_phone.h"
#include "sim_url.h"
#include "simulator.h"

#include <string.h>

static const char whatsapp[] = "whatsapp:";

// Reads an address; short codes are senders only.
static bool read_address(struct simulator *sim, struct sim_text text, bool may_be_short,
                         char out[32])
{
    size_t skip = strlen(whatsapp);
    struct phone phone = { 0 };

    if (text.len <= skip || memcmp(text.bytes, whatsapp, skip) != 0)
        skip = 0;
    text = (struct sim_text){ text.bytes + skip, text.len - skip };
    memcpy(out, whatsapp, skip);
    out[skip] = '\0';
    if (may_be_short && skip == 0 && text.len >= 3 && text.len <= 8) {
        memcpy(out, text.bytes, text.len);
        out[text.len] = '\0';
        const char *type = account_sender_type(out);
        if (type && strcmp(type, "short_code") == 0)
            return true;
    }
    if (text.len == 0 ||
        sim_phone_read(&phone, sim->checker.phones, text.bytes, text.len))
        return false;
    memcpy(out + skip, phone.e164, sizeof(phone.e164));
    return true;
}

static const char *plain(const char *address)
{
    size_t skip = strlen(whatsapp);
    return strncmp(address, whatsapp, skip) == 0 ? address + skip : address;
}

// The account that lists the sender; else the first that owns every sender.
static struct sim_account *find_account(const struct sim_accounts *all, const char *to)
{
    const char *sender = plain(to);

    for (size_t i = 0; i < all->table.count; i++) {
        struct sim_account *a = sim_accounts_at(all, i);
        if (!a->is_test && sim_table_find(&a->senders, sender, strlen(sender)))
            return a;
    }
    for (size_t i = 0; i < all->table.count; i++) {
        struct sim_account *a = sim_accounts_at(all, i);
        if (!a->is_test && (a->owns_all_senders || strcmp(to, SIM_CHECK_SANDBOX) == 0))
            return a;
    }
    return NULL;
}

static enum outcome read_account(struct sim_inbound_message *out, struct simulator *sim,
                                 const struct form *form, struct err *err)
{
    struct sim_text sid = sim_check_param(form, "account");
    struct sim_account *a = sid.len
                                ? sim_table_find(&sim->accounts.table, sid.bytes, sid.len)
                                : find_account(&sim->accounts, out->to);

    if (!a ||
        (!sim_account_owns(a, plain(out->to)) && strcmp(out->to, SIM_CHECK_SANDBOX) != 0))
        return err_set(err, OUTCOME_REJECT, "no account owns the sender \"to\"");
    out->account = a;
    out->service = sim_account_service_of(a, plain(out->to));
    out->own = sim_table_find(&a->senders, plain(out->to), strlen(plain(out->to)));
    return OUTCOME_OK;
}

static enum outcome read_content(struct sim_inbound_message *out, const struct form *form,
                                 struct err *err)
{
    struct sim_draft *d = &out->draft;

    d->body = sim_check_param(form, "body");
    if (!utf8_is_valid(d->body.bytes, d->body.len) ||
        d->body.len > SIM_MESSAGE_BODY_MAX_BYTES)
        return err_set(err, OUTCOME_REJECT, "\"body\" is not UTF-8 of up to %d bytes",
                       SIM_MESSAGE_BODY_MAX_BYTES);
    for (size_t i = 0; i < form->count; i++) {
        const struct form_pair *pair = &form->pairs[i];
        struct sim_text url = { pair->value, pair->value_len };
        if (pair->name_len != 5 || memcmp(pair->name, "media", 5) != 0)
            continue;
        if (d->media_count == SIM_MESSAGE_MEDIA_MAX || !sim_url_is_callback(url) ||
            url.len > SIM_MESSAGE_MEDIA_URL_MAX_BYTES)
            return err_set(err, OUTCOME_REJECT, "\"media\" is up to %d addresses",
                           SIM_MESSAGE_MEDIA_MAX);
        d->media[d->media_count++] = url;
    }
    if (d->body.len == 0 && d->media_count == 0)
        return err_set(err, OUTCOME_REJECT, "\"body\" or \"media\" is missing");
    d->segments = 1;
    if (!out->is_whatsapp && d->media_count == 0)
        d->segments = segments_count(d->body.bytes, d->body.len).count;
    return OUTCOME_OK;
}

static void set_cost(struct sim_inbound_message *out, const struct simulator *sim)
{
    struct phone phone = { 0 };
    bool is_default = false;
    const char *number = plain(out->to);

    if (out->is_whatsapp)
        return;
    bool is_known = !sim_phone_read(&phone, sim->checker.phones, number, strlen(number));
    const struct rate *rate =
        rate_card_find(sim->rates, is_known && phone.country[0] ? phone.country : NULL,
                       account_sender_type(number), "sms", "inbound", &is_default);
    if (!rate)
        return;
    out->draft.cost_micros = rate_card_estimate(rate, out->draft.segments);
    out->draft.fee_micros = out->draft.segments * rate->carrier_fee_micros;
}

enum outcome sim_inbound_read(struct sim_inbound_message *out, struct simulator *sim,
                              const struct form *form, struct err *err)
{
    *out = (struct sim_inbound_message){ .draft.direction = SIM_INBOUND };
    if (!read_address(sim, sim_check_param(form, "from"), false, out->from))
        return err_set(err, OUTCOME_REJECT, "\"from\" is not a phone number");
    if (!read_address(sim, sim_check_param(form, "to"), true, out->to))
        return err_set(err, OUTCOME_REJECT, "\"to\" is not a number or short code");
    out->is_whatsapp = plain(out->to) != out->to;
    if (out->is_whatsapp != (plain(out->from) != out->from))
        return err_set(err, OUTCOME_REJECT,
                       "\"from\" and \"to\" differ in their channel");
    enum outcome rc = read_account(out, sim, form, err);
    if (!rc)
        rc = read_content(out, form, err);
    if (rc)
        return rc;
    set_cost(out, sim);
    out->draft.account = out->account->index;
    out->draft.to = (struct sim_text){ out->to, strlen(out->to) };
    out->draft.from = (struct sim_text){ out->from, strlen(out->from) };
    if (out->service)
        out->draft.service = (struct sim_text){ out->service->sid, 34 };
    return OUTCOME_OK;
}
