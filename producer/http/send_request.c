#include "send_request.h"

#include "account.h"
#include "idempotency_key.h"
#include "json.h"
#include "send_time.h"

#include <stdlib.h>
#include <string.h>

// What the walk over the members collects.
struct draft {
    struct send_request *request;
    struct complaint *complaint;
    char *to;
    size_t to_len;
    unsigned seen;  // one bit per member
};

typedef enum outcome member_reader(struct draft *d, const struct json_value *value);

static enum outcome complain(struct draft *d, const char *field, const char *code,
                             const char *detail)
{
    d->complaint->status = 422;
    d->complaint->code = code;
    d->complaint->field = field;
    return err_set(&d->complaint->detail, OUTCOME_REJECT, "%s", detail);
}

static enum outcome read_text(char **out, size_t *len, struct draft *d, const char *field,
                              const struct json_value *value)
{
    if (value->kind != JSON_STRING)
        return complain(d, field, "wrong_type", "this field must be a text");
    if (memchr(value->text, '\0', value->len))
        return complain(d, field, "wrong_value", "a NUL character cannot be sent");
    *out = xmemdup0(value->text, value->len);
    if (len)
        *len = value->len;
    return OUTCOME_OK;
}

static enum outcome read_to(struct draft *d, const struct json_value *value)
{
    return read_text(&d->to, &d->to_len, d, "to", value);
}

// Twilio counts characters; a character outside the basic plane counts as two here.
static size_t utf16_units(const char *text, size_t len)
{
    size_t units = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        units += (c & 0xc0) != 0x80;
        units += c >= 0xf0;
    }
    return units;
}

static enum outcome read_body(struct draft *d, const struct json_value *value)
{
    struct send_request *r = d->request;
    enum outcome rc = read_text(&r->body, &r->body_len, d, "body", value);

    if (rc)
        return rc;
    if (r->body_len == 0)
        return complain(d, "body", "empty", "the text of the message is empty");
    if (utf16_units(r->body, r->body_len) > SEND_TEXT_MAX)
        return complain(d, "body", "too_long",
                        "the text is longer than Twilio's 1600 characters");
    return OUTCOME_OK;
}

static enum outcome read_from(struct draft *d, const struct json_value *value)
{
    enum outcome rc = read_text(&d->request->from, NULL, d, "from", value);

    if (!rc && !account_sender_type(d->request->from))
        rc = complain(
            d, "from", "invalid_sender",
            "a sender is +15551234567, a short code, MG and 32 hex digits, or up "
            "to 11 letters and digits");
    return rc;
}

static enum outcome read_class(struct draft *d, const struct json_value *value)
{
    static const char *const classes[] = { "otp", "emergency", "transactional",
                                           "marketing" };
    char *word = NULL;
    enum outcome rc = read_text(&word, NULL, d, "class", value);

    if (rc)
        return rc;
    free(d->request->message_class);
    d->request->message_class = word;
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (strcmp(classes[i], word) == 0)
            return OUTCOME_OK;
    return complain(d, "class", "wrong_value",
                    "a class is otp, emergency, transactional or marketing");
}

static enum outcome read_reference(struct draft *d, const struct json_value *value)
{
    size_t len = 0;
    enum outcome rc = read_text(&d->request->reference, &len, d, "reference", value);

    if (!rc && (len == 0 || len > SEND_REFERENCE_MAX_BYTES))
        rc = complain(d, "reference", "wrong_length", "a reference has 1 to 128 bytes");
    return rc;
}

static enum outcome read_expires_in(struct draft *d, const struct json_value *value)
{
    if (value->kind != JSON_INTEGER)
        return complain(d, "expires_in", "wrong_type",
                        "this field must be a whole number of seconds");
    if (value->integer < SEND_EXPIRES_MIN_S || value->integer > SEND_EXPIRES_MAX_S)
        return complain(d, "expires_in", "out_of_range",
                        "a message may be useful for 10 to 518400 seconds (6 days)");
    d->request->expires_in_s = value->integer;
    return OUTCOME_OK;
}

static enum outcome read_send_at(struct draft *d, const struct json_value *value)
{
    return send_time_read(&d->request->send_at, value, d->complaint);
}

static enum outcome read_strict(struct draft *d, const struct json_value *value)
{
    if (value->kind != JSON_BOOL)
        return complain(d, "strict", "wrong_type", "this field must be true or false");
    d->request->strict = value->boolean;
    return OUTCOME_OK;
}

static enum outcome read_region(struct draft *d, const struct json_value *value)
{
    char region[3] = "";

    if (value->kind == JSON_STRING && value->len == 2)
        memcpy(region, value->text, 2);
    if (!phone_region_is_known(region))
        return complain(d, "region", "wrong_value",
                        "a region is a country of two capital letters, for example US");
    memcpy(d->request->region, region, sizeof(region));
    return OUTCOME_OK;
}

static enum outcome read_key(struct draft *d, const struct json_value *value)
{
    size_t len = 0;
    enum outcome rc = read_text(&d->request->key, &len, d, "idempotency_key", value);

    if (!rc && !idempotency_key_is_valid(d->request->key, len))
        rc = complain(d, "idempotency_key", "wrong_value", IDEMPOTENCY_KEY_RULE);
    return rc;
}

static enum outcome read_if_in_doubt(struct draft *d, const struct json_value *value)
{
    static const char word[] = "send_again";

    if (value->kind != JSON_STRING)
        return complain(d, "if_in_doubt", "wrong_type", "this field must be a text");
    if (value->len != strlen(word) || memcmp(value->text, word, value->len) != 0)
        return complain(d, "if_in_doubt", "wrong_value",
                        "if_in_doubt is send_again, or not there");
    d->request->resend_in_doubt = true;
    return OUTCOME_OK;
}

static const struct {
    const char *name;
    member_reader *read;
} members[] = {
    { "to", read_to },
    { "body", read_body },
    { "from", read_from },
    { "class", read_class },
    { "reference", read_reference },
    { "expires_in", read_expires_in },
    { "send_at", read_send_at },
    { "strict", read_strict },
    { "region", read_region },
    { "idempotency_key", read_key },
    { "if_in_doubt", read_if_in_doubt },
};

// How much of a name is shown: up to 64 bytes, and no part of a character.
static int shown_len(const char *name, size_t len)
{
    size_t shown = len > 64 ? 64 : len;

    while (shown < len && ((unsigned char)name[shown] & 0xc0) == 0x80)
        shown--;
    return (int)shown;
}

static enum outcome unknown_member(struct draft *d, const char *name, size_t len)
{
    d->complaint->status = 422;
    d->complaint->code = "unknown_field";
    return err_set(
        &d->complaint->detail, OUTCOME_REJECT,
        "\"%.*s\" is not a field of this request; it has to, body, from, class, "
        "reference, expires_in, send_at, strict, region, idempotency_key and if_in_doubt",
        shown_len(name, len), name);
}

static enum outcome on_member(void *arg, const char *name, size_t len,
                              const struct json_value *value, struct err *err)
{
    struct draft *d = arg;

    (void)err;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (strlen(members[i].name) != len || memcmp(members[i].name, name, len) != 0)
            continue;
        if (d->seen & 1u << i)
            return complain(d, members[i].name, "given_twice",
                            "this field is given twice");
        d->seen |= 1u << i;
        if (value->kind == JSON_NULL)
            return OUTCOME_OK;  // the same as leaving it out
        return members[i].read(d, value);
    }
    return unknown_member(d, name, len);
}

static enum outcome check_number(struct draft *d)
{
    struct send_request *r = d->request;
    struct err why = { 0 };

    if (phone_parse(&r->to, d->to, d->to_len, r->region, &why)) {
        err_context(&why, "this cannot be a phone number");
        return complain(d, "to", "invalid_number", why.text);
    }
    if (r->strict && !r->to.valid)
        return complain(d, "to", "number_not_valid",
                        "no such number range is known, and strict is true");
    return OUTCOME_OK;
}

static enum outcome check(struct draft *d)
{
    struct send_request *r = d->request;

    if (!d->to)
        return complain(d, "to", "missing", "the recipient's number is missing");
    if (!r->body)
        return complain(d, "body", "missing", "the text of the message is missing");
    if (r->resend_in_doubt && strcmp(r->message_class, "transactional") != 0)
        return complain(
            d, "if_in_doubt", "wrong_value",
            "only a transactional message has this choice: emergency is always "
            "sent again, otp and marketing never");
    r->segments = segments_count(r->body, r->body_len);
    return check_number(d);
}

enum outcome send_request_parse(struct send_request *out, struct json_reader *json,
                                const char *region, const char *bytes, size_t len,
                                struct complaint *complaint)
{
    struct send_request r = { .message_class = xstrdup("transactional") };
    struct draft d = { .request = &r, .complaint = complaint };
    struct err err = { 0 };

    memcpy(r.region, region, 2);
    *complaint = (struct complaint){ 0 };
    enum outcome rc = json_read(json, bytes, len, on_member, &d, &err);
    if (rc && complaint->status == 0) {
        complaint->status = 400;
        complaint->code = "malformed_json";
        complaint->detail = err;
    }
    if (!rc)
        rc = check(&d);
    free(d.to);
    if (rc)
        send_request_free(&r);
    else
        *out = r;
    return rc;
}

void send_request_free(struct send_request *r)
{
    free(r->body);
    free(r->from);
    free(r->reference);
    free(r->message_class);
    free(r->key);
    *r = (struct send_request){ 0 };
}
