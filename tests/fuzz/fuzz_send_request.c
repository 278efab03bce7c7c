// Bodies of POST /sms/send: what is accepted has a number, a text that counts, and a
// class.
#include "fuzz.h"

#include "json.h"
#include "send_request.h"

#include <string.h>

static void check_accepted(const struct send_request *r)
{
    CHECK(phone_is_e164(r->to.e164));
    CHECK(r->body && strlen(r->body) == r->body_len && r->body_len > 0);
    CHECK(utf8_is_valid(r->body, r->body_len));
    CHECK(r->segments.count >= 1);
    CHECK(r->message_class);
    CHECK(r->expires_in_s == 0 || (r->expires_in_s >= SEND_EXPIRES_MIN_S &&
                                   r->expires_in_s <= SEND_EXPIRES_MAX_S));
    CHECK(!r->reference || strlen(r->reference) <= SEND_REFERENCE_MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_reader *json;
    struct send_request request = { 0 };
    struct complaint complaint = { 0 };

    if (!json)
        json = json_reader_new();
    char *text = fuzz_text(data, size);
    if (send_request_parse(&request, json, "US", text, size, &complaint)) {
        CHECK(complaint.status == 400 || complaint.status == 422);
        CHECK(complaint.code && complaint.detail.text[0]);
    } else {
        check_accepted(&request);
        send_request_free(&request);
    }
    free(text);
    return 0;
}
