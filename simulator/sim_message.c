#include "sim_message.h"

const char *sim_message_to(const struct sim_message *m)
{
    return m->texts;
}

const char *sim_message_service(const struct sim_message *m)
{
    return m->service_at ? m->texts + m->service_at : NULL;
}

const char *sim_message_callback(const struct sim_message *m)
{
    return m->callback_at ? m->texts + m->callback_at : NULL;
}

struct sim_text sim_message_body(const struct sim_message *m)
{
    return (struct sim_text){ m->texts + m->body_at, m->body_len };
}

struct sim_text sim_message_id(const struct sim_message *m)
{
    return (struct sim_text){ m->texts + m->id_at, m->id_len };
}

int sim_message_error_code(const struct sim_message *m)
{
    return m->status == SIM_STATUS_FAILED ? (int)m->fate_code : 0;
}

const char *sim_message_error_text(int code)
{
    static const struct {
        int code;
        const char *text;
    } texts[] = {
        { 21408, "Permission to send to this region is not enabled" },
        { 21610, "Recipient has opted out" },
        { 21612, "Recipient cannot be reached from this sender" },
        { 21614, "Recipient is not a mobile number" },
        { 30001, "Queue overflow" },
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "Unknown error";
}

enum sim_status sim_message_first_status(const struct sim_message *m)
{
    return m->service_at ? SIM_STATUS_ACCEPTED : SIM_STATUS_QUEUED;
}

const char *sim_message_status_word(enum sim_status status)
{
    static const char *const words[] = {
        [SIM_STATUS_ACCEPTED] = "accepted",   [SIM_STATUS_QUEUED] = "queued",
        [SIM_STATUS_SENT] = "sent",           [SIM_STATUS_FAILED] = "failed",
        [SIM_STATUS_DELIVERED] = "delivered",
    };
    return words[status];
}
