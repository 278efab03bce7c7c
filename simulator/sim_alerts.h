// sim_alerts.h: what went wrong with webhooks and TwiML, as Twilio's debugger lists it:
// the newest SIM_ALERTS_MAX.
#ifndef SIM_ALERTS_H
#define SIM_ALERTS_H

#include "base.h"

struct buf;
struct sim_account;

enum { SIM_ALERTS_MAX = 1000, SIM_ALERTS_URL_BYTES = 256, SIM_ALERTS_SID_BYTES = 35 };

struct sim_alert {
    int64_t at_us;
    int code;
    char account_sid[SIM_ALERTS_SID_BYTES], message_sid[SIM_ALERTS_SID_BYTES];
    char url[SIM_ALERTS_URL_BYTES];  // cut to fit; without its query
};

// Zero-initialised is empty.
struct sim_alerts {
    struct sim_alert *ring;
    size_t count;  // since the last clear
};

void sim_alerts_clear(struct sim_alerts *a);

// sim_alerts_add copies its texts.
void sim_alerts_add(struct sim_alerts *a, int64_t at_us, int code,
                    const char *account_sid, const char *message_sid, const char *url);

// sim_alerts_render appends {"alerts":[…]}, the newest first.
void sim_alerts_render(const struct sim_alerts *a, struct buf *out);

#endif
