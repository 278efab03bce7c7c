#include "sim_check.h"
#include "account.h"
#include "form.h"
#include "rate_card.h"
#include "segments.h"
#include "sim_url.h"

#include <string.h>

static const struct sim_text nothing = { "", 0 };

struct sim_text sim_check_param(const struct form *form, const char *name)
{
    const struct form_pair *pair = form_find(form, name);

    return pair ? (struct sim_text){ pair->value, pair->value_len } : nothing;
}

static enum outcome check_presence(const struct sim_checked *out, struct sim_error *error)
{
    const struct sim_draft *d = &out->draft;

    if (d->to.len == 0)
        return sim_error_code(error, 21604, nothing);
    if (d->from.len == 0 && d->service.len == 0)
        return sim_error_code(error, 21603, nothing);
    if (d->body.len == 0 && d->media_count == 0 && !out->has_content)
        return sim_error_code(error, 21602, nothing);
    return OUTCOME_OK;
}

static size_t count_characters(struct sim_text text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    return count;
}

// A trial account's texts begin with a sentence of Twilio's.
static void add_trial_text(struct sim_checked *out)
{
    struct sim_draft *d = &out->draft;
    size_t len = strlen(SIM_CHECK_TRIAL);

    memcpy(out->trial_body, SIM_CHECK_TRIAL, len);
    memcpy(out->trial_body + len, d->body.bytes, d->body.len);
    d->body = (struct sim_text){ out->trial_body, len + d->body.len };
}

static enum outcome check_body(struct sim_checked *out, struct sim_error *error)
{
    struct sim_draft *d = &out->draft;

    if (!utf8_is_valid(d->body.bytes, d->body.len))
        return sim_error_code(error, 21618, nothing);
    if (count_characters(d->body) > SIM_CHECK_BODY_CHARACTERS)
        return sim_error_code(error, 21617, nothing);
    if (out->account->is_trial &&
        d->body.len + strlen(SIM_CHECK_TRIAL) <= SIM_MESSAGE_BODY_MAX_BYTES)
        add_trial_text(out);
    d->segments = 1;  // of MMS and WhatsApp, whatever their length
    if (!out->is_whatsapp && d->media_count == 0)
        d->segments = segments_count(d->body.bytes, d->body.len).count;
    return OUTCOME_OK;
}

// A service may bring an address for messages that have none.
static enum outcome check_callback(struct sim_checked *out, struct sim_error *error)
{
    struct sim_draft *d = &out->draft;

    if (d->callback.len && !sim_url_is_callback(d->callback))
        return sim_error_code(error, 21609, d->callback);
    if (d->callback.len == 0 && out->service && out->service->status_callback)
        d->callback = (struct sim_text){ out->service->status_callback,
                                         strlen(out->service->status_callback) };
    return OUTCOME_OK;
}

static void set_cost(struct sim_checked *out, const struct sim_checker *c)
{
    struct sim_draft *d = &out->draft;
    const char *type =
        d->service.len ? "messaging_service" : account_sender_type(out->from_text);
    bool is_default = false;

    if (out->is_whatsapp)
        return;
    const struct rate *rate =
        rate_card_find(c->rates, out->to.country[0] ? out->to.country : NULL, type, "sms",
                       "outbound", &is_default);
    if (!rate)
        return;
    d->cost_micros = rate_card_estimate(rate, d->segments);
    d->fee_micros = d->segments * rate->carrier_fee_micros;
}

static enum outcome check_all(struct sim_checked *out, const struct sim_checker *c,
                              const struct form *form, struct sim_error *error)
{
    enum outcome rc = sim_check_media(out, form, error);
    if (!rc)
        rc = sim_check_content(out, form, error);
    if (!rc)
        rc = check_presence(out, error);
    if (!rc)
        rc = sim_check_to(out, c, error);
    if (!rc)
        rc = sim_check_service(out, c, error);
    if (!rc)
        rc = sim_check_from(out, c, error);
    if (!rc)
        rc = check_body(out, error);
    if (!rc)
        rc = check_callback(out, error);
    if (!rc)
        rc = sim_check_times(out, c, form, error);
    if (!rc)
        rc = sim_check_reach(out, c, error);
    return rc;
}

enum outcome sim_check(struct sim_checked *out, const struct sim_checker *c,
                       struct sim_account *account, const struct form *form,
                       struct sim_error *error)
{
    out->account = account;
    out->service = NULL;
    out->is_whatsapp = out->has_content = false;
    out->from_text[0] = '\0';
    out->draft = (struct sim_draft){
        .account = account->index,
        .to = sim_check_param(form, "To"),
        .from = sim_check_param(form, "From"),
        .service = sim_check_param(form, "MessagingServiceSid"),
        .body = sim_check_param(form, "Body"),
        .callback = sim_check_param(form, "StatusCallback"),
    };
    enum outcome rc = check_all(out, c, form, error);
    if (!rc)
        set_cost(out, c);
    return rc;
}
