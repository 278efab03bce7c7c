// Twilio's answers to a POST: two bytes of status, then the body. Only a 201 with a SID
// counts as sent, and what may have been sent never counts as not sent.
#include "fuzz.h"

#include "http_client.h"
#include "json.h"
#include "sid.h"
#include "twilio_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct error_code rows[] = {
        { 20003, ERROR_STOP_ACCOUNT, 0, 0, false, "", "" },
        { 20500, ERROR_UNKNOWN, 0, 0, false, "", "" },
        { 21211, ERROR_REFUSE, 0, 0, false, "", "" },
        { 21611, ERROR_SLOW_DOWN, 0, 0, false, "", "" },
    };
    static struct json_reader *json;
    static struct error_codes *codes;
    struct twilio_answer answer;
    struct err err = { 0 };

    if (size < 2)
        return 0;
    if (!json)
        json = json_reader_new();
    if (!codes)
        error_codes_replace(codes = error_codes_new(), rows, COUNT_OF(rows));
    char *body = fuzz_text(data + 2, size - 2);
    const struct http_answer http = {
        .left_us = true,
        .status = 100 + (data[0] * 256 + data[1]) % 500,
        .body = body,
        .body_len = size - 2,
        .content_type = "application/json",
        .retry_after_us = -1,
        .error = "",
    };
    twilio_answer_read(&answer, json, codes, &http, &err);
    CHECK(answer.result != SEND_NOT_SENT && answer.result < SEND_RESULT_COUNT);
    CHECK((answer.result == SEND_ACCEPTED) ==
          (http.status == 201 && sid_is_message(answer.sid)));
    CHECK(answer.segments >= 0 && answer.segments <= 999);
    CHECK(answer.code >= 0 && answer.code < 1000000);
    if (http.status >= 500 || http.status < 300 || http.status == 408)
        CHECK(answer.result == SEND_ACCEPTED || answer.result == SEND_IN_DOUBT);
    free(body);
    return 0;
}
