#include "send_time.h"

#include "json.h"
#include "send_request.h"
#include "timestamp.h"

static enum outcome complain(struct complaint *complaint, int status, const char *code,
                             const char *detail)
{
    *complaint = (struct complaint){ .status = status, .code = code, .field = "send_at" };
    return err_set(&complaint->detail, OUTCOME_REJECT, "%s", detail);
}

enum outcome send_time_read(int64_t *out, const struct json_value *value,
                            struct complaint *complaint)
{
    if (value->kind != JSON_STRING)
        return complain(complaint, 422, "wrong_type", "this field must be a text");
    if (!timestamp_parse(out, value->text, value->len) || *out <= 0)
        return complain(complaint, 422, "wrong_value",
                        "a time is written with its zone: 2026-11-21T18:00:00Z or "
                        "2026-11-21T18:00:00+01:00");
    return OUTCOME_OK;
}

enum outcome send_time_check(int64_t send_at_us, int64_t now_us,
                             struct complaint *complaint)
{
    if (send_at_us > now_us + SEND_AHEAD_MAX_US)
        return complain(complaint, 422, "too_far_ahead",
                        "a message can wait for 35 days at most");
    if (send_at_us < now_us - SEND_LATE_MAX_US)
        return complain(
            complaint, 422, "in_the_past",
            "this time was more than 5 minutes ago; to send at once, leave it "
            "out or give the present time");
    return OUTCOME_OK;
}
