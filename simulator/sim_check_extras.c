// sim_check_extras.c: what else a create may ask for: media, content templates, times.
#include "form.h"
#include "json.h"
#include "sim_check.h"
#include "sim_dates.h"
#include "sim_url.h"

#include <string.h>

static const struct sim_text nothing = { "", 0 };

static bool is_named(const struct form_pair *pair, const char *name)
{
    return strlen(name) == pair->name_len &&
           memcmp(name, pair->name, pair->name_len) == 0;
}

static bool is_text(struct sim_text text, const char *word)
{
    return strlen(word) == text.len && memcmp(word, text.bytes, text.len) == 0;
}

enum outcome sim_check_media(struct sim_checked *out, const struct form *form,
                             struct sim_error *error)
{
    struct sim_draft *d = &out->draft;

    for (size_t i = 0; i < form->count; i++) {
        const struct form_pair *pair = &form->pairs[i];
        struct sim_text url = { pair->value, pair->value_len };

        if (!is_named(pair, "MediaUrl") || url.len == 0)
            continue;
        if (url.len > SIM_MESSAGE_MEDIA_URL_MAX_BYTES || !sim_url_is_callback(url))
            return sim_error_code(error, 21620, url);
        if (d->media_count == SIM_MESSAGE_MEDIA_MAX)
            return sim_error_code(error, 21623, url);
        d->media[d->media_count++] = url;
    }
    return OUTCOME_OK;
}

static bool is_sid(struct sim_text text, const char *kind)
{
    unsigned char bytes[16];

    return text.len == 34 && memcmp(text.bytes, kind, 2) == 0 &&
           hex_decode(bytes, sizeof(bytes), text.bytes + 2, text.len - 2);
}

static enum outcome take_any(void *arg, const char *name, size_t name_len,
                             const struct json_value *value, struct err *err)
{
    (void)arg;
    (void)name;
    (void)name_len;
    (void)value;
    (void)err;
    return OUTCOME_OK;
}

static bool is_json_object(struct sim_text text)
{
    struct json_reader *reader = json_reader_new();
    enum outcome rc = json_read(reader, text.bytes, text.len, take_any, NULL, NULL);

    json_reader_free(reader);
    return rc == OUTCOME_OK;
}

enum outcome sim_check_content(struct sim_checked *out, const struct form *form,
                               struct sim_error *error)
{
    struct sim_text sid = sim_check_param(form, "ContentSid");
    struct sim_text variables = sim_check_param(form, "ContentVariables");
    struct sim_text content = sim_check_param(form, "ContentRetention");
    struct sim_text address = sim_check_param(form, "AddressRetention");

    out->has_content = sid.len > 0;
    if (variables.len && sid.len == 0)
        return sim_error_code(error, 21654, nothing);
    if (sid.len && !is_sid(sid, "HX"))
        return sim_error_code(error, 21655, sid);
    if (variables.len && !is_json_object(variables))
        return sim_error_code(error, 21656, nothing);
    if (content.len && !is_text(content, "retain"))
        return sim_error_code(error, 30029, content);
    if (address.len && !is_text(address, "retain"))
        return sim_error_code(error, 30030, address);
    if (sim_check_param(form, "FallbackFrom").len && out->draft.service.len == 0)
        return sim_error_code(error, 21664, nothing);
    return OUTCOME_OK;
}

static enum outcome check_validity(struct sim_draft *d, struct sim_text seconds,
                                   struct sim_error *error)
{
    int value = 0;

    for (size_t i = 0; i < seconds.len; i++) {
        char c = seconds.bytes[i];
        if (c < '0' || c > '9')
            return sim_error_code(error, 90014, seconds);
        if (value <= SIM_MESSAGE_VALIDITY_MAX_S)
            value = value * 10 + (c - '0');
    }
    if (value == 0)
        return sim_error_code(error, 90014, seconds);
    if (value > SIM_MESSAGE_VALIDITY_MAX_S)
        return sim_error_code(error, 90007, seconds);
    d->validity_s = value;
    return OUTCOME_OK;
}

static enum outcome check_send_at(struct sim_checked *out, const struct sim_checker *c,
                                  struct sim_text send_at, struct sim_error *error)
{
    static const int64_t min_us = SIM_CHECK_AHEAD_MIN_S * INT64_C(1000000);
    static const int64_t max_us = SIM_CHECK_AHEAD_MAX_S * INT64_C(1000000);
    int64_t at_us = 0;
    bool is_day = false;

    if (send_at.len == 0)
        return sim_error_code(error, 35111, nothing);
    if (!out->service)
        return sim_error_code(error, 35118, nothing);
    if (!sim_dates_parse(&at_us, &is_day, send_at.bytes, send_at.len) || is_day ||
        at_us - c->now_us <= min_us || at_us - c->now_us > max_us)
        return sim_error_code(error, 35114, send_at);
    if (out->account->scheduled_count >= SIM_CHECK_SCHEDULED_MAX)
        return sim_error_code(error, 35125, nothing);
    out->draft.send_at_us = at_us;
    return OUTCOME_OK;
}

enum outcome sim_check_times(struct sim_checked *out, const struct sim_checker *c,
                             const struct form *form, struct sim_error *error)
{
    struct sim_text validity = sim_check_param(form, "ValidityPeriod");
    struct sim_text type = sim_check_param(form, "ScheduleType");
    enum outcome rc = OUTCOME_OK;

    out->draft.validity_s = out->service ? out->service->validity_s : 0;
    if (validity.len)
        rc = check_validity(&out->draft, validity, error);
    if (!rc && is_text(type, "fixed"))  // SendAt without it is ignored
        rc = check_send_at(out, c, sim_check_param(form, "SendAt"), error);
    return rc;
}
