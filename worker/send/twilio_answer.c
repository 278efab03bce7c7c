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

static enum send_result result_of(enum error_action action)
{
    switch (action) {
    case ERROR_SLOW_DOWN:
        return SEND_NOT_PROCESSED;
    case ERROR_STOP_SENDER:
    case ERROR_STOP_ACCOUNT:
        return SEND_MISCONFIGURED;
    case ERROR_UNKNOWN:
        return SEND_IN_DOUBT;
    default:
        return SEND_REJECTED;
    }
}

// Twilio's own code decides, by the table. Without one a 4xx is not Twilio's, and a 3xx
// never is: a proxy or a wrong address must not burn jobs. A 5xx may hide a message that
// went out, whatever code it bears, and a second POST would reach the person twice. A
// code that the table does not know counts by its HTTP status: 401, 403, 404 and 405 are
// about us, not about the message.
static enum send_result classify(const struct http_answer *http,
                                 const struct twilio_answer *answer)
{
    int status = http->status;

    if (!http->left_us)
        return SEND_NOT_SENT;
    if (status == 201)
        return sid_is_message(answer->sid) ? SEND_ACCEPTED : SEND_IN_DOUBT;
    if (status < 300 || status >= 500 || status == 408)
        return SEND_IN_DOUBT;
    if (status == 429)
        return SEND_NOT_PROCESSED;
    if (status < 400 || status == 401 || !answer->code)
        return SEND_MISCONFIGURED;
    if (answer->known)
        return result_of(answer->known->action);
    return status == 403 || status == 404 || status == 405 ? SEND_MISCONFIGURED
                                                           : SEND_REJECTED;
}

static enum error_action action_of(const struct twilio_answer *answer)
{
    static const enum error_action actions[SEND_RESULT_COUNT] = {
        [SEND_NOT_PROCESSED] = ERROR_SLOW_DOWN,
        [SEND_REJECTED] = ERROR_REFUSE,
        [SEND_MISCONFIGURED] = ERROR_STOP_ACCOUNT,
        [SEND_IN_DOUBT] = ERROR_UNKNOWN,
    };
    enum error_action own = answer->known ? answer->known->action : ERROR_NONE;

    if (answer->result == SEND_MISCONFIGURED && own == ERROR_STOP_SENDER &&
        answer->http_status >= 400 && answer->http_status != 401)
        return own;
    return answer->result == SEND_REJECTED && own == ERROR_RETRY
               ? own
               : actions[answer->result];
}

void twilio_answer_read(struct twilio_answer *out, struct json_reader *json,
                        const struct error_codes *codes, const struct http_answer *http,
                        struct err *err)
{
    *out = (struct twilio_answer){
        .http_status = http->status,
        .retry_after_us = http->retry_after_us,
        .took_us = http->took_us,
        .reason = http->error,
    };
    if (http->status && json_read(json, http->body, http->body_len, on_member, out, err))
        out->reason = err->text;
    out->known = out->code ? error_codes_find(codes, out->code) : NULL;
    out->result = classify(http, out);
    out->action = action_of(out);
    if (out->result != SEND_ACCEPTED)
        out->sid[0] = out->status[0] = '\0';
}
