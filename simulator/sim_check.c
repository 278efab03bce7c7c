#include "sim_check.h"
#include "account.h"
#include "form.h"
#include "rate_card.h"
#include "segments.h"
#include "sim_magic.h"
#include "sim_phone.h"
#include "sim_url.h"

#include <string.h>

enum { BAD_REQUEST = 400, NOT_FOUND = 404 };

static const struct sim_text nothing = { "", 0 };

static enum outcome fail(struct sim_error *error, int code, const char *message,
                         struct sim_text value)
{
    return sim_error_set(error, BAD_REQUEST, code, message, value);
}

static struct sim_text param(const struct form *form, const char *name)
{
    const struct form_pair *pair = form_find(form, name);

    return pair ? (struct sim_text){ pair->value, pair->value_len } : nothing;
}

static enum outcome check_presence(const struct sim_draft *d, struct sim_error *error)
{
    if (d->to.len == 0)
        return fail(error, 21604, "A 'To' phone number is required.", nothing);
    if (d->from.len == 0 && d->service.len == 0)
        return fail(error, 21603, "A 'From' phone number is required.", nothing);
    if (d->body.len == 0)
        return fail(error, 21602, "Message body is required.", nothing);
    return OUTCOME_OK;
}

static bool is_short_code(struct sim_text text)
{
    if (text.len < 3 || text.len > 6)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
    return true;
}

static enum outcome check_to(struct sim_checked *out, const struct sim_checker *c,
                             struct sim_error *error)
{
    struct sim_text to = out->draft.to;

    if (is_short_code(to))
        return fail(error, 21265, "The 'To' number %s cannot be a short code.", to);
    if (sim_phone_read(&out->to, c->phones, to.bytes, to.len))
        return fail(error, 21211, "The 'To' number %s is not a valid phone number.", to);
    out->draft.to = (struct sim_text){ out->to.e164, strlen(out->to.e164) };
    return OUTCOME_OK;
}

// Tells whether number stands in the list, which has commas between its entries.
static bool is_listed(const char *list, const char *number)
{
    size_t len = strlen(number);

    for (const char *at = list; (at = strstr(at, number)); at += len)
        if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

// Normalises the sender into out->from_text.
static enum outcome read_from(struct sim_checked *out, const struct sim_checker *c,
                              struct sim_error *error)
{
    struct sim_text from = out->draft.from;

    if (from.len < sizeof(out->from_text) && !memchr(from.bytes, '\0', from.len)) {
        memcpy(out->from_text, from.bytes, from.len);
        out->from_text[from.len] = '\0';
        const char *type = account_sender_type(out->from_text);
        if (type && strcmp(type, "messaging_service") != 0)
            return OUTCOME_OK;
        if (!type && !sim_phone_read(&out->from, c->phones, from.bytes, from.len)) {
            memcpy(out->from_text, out->from.e164, sizeof(out->from.e164));
            return OUTCOME_OK;
        }
    }
    return fail(error, 21212,
                "The 'From' number %s is not a valid phone number, shortcode, or "
                "alphanumeric sender ID.",
                from);
}

static enum outcome check_from(struct sim_checked *out, const struct sim_checker *c,
                               struct sim_error *error)
{
    if (out->draft.from.len == 0)
        return OUTCOME_OK;
    enum outcome rc = read_from(out, c, error);
    if (rc)
        return rc;

    out->draft.from = (struct sim_text){ out->from_text, strlen(out->from_text) };
    int code = sim_magic_from(out->from_text);
    if (code)
        return fail(error, code, sim_magic_message(code), out->draft.from);
    if (c->senders && !is_listed(c->senders, out->from_text))
        return fail(error, 21659, "'From' %s is not a Twilio phone number.",
                    out->draft.from);
    if (strcmp(out->from_text, out->to.e164) == 0)
        return fail(error, 21266, "'To' and 'From' number cannot be the same: %s",
                    out->draft.from);
    return OUTCOME_OK;
}

static enum outcome check_service(const struct sim_checked *out,
                                  const struct sim_checker *c, struct sim_error *error)
{
    struct sim_text sid = out->draft.service;
    unsigned char bytes[16];

    if (sid.len == 0)
        return OUTCOME_OK;
    if (sid.len != 34 || memcmp(sid.bytes, "MG", 2) != 0 ||
        !hex_decode(bytes, sizeof(bytes), sid.bytes + 2, sid.len - 2))
        return fail(error, 21705, "The Messaging Service SID %s is invalid.", sid);
    if (c->service_sid && (strlen(c->service_sid) != sid.len ||
                           memcmp(c->service_sid, sid.bytes, sid.len) != 0))
        return sim_error_set(error, NOT_FOUND, 21701,
                             "The Messaging Service %s does not exist.", sid);
    return OUTCOME_OK;
}

static size_t count_characters(struct sim_text text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    return count;
}

static enum outcome check_body(struct sim_draft *d, struct sim_error *error)
{
    if (!utf8_is_valid(d->body.bytes, d->body.len))
        return fail(error, 21618, "The message body cannot be sent: not UTF-8.", nothing);
    if (count_characters(d->body) > SIM_CHECK_BODY_CHARACTERS)
        return fail(error, 21617,
                    "The concatenated message body exceeds the 1600 character limit.",
                    nothing);
    d->segments = segments_count(d->body.bytes, d->body.len).count;
    return OUTCOME_OK;
}

static enum outcome check_callback(const struct sim_draft *d, struct sim_error *error)
{
    if (d->callback.len == 0 || sim_url_is_callback(d->callback))
        return OUTCOME_OK;
    return fail(error, 21609, "The StatusCallback URL %s is not a valid URL.",
                d->callback);
}

static enum outcome check_validity(struct sim_text seconds, struct sim_error *error)
{
    int64_t value = 0;

    if (seconds.len == 0)
        return OUTCOME_OK;
    for (size_t i = 0; i < seconds.len; i++) {
        char c = seconds.bytes[i];
        if (c < '0' || c > '9')
            return fail(error, 90014, "ValidityPeriod %s is not a positive integer.",
                        seconds);
        if (value <= SIM_CHECK_VALIDITY_MAX_S)
            value = value * 10 + (c - '0');
    }
    if (value == 0)
        return fail(error, 90014, "ValidityPeriod %s is not a positive integer.",
                    seconds);
    if (value > SIM_CHECK_VALIDITY_MAX_S)
        return fail(error, 90007,
                    "ValidityPeriod %s is not in the range of 1 to 36000 seconds.",
                    seconds);
    return OUTCOME_OK;
}

static enum outcome check_magic_to(struct sim_draft *d, const char *to,
                                   struct sim_error *error)
{
    int code = sim_magic_to(to);

    if (code == 0)
        return OUTCOME_OK;
    if (d->service.len == 0 || !sim_magic_is_late(code))
        return fail(error, code, sim_magic_message(code), d->to);
    d->fate_code = code;
    return OUTCOME_OK;
}

static void set_cost(struct sim_checked *out, const struct sim_checker *c)
{
    const char *type = out->draft.service.len ? "messaging_service"
                                              : account_sender_type(out->from_text);
    bool is_default = false;
    const struct rate *rate =
        rate_card_find(c->rates, out->to.country[0] ? out->to.country : NULL, type, "sms",
                       "outbound", &is_default);

    out->draft.cost_micros = rate ? rate_card_estimate(rate, out->draft.segments) : 0;
}

enum outcome sim_check(struct sim_checked *out, const struct sim_checker *c,
                       const struct form *form, struct sim_error *error)
{
    struct sim_draft *d = &out->draft;

    *d = (struct sim_draft){
        .to = param(form, "To"),
        .from = param(form, "From"),
        .service = param(form, "MessagingServiceSid"),
        .body = param(form, "Body"),
        .callback = param(form, "StatusCallback"),
    };
    enum outcome rc = check_presence(d, error);
    if (!rc)
        rc = check_to(out, c, error);
    if (!rc)
        rc = check_service(out, c, error);
    if (!rc)
        rc = check_from(out, c, error);
    if (!rc)
        rc = check_body(d, error);
    if (!rc)
        rc = check_callback(d, error);
    if (!rc)
        rc = check_validity(param(form, "ValidityPeriod"), error);
    if (!rc)
        rc = check_magic_to(d, out->to.e164, error);
    if (!rc)
        set_cost(out, c);
    return rc;
}
