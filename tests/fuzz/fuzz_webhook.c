// Twilio's webhooks: a line each with m, t, k and c, then the form. Both readers
// get it; what they take has a SID, and fits its record.
#include "fuzz.h"

#include "buf.h"
#include "callback.h"
#include "form.h"
#include "inbound.h"
#include "wire.h"

#include <string.h>

enum { RECORD_MAX_BYTES = 65536 };

// What the webhook adds itself: the form, sealed.
static const struct wire_bytes raw = {
    (const unsigned char *)"0123456789abcdef0123456789abcdef", 32
};

static char *next_line(const uint8_t **data, size_t *size)
{
    const uint8_t *start = *data;

    return fuzz_text(start, fuzz_cut(data, size));
}

static void read_callback(const struct form *form, char *const query[4])
{
    struct buf out = BUF_INIT(RECORD_MAX_BYTES);
    const struct callback_query in = { query[0], query[1], query[2], query[3] };
    struct callback callback;
    struct err err;

    if (!callback_read(&callback, form, &in, fuzz_keys(), &err)) {
        CHECK(callback.sid[0] && callback.status[0]);
        callback.record.raw = raw;
        wire_encode(&callback.record, sms_status_fields, &out);
        CHECK(!out.failed);
    }
    buf_free(&out);
}

static void read_inbound(const struct form *form, const char *token)
{
    struct buf out = BUF_INIT(RECORD_MAX_BYTES);
    struct sms_inbound record = { 0 };
    struct inbound inbound;
    struct err err;

    memset(&inbound, 0, sizeof(inbound));
    if (!inbound_read(&inbound, form, token, fuzz_keys(), &err)) {
        inbound_record(&record, &inbound);
        record.raw = raw;
        wire_encode(&record, sms_inbound_fields, &out);
        CHECK(!out.failed);
    }
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *query[4];
    struct form form;
    struct err err;

    for (size_t i = 0; i < COUNT_OF(query); i++)
        query[i] = next_line(&data, &size);
    char *text = fuzz_text(data, size);
    if (!form_parse(&form, text, size, &err)) {
        CHECK(form.count <= FORM_PAIRS_MAX);
        read_callback(&form, query);
        read_inbound(&form, query[0]);
        form_free(&form);
    }
    free(text);
    for (size_t i = 0; i < COUNT_OF(query); i++)
        free(query[i]);
    return 0;
}
