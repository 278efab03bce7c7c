#include "twilio_answer.h"

#include "http_client.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

static void copy_text(char *out, size_t size, const struct json_value *value)
{
    if (value->kind != JSON_STRING || value->len >= size)
        return;
    memcpy(out, value->text, value->len);
    out[value->len] = '\0';
}

// Twilio writes the number as a text. 0 for anything but one to three digits.
static int read_segments(const struct json_value *value)
{
    char digits[4] = "";

    copy_text(digits, sizeof(digits), value);
    return digits[strspn(digits, "0123456789")] ? 0 : (int)strtol(digits, NULL, 10);
}

static bool is_named(const char *name, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

static enum outcome on_member(void *arg, const char *name, size_t len,
                              const struct json_value *value, struct err *err)
{
    struct twilio_answer *answer = arg;

    (void)err;
    if (is_named(name, len, "sid")) {
        copy_text(answer->sid, sizeof(answer->sid), value);
    } else if (is_named(name, len, "status")) {
        copy_text(answer->status, sizeof(answer->status), value);
    } else if (is_named(name, len, "code") && value->kind == JSON_INTEGER) {
        if (value->integer > 0 && value->integer < 1000000)
            answer->code = (int)value->integer;
    } else if (is_named(name, len, "num_segments")) {
        answer->segments = read_segments(value);
    }
    return OUTCOME_OK;
}

// Twilio's own code decides. Without one a 4xx is not Twilio's, and a 3xx never is: a
// proxy or a wrong address must not burn jobs. A 5xx may hide a message that went out,
// and a second POST would reach the person twice. 401, 403, 404 and 405 are about us, not
// about the message.
static enum send_result classify(const struct http_answer *http,
                                 const struct twilio_answer *answer)
{
    int status = http->status;

    if (!http->left_us)
        return SEND_NOT_SENT;
    if (status == 201)
        return sid_is_message(answer->sid) ? SEND_ACCEPTED : SEND_IN_DOUBT;
    if (status == 429)
        return SEND_NOT_PROCESSED;
    if (status == 401 || status == 403 || status == 404 || status == 405)
        return SEND_MISCONFIGURED;
    if (status >= 300 && status < 400)
        return SEND_MISCONFIGURED;
    if (status >= 400 && status < 500 && status != 408)
        return answer->code ? SEND_REJECTED : SEND_MISCONFIGURED;
    return SEND_IN_DOUBT;
}

void twilio_answer_read(struct twilio_answer *out, struct json_reader *json,
                        const struct http_answer *http, struct err *err)
{
    *out = (struct twilio_answer){
        .http_status = http->status,
        .retry_after_us = http->retry_after_us,
        .took_us = http->took_us,
        .reason = http->error,
    };
    if (http->status && json_read(json, http->body, http->body_len, on_member, out, err))
        out->reason = err->text;
    out->result = classify(http, out);
    if (out->result != SEND_ACCEPTED)
        out->sid[0] = out->status[0] = '\0';
}
