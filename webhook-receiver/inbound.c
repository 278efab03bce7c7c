#include "inbound.h"

#include "form.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { ADDRESS_MAX_BYTES = 256 };

// Printable ASCII: what Twilio writes into the fields that are copied.
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static void copy_plain(char *out, size_t size, const char *text)
{
    if (strlen(text) < size && is_plain(text))
        memcpy(out, text, strlen(text) + 1);
}

// "whatsapp:+14155550123" is the number on another channel. The same person has the same
// hash on all of them. What is no phone number (a short code) is hashed as it stands.
static const char *split_channel(char *channel, size_t size, const char *address)
{
    size_t len = strspn(address, "abcdefghijklmnopqrstuvwxyz");

    if (address[len] != ':' || len == 0 || len >= size)
        return address;
    if (channel) {
        memcpy(channel, address, len);
        channel[len] = '\0';
    }
    return address + len + 1;
}

static void read_from(struct inbound *out, const struct form *form,
                      const struct keys *keys)
{
    char address[ADDRESS_MAX_BYTES];
    struct phone phone;

    memcpy(out->channel, "sms", sizeof("sms"));
    if (!form_copy(address, sizeof(address), form, "From"))
        return;
    const char *number = split_channel(out->channel, sizeof(out->channel), address);
    out->has_from = true;
    if (!phone_is_e164(number) || phone_parse(&phone, number, strlen(number), "", NULL)) {
        keys_to_hash(keys, number, out->from_hash);
        return;
    }
    keys_to_hash(keys, phone.e164, out->from_hash);
    phone_hint(out->from_hint, phone.country, phone.e164);
    memcpy(out->country, phone.country, sizeof(out->country));
}

static void read_to(struct inbound *out, const struct form *form, const struct keys *keys)
{
    char address[ADDRESS_MAX_BYTES];

    out->has_to = form_copy(address, sizeof(address), form, "To");
    if (out->has_to)
        keys_to_hash(keys, split_channel(NULL, sizeof(address), address), out->to_hash);
}

static void read_sids(struct inbound *out, const struct form *form)
{
    static const char *const names[] = { "MessageSid", "SmsMessageSid", "SmsSid" };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (form_copy(out->sid, sizeof(out->sid), form, names[i]) &&
            sid_is_message(out->sid))
            break;
        else
            out->sid[0] = '\0';
    if (!form_copy(out->messaging_service_sid, sizeof(out->messaging_service_sid), form,
                   "MessagingServiceSid") ||
        !sid_is(out->messaging_service_sid, "MG"))
        out->messaging_service_sid[0] = '\0';
}

static void read_rest(struct inbound *out, const struct form *form)
{
    char text[17];

    if (form_copy(text, sizeof(text), form, "OptOutType"))
        copy_plain(out->opt_out, sizeof(out->opt_out), text);
    if (form_copy(text, 4, form, "NumMedia") && text[strspn(text, "0123456789")] == '\0')
        out->media_count = (int32_t)strtol(text, NULL, 10);
}

enum outcome inbound_read(struct inbound *out, const struct form *form,
                          const char *idempotency_token, const struct keys *keys,
                          struct err *err)
{
    *out = (struct inbound){ .received_at = clock_wall_us() };
    if (form->count == 0)
        return err_set(err, OUTCOME_REJECT, "the form is empty");
    read_sids(out, form);
    read_from(out, form, keys);
    read_to(out, form, keys);
    read_rest(out, form);
    if (idempotency_token)
        copy_plain(out->idempotency_token, sizeof(out->idempotency_token),
                   idempotency_token);
    return OUTCOME_OK;
}

static const char *text_of(const char *text)
{
    return text[0] ? text : NULL;
}

void inbound_record(struct sms_inbound *out, const struct inbound *in)
{
    *out = (struct sms_inbound){
        .twilio_sid = text_of(in->sid),
        .channel = in->channel,
        .from_hint = text_of(in->from_hint),
        .country = text_of(in->country),
        .messaging_service_sid = text_of(in->messaging_service_sid),
        .media_count = in->media_count,
        .opt_out = text_of(in->opt_out),
        .idempotency_token = text_of(in->idempotency_token),
        .received_at = in->received_at,
    };
    if (in->has_from)
        out->from_hash = (struct wire_bytes){ in->from_hash, sizeof(in->from_hash) };
    if (in->has_to)
        out->to_hash = (struct wire_bytes){ in->to_hash, sizeof(in->to_hash) };
}
