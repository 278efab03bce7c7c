#include "accepted.h"

#include "buf.h"
#include "http_server.h"
#include "status.h"
#include "waits.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX_BYTES = 2048, PREFERENCE_BYTES = 24, HEADERS_MAX = 4 };

// It ended without a SID: by us, or Twilio refused it. Only "unknown" may have gone out.
static const char *sentence(const struct accepted *a, const struct wait_news *news)
{
    if (!news && a->scheduled)
        return "SMS scheduled";
    if (!news || news->sid)
        return "SMS sent successfully";
    if (strcmp(news->status, "unknown") == 0)
        return "It is not known whether the SMS was sent";
    return "SMS was not sent";
}

static void add_news(struct buf *out, const struct wait_news *news)
{
    if (news && news->error_code)
        buf_addf(out, ",\"error_code\":%d", news->error_code);
    if (news && news->reason) {
        buf_add_text(out, ",\"reason\":");
        buf_add_json_string(out, news->reason, strlen(news->reason));
    }
}

static const char *status_word(const struct accepted *a, const struct wait_news *news)
{
    if (news)
        return status_shown(news->status, NULL);
    return a->scheduled ? "scheduled" : "queued";
}

static void add_body(struct buf *out, const struct accepted *a,
                     const struct wait_news *news)
{
    char id[MESSAGE_ID_TEXT_BYTES];
    bool has_sid = news && news->sid;
    const char *quote = has_sid ? "\"" : "";

    message_id_format(id, a->id);
    buf_addf(out,
             "{\"message\":\"%s\",\"id\":\"%s\",\"sid\":%s%s%s,\"status\":\"%s\","
             "\"to\":\"%s\",\"segments\":%d",
             sentence(a, news), id, quote, has_sid ? news->sid : "null", quote,
             status_word(a, news), a->to, a->segments);
    add_news(out, news);
    if (!a->valid)
        buf_add_text(out,
                     ",\"warnings\":[{\"field\":\"to\",\"code\":\"number_not_valid\","
                     "\"detail\":\"the number is possible, but no such range is "
                     "known\"}]");
    buf_add_text(out, "}");
}

void accepted_answer(struct http_request *req, const struct accepted *a,
                     const struct wait_news *news)
{
    char location[sizeof("/sms/status/") + MESSAGE_ID_TEXT_BYTES] = "/sms/status/";
    char preference[PREFERENCE_BYTES];
    struct http_header headers[HEADERS_MAX] = { { "Location", location } };
    struct http_header *next = headers + 1;
    struct buf body = BUF_INIT(ANSWER_MAX_BYTES);

    message_id_format(location + strlen(location), a->id);
    if (a->replayed)
        *next++ = (struct http_header){ "Idempotency-Replayed", "true" };
    if (a->waited_s) {
        (void)snprintf(preference, sizeof(preference), "wait=%d", a->waited_s);
        *next++ = (struct http_header){ "Preference-Applied", preference };
    }
    add_body(&body, a, news);
    http_answer(req, 202, "application/json", body.bytes, body.len, headers);
    buf_free(&body);
}
