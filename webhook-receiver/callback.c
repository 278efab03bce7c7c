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

static void take_id(struct sms_status *record, const char *m, const char *t,
                    const char *k, const struct keys *keys)
{
    unsigned char id[MESSAGE_ID_BYTES];
    int32_t turn = t ? number(t, TURN_MAX) : 0;

    if (!m || !k || turn == 0 || !message_id_parse(id, m, strlen(m)) ||
        !keys_callback_tag_is(keys, id, turn, k))
        return;
    memcpy(record->message_id, id, sizeof(id));
    record->turn = turn;
}

enum outcome callback_read(struct callback *out, const struct form *form, const char *m,
                           const char *t, const char *k, const struct keys *keys,
                           struct err *err)
{
    *out = (struct callback){ 0 };
    if (!copy(out->sid, sizeof(out->sid), form, "MessageSid", "SmsSid") ||
        !sid_is_message(out->sid))
        return err_set(err, OUTCOME_REJECT, "the form has no MessageSid");
    if (!copy(out->status, sizeof(out->status), form, "MessageStatus", "SmsStatus") ||
        !is_word(out->status))
        return err_set(err, OUTCOME_REJECT, "the form has no MessageStatus");
    out->record.twilio_sid = out->sid;
    out->record.status = out->status;
    out->record.error_code = error_code(form);
    out->record.received_at = clock_wall_us();
    take_id(&out->record, m, t, k, keys);
    return OUTCOME_OK;
}
