#include "sim_message.h"

#include <string.h>

bool sim_text_copy(char *out, size_t size, struct sim_text text)
{
    if (text.len >= size || memchr(text.bytes, '\0', text.len) ||
        !utf8_is_valid(text.bytes, text.len))
        return false;
    memcpy(out, text.bytes, text.len);
    out[text.len] = '\0';
    return true;
}

void sim_message_sid(char out[SIM_SIDS_TEXT_BYTES], struct sim_sids *sids,
                     const struct sim_message *m)
{
    sim_sids_message(sids, m->number, out);
    if (m->media_count)
        out[0] = 'M';
}

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

const char *sim_message_media(const struct sim_message *m, size_t i)
{
    const char *url = m->texts + m->media_at;

    while (i-- > 0)
        url += strlen(url) + 1;
    return url;
}

struct sim_text sim_message_id(const struct sim_message *m)
{
    return (struct sim_text){ m->texts + m->id_at, m->id_len };
}

bool sim_message_is_whatsapp(const struct sim_message *m)
{
    return strncmp(sim_message_to(m), "whatsapp:", 9) == 0;
}

bool sim_message_is_final(const struct sim_message *m)
{
    return m->status >= SIM_STATUS_FAILED;
}

int sim_message_error_code(const struct sim_message *m)
{
    bool is_bad = m->status == SIM_STATUS_FAILED || m->status == SIM_STATUS_UNDELIVERED;

    return is_bad ? (int)m->fate_code : 0;
}

enum sim_status sim_message_first_status(const struct sim_message *m)
{
    if (m->direction == SIM_INBOUND)
        return SIM_STATUS_RECEIVED;
    if (m->send_at_s)
        return SIM_STATUS_SCHEDULED;
    return m->service_at ? SIM_STATUS_ACCEPTED : SIM_STATUS_QUEUED;
}

const char *sim_message_status_word(enum sim_status status)
{
    static const char *const words[] = {
        [SIM_STATUS_SCHEDULED] = "scheduled",
        [SIM_STATUS_ACCEPTED] = "accepted",
        [SIM_STATUS_QUEUED] = "queued",
        [SIM_STATUS_SENT] = "sent",
        [SIM_STATUS_FAILED] = "failed",
        [SIM_STATUS_CANCELED] = "canceled",
        [SIM_STATUS_UNDELIVERED] = "undelivered",
        [SIM_STATUS_DELIVERED] = "delivered",
        [SIM_STATUS_READ] = "read",
        [SIM_STATUS_RECEIVED] = "received",
    };
    return words[status];
}

const char *sim_message_direction_word(const struct sim_message *m)
{
    static const char *const words[] = {
        [SIM_OUTBOUND_API] = "outbound-api",
        [SIM_OUTBOUND_REPLY] = "outbound-reply",
        [SIM_INBOUND] = "inbound",
    };
    return words[m->direction];
}
