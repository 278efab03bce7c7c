#include "sim_inbound_form.h"
#include "phone.h"
#include "sim_messages_api.h"
#include "sim_phone.h"
#include "simulator.h"

#include <stdio.h>
#include <string.h>

static void add(struct sim_inbound_form *form, const char *name, const char *value)
{
    form->params[form->count++] = (struct sim_param){ name, value };
}

static void write_country(char out[3], struct simulator *sim, const char *number)
{
    struct phone phone = { 0 };

    out[0] = '\0';
    if (!sim_phone_read(&phone, sim->checker.phones, number, strlen(number)))
        memcpy(out, phone.country, sizeof(phone.country));
}

// City, state and zip are often empty in Twilio's own requests; here always.
static void add_geography(struct sim_inbound_form *form, struct simulator *sim,
                          const struct sim_message *m)
{
    static const char *const empty[] = { "FromCity", "FromState", "FromZip",
                                         "ToCity",   "ToState",   "ToZip" };

    write_country(form->from_country, sim, m->from);
    write_country(form->to_country, sim, sim_message_to(m));
    add(form, "FromCountry", form->from_country);
    add(form, "ToCountry", form->to_country);
    for (size_t i = 0; i < COUNT_OF(empty); i++)
        add(form, empty[i], "");
}

static void add_whatsapp(struct sim_inbound_form *form, const struct sim_message *m)
{
    const char *number = strchr(m->from, '+');

    add(form, "ProfileName", "Simulated person");
    add(form, "WaId", number ? number + 1 : "");
    add(form, "MessageType", m->media_count ? "image" : "text");
    add(form, "ChannelPrefix", "whatsapp");
}

static void add_media(struct sim_inbound_form *form, struct simulator *sim,
                      const struct sim_message *m)
{
    char sid[SIM_SIDS_TEXT_BYTES];

    for (size_t i = 0; i < m->media_count; i++) {
        char(*names)[24] = form->media_names[i];
        (void)snprintf(names[0], sizeof(names[0]), "MediaUrl%zu", i);
        (void)snprintf(names[1], sizeof(names[1]), "MediaContentType%zu", i);
        sim_sids_other(sim->sids, "ME", (uint64_t)m->number << 8 | i, sid);
        (void)snprintf(form->media_urls[i], sizeof(form->media_urls[i]),
                       "https://api.twilio.com/" SIM_JSON_API_VERSION
                       "/Accounts/%s/Messages/%s/Media/%s",
                       sim_accounts_at(&sim->accounts, m->account)->sid, form->sid, sid);
        add(form, names[0], form->media_urls[i]);
        add(form, names[1], sim_media_type(sim_message_media(m, i)));
    }
}

void sim_inbound_form_fill(struct sim_inbound_form *form, struct simulator *sim,
                           const struct sim_message *m, const char *opt_out_type)
{
    struct sim_text body = sim_message_body(m);

    form->count = 0;
    sim_message_sid(form->sid, sim->sids, m);
    memcpy(form->body, body.bytes, body.len);
    form->body[body.len] = '\0';
    (void)snprintf(form->num_media, sizeof(form->num_media), "%u", m->media_count);
    (void)snprintf(form->num_segments, sizeof(form->num_segments), "%u", m->segments);
    add(form, "MessageSid", form->sid);
    add(form, "SmsSid", form->sid);
    add(form, "SmsMessageSid", form->sid);
    add(form, "AccountSid", sim_accounts_at(&sim->accounts, m->account)->sid);
    if (sim_message_service(m))
        add(form, "MessagingServiceSid", sim_message_service(m));
    add(form, "From", m->from);
    add(form, "To", sim_message_to(m));
    add(form, "Body", form->body);
    add(form, "NumMedia", form->num_media);
    add(form, "NumSegments", form->num_segments);
    add(form, "ReferralNumMedia", "0");
    add(form, "SmsStatus", "received");
    add(form, "ApiVersion", SIM_JSON_API_VERSION);
    if (opt_out_type)
        add(form, "OptOutType", opt_out_type);
    if (sim_message_is_whatsapp(m))
        add_whatsapp(form, m);
    else
        add_geography(form, sim, m);
    add_media(form, sim, m);
}
