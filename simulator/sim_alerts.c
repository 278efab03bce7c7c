#include "sim_alerts.h"
#include "buf.h"
#include "sim_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_alerts_clear(struct sim_alerts *a)
{
    free(a->ring);
    *a = (struct sim_alerts){ 0 };
}

void sim_alerts_add(struct sim_alerts *a, int64_t at_us, int code,
                    const char *account_sid, const char *message_sid, const char *url)
{
    if (!a->ring)
        a->ring = xcalloc(SIM_ALERTS_MAX, sizeof(*a->ring));
    struct sim_alert *alert = &a->ring[a->count++ % SIM_ALERTS_MAX];

    *alert = (struct sim_alert){ .at_us = at_us, .code = code };
    (void)snprintf(alert->account_sid, sizeof(alert->account_sid), "%s", account_sid);
    (void)snprintf(alert->message_sid, sizeof(alert->message_sid), "%s", message_sid);
    (void)snprintf(alert->url, sizeof(alert->url), "%.*s", (int)strcspn(url, "?#"), url);
}

void sim_alerts_render(const struct sim_alerts *a, struct buf *out)
{
    size_t kept = a->count < SIM_ALERTS_MAX ? a->count : SIM_ALERTS_MAX;

    buf_add_text(out, "{\"alerts\":[");
    for (size_t i = 0; i < kept; i++) {
        const struct sim_alert *alert = &a->ring[(a->count - 1 - i) % SIM_ALERTS_MAX];
        buf_add_text(out, i ? ",\n{" : "{");
        sim_json_iso_member(out, "date", alert->at_us);
        buf_addf(out, ",\"error_code\":%d", alert->code);
        sim_json_text(out, "account_sid", alert->account_sid);
        sim_json_text(out, "message_sid", alert->message_sid);
        sim_json_text(out, "url", alert->url);
        buf_add_char(out, '}');
    }
    buf_add_text(out, "]}\n");
}
