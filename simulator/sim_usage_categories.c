#include "sim_usage_categories.h"

#include <string.h>
#include <time.h>

enum { DAY_S = 86400 };

#define OUT(kind)  (1u << SIM_USAGE_##kind)
#define SMS_OUT    (OUT(OUT_LONGCODE) | OUT(OUT_SHORTCODE) | OUT(OUT_ALPHANUMERIC))
#define SMS_IN     (OUT(IN_LONGCODE) | OUT(IN_SHORTCODE))
#define EVERYTHING ((1u << SIM_USAGE_KINDS) - 1)

// Each category is a sum of kinds.
const struct sim_usage_category sim_usage_categories[] = {
    { "sms", "SMS", SMS_OUT | SMS_IN, "segments" },
    { "sms-inbound", "Inbound SMS", SMS_IN, "segments" },
    { "sms-inbound-longcode", "Inbound Long Code SMS", OUT(IN_LONGCODE), "segments" },
    { "sms-inbound-shortcode", "Inbound Short Code SMS", OUT(IN_SHORTCODE), "segments" },
    { "sms-outbound", "Outbound SMS", SMS_OUT, "segments" },
    { "sms-outbound-longcode", "Outbound Long Code SMS", OUT(OUT_LONGCODE), "segments" },
    { "sms-outbound-shortcode", "Outbound Short Code SMS", OUT(OUT_SHORTCODE),
      "segments" },
    { "sms-messages-carrierfees", "SMS Carrier Fees", OUT(CARRIER_FEES), "segments" },
    { "mms", "MMS", OUT(MMS_OUT) | OUT(MMS_IN), "messages" },
    { "mms-inbound", "Inbound MMS", OUT(MMS_IN), "messages" },
    { "mms-outbound", "Outbound MMS", OUT(MMS_OUT), "messages" },
    { "mms-messages-carrierfees", "MMS Carrier Fees", OUT(MMS_CARRIER_FEES), "messages" },
    { "channels-whatsapp", "WhatsApp", OUT(WHATSAPP_OUT) | OUT(WHATSAPP_IN), "messages" },
    { "failed-message-processing-fee", "Failed Message Processing Fee", OUT(FAILED_FEES),
      "messages" },
    { "totalprice", "Total Price", EVERYTHING, NULL },
    { 0 },
};

const struct sim_usage_category *sim_usage_category_find(const char *name)
{
    for (const struct sim_usage_category *c = sim_usage_categories; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

struct sim_usage_sum sim_usage_category_sum(const struct sim_usage *u,
                                            const struct sim_usage_category *c,
                                            struct sim_usage_period p)
{
    struct sim_usage_sum all = { 0 };

    for (int kind = 0; kind < SIM_USAGE_KINDS; kind++) {
        if (!(c->kinds & 1u << kind))
            continue;
        struct sim_usage_sum sum =
            sim_usage_between(u, (enum sim_usage_kind)kind, p.first, p.last);
        all.count += sum.count;
        all.units += sum.units;
        all.micros += sum.micros;
    }
    return all;
}

int32_t sim_usage_begin_of(int32_t day, char kind)
{
    time_t seconds = (time_t)day * DAY_S;
    struct tm tm = { 0 };

    if (kind == 'd')
        return day;
    (void)gmtime_r(&seconds, &tm);
    return day - (kind == 'm' ? tm.tm_mday - 1 : tm.tm_yday);
}
