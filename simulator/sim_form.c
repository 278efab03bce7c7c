#include "sim_form.h"
#include "sim_codes.h"
#include "sim_json.h"

#include <stdio.h>
#include <time.h>

static void add(struct sim_form *form, const char *name, const char *value)
{
    form->params[form->count++] = (struct sim_param){ name, value };
}

// The carrier's receipt time, as Twilio passes it through.
static void write_done_at(char out[SIM_FORM_TIME_BYTES], int64_t utc_s)
{
    time_t seconds = (time_t)utc_s;
    struct tm tm = { 0 };

    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(out, SIM_FORM_TIME_BYTES, "%02u%02u%02u%02u%02u",
                   (unsigned)tm.tm_year % 100, (unsigned)(tm.tm_mon + 1) % 100,
                   (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
                   (unsigned)tm.tm_min % 100);
}

// What the callbacks of channels other than SMS carry in addition.
static void add_channel(struct sim_form *form, struct sim_sids *sids,
                        const struct sim_message *m, enum sim_status status)
{
    sim_sids_other(sids, "XE", m->account, form->install_sid);
    add(form, "ChannelPrefix", "whatsapp");
    add(form, "ChannelInstallSid", form->install_sid);
    if (status == SIM_STATUS_DELIVERED)
        add(form, "EventType", "DELIVERED");
    if (status == SIM_STATUS_READ)
        add(form, "EventType", "READ");
    if (status == SIM_STATUS_FAILED || status == SIM_STATUS_UNDELIVERED)
        add(form, "ChannelStatusMessage", sim_codes_title(sim_message_error_code(m)));
}

void sim_form_fill(struct sim_form *form, struct sim_sids *sids, const char *account_sid,
                   const struct sim_message *m, enum sim_status status)
{
    const char *word = sim_message_status_word(status);

    form->count = 0;
    sim_message_sid(form->sid, sids, m);
    if (status == SIM_STATUS_DELIVERED) {
        write_done_at(form->done_at, m->updated_s);
        add(form, "RawDlrDoneDate", form->done_at);
    }
    if (status == SIM_STATUS_FAILED || status == SIM_STATUS_UNDELIVERED) {
        (void)snprintf(form->error_code, sizeof(form->error_code), "%d",
                       sim_message_error_code(m));
        add(form, "ErrorCode", form->error_code);
    }
    add(form, "SmsSid", form->sid);
    add(form, "SmsStatus", word);
    add(form, "MessageStatus", word);
    add(form, "To", sim_message_to(m));
    if (sim_message_service(m))
        add(form, "MessagingServiceSid", sim_message_service(m));
    add(form, "MessageSid", form->sid);
    add(form, "AccountSid", account_sid);
    if (m->from)
        add(form, "From", m->from);
    add(form, "ApiVersion", SIM_JSON_API_VERSION);
    if (sim_message_is_whatsapp(m))
        add_channel(form, sids, m, status);
}
