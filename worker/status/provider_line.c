#include "provider_line.h"

#include "account.h"
#include "buf.h"
#include "http_client.h"
#include "log.h"
#include "metrics.h"
#include "provider.h"

#include <stdio.h>

enum {
    ANSWER_MAX_BYTES = 16 << 20,  // 1000 long texts, with every letter escaped
    CONNECT_US = 3000000,
    TOTAL_US = 15000000,
    PAUSE_FIRST_US = 1000000,
    PAUSE_MAX_US = 60000000,
    RETRY_AFTER_MAX_US = 300000000,
};

enum outcome provider_line_open(struct provider_line *line, struct reactor *r,
                                const char *name, const struct account *account,
                                const struct provider_settings *set, struct err *err)
{
    struct buf user = BUF_INIT(512);
    struct http_client_settings http = {
        .in_flight_max = set->in_flight_max,
        .connect_us = CONNECT_US,
        .total_us = TOTAL_US,
        .answer_max_bytes = ANSWER_MAX_BYTES,
        .user_agent = "smsq/" SMSQ_VERSION,
    };
    char labels[48];

    line->name = name;
    line->account = account;
    (void)snprintf(labels, sizeof(labels), "account=\"%s\"", name);
    line->paused = metrics_gauge(
        set->metrics, "smsq_reconcile_account_paused", labels,
        "1 = the account refused us or wants us to slow down: not asked now.");
    if (!account->base_url)
        return OUTCOME_OK;
    buf_addf(&user, "%s:%s", account->user, account->password);
    http.user_password = buf_text(&user);
    enum outcome rc = http_client_open(&line->http, r, &http, err);
    buf_free(&user);
    return rc;
}

void provider_line_pause(struct provider_line *line, const struct http_answer *http)
{
    bool is_refused = http->status == 401 || http->status == 403;
    bool is_paused = line->paused_until_us > clock_boot_us();

    // What was in flight together is one trouble, not many.
    if (!is_paused || line->pause_us == 0)
        line->pause_us = line->pause_us ? line->pause_us * 2 : PAUSE_FIRST_US;
    if (is_refused || line->pause_us > PAUSE_MAX_US)
        line->pause_us = PAUSE_MAX_US;
    int64_t pause_us = line->pause_us;
    if (http->retry_after_us >= 0)
        pause_us = http->retry_after_us < RETRY_AFTER_MAX_US ? http->retry_after_us
                                                             : RETRY_AFTER_MAX_US;
    line->paused_until_us = clock_boot_us() + pause_us;
    log_line(LOG_LEVEL_WARN, "reconcile_paused", LOG_T("account", line->name),
             LOG_I("http_status", http->status), LOG_I("pause_us", pause_us),
             LOG_T("reason", http->error));
}
