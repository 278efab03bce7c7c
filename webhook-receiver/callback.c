#include "callback.h"

#include "form.h"
#include "keys.h"
#include "message_id.h"

#include <stdlib.h>
#include <string.h>

enum { TURN_MAX = 1000000, ERROR_CODE_MAX = 999999 };

// Copies the first of the two parameters that is there.
static bool copy(char *out, size_t size, const struct form *form, const char *name,
                 const char *old_name)
{
    return form_copy(out, size, form, form_find(form, name) ? name : old_name);
}

// A status of Twilio's is a word; new ones may come, so any word is taken.
static bool is_word(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz_-")] == '\0';
}

// Reads 1 to max, digits only; 0 for anything else.
static int32_t number(const char *text, long max)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 9 || text[digits])
        return 0;
    long value = strtol(text, NULL, 10);
    return value <= max ? (int32_t)value : 0;
}

static int32_t error_code(const struct form *form)
{
    char text[16];

    return copy(text, sizeof(text), form, "ErrorCode", "SmsErrorCode")
               ? number(text, ERROR_CODE_MAX)
               : 0;
}

static void take_id(struct sms_status *record, const struct callback_query *q,
                    const struct keys *keys)
{
    unsigned char id[MESSAGE_ID_BYTES];
    int32_t turn = q->t ? number(q->t, TURN_MAX) : 0;

    if (!q->m || !q->k || turn == 0 || !message_id_parse(id, q->m, strlen(q->m)) ||
        !keys_callback_tag_is(keys, id, turn, q->k))
        return;
    memcpy(record->message_id, id, sizeof(id));
    record->turn = turn;
}

void callback_own(struct callback *c)
{
    c->record.twilio_sid = c->sid;
    c->record.status = c->status;
    c->record.trace_id = c->trace_id[0] ? c->trace_id : NULL;
}

enum outcome callback_read(struct callback *out, const struct form *form,
                           const struct callback_query *query, const struct keys *keys,
                           struct err *err)
{
    *out = (struct callback){ 0 };
    if (!copy(out->sid, sizeof(out->sid), form, "MessageSid", "SmsSid") ||
        !sid_is_message(out->sid))
        return err_set(err, OUTCOME_REJECT, "the form has no MessageSid");
    if (!copy(out->status, sizeof(out->status), form, "MessageStatus", "SmsStatus") ||
        !is_word(out->status))
        return err_set(err, OUTCOME_REJECT, "the form has no MessageStatus");
    if (query->c && trace_id_is_valid(query->c))
        memcpy(out->trace_id, query->c, sizeof(out->trace_id));
    callback_own(out);
    out->record.error_code = error_code(form);
    out->record.received_at = clock_wall_us();
    take_id(&out->record, query, keys);
    return OUTCOME_OK;
}
