#include "sim_usage.h"
#include "account.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, ROOM_FIRST = 4 };

void sim_usage_clear(struct sim_usage *u)
{
    free(u->days);
    *u = (struct sim_usage){ 0 };
}

// Returns the sums of that day; a clock that was set back books on the newest day.
static struct sim_usage_day *day_of(struct sim_usage *u, int64_t at_s)
{
    int32_t day = (int32_t)(at_s / DAY_S);

    if (u->count && u->days[u->count - 1].day >= day)
        return &u->days[u->count - 1];
    if (u->count == u->room) {
        u->room = u->room ? u->room * 2 : ROOM_FIRST;
        u->days = xrealloc(u->days, u->room * sizeof(*u->days));
    }
    u->days[u->count] = (struct sim_usage_day){ .day = day };
    return &u->days[u->count++];
}

static void add(struct sim_usage_sum *sum, int64_t units, int64_t micros)
{
    sum->count++;
    sum->units += units;
    sum->micros += micros;
}

// Of the own side: the sender of what went out, the recipient of what came in.
static enum sim_usage_kind kind_of(const struct sim_message *m)
{
    bool is_in = m->direction == SIM_INBOUND;
    const char *own = is_in ? sim_message_to(m) : m->from;
    const char *type = own ? account_sender_type(own) : NULL;

    if (sim_message_is_whatsapp(m))
        return is_in ? SIM_USAGE_WHATSAPP_IN : SIM_USAGE_WHATSAPP_OUT;
    if (m->media_count)
        return is_in ? SIM_USAGE_MMS_IN : SIM_USAGE_MMS_OUT;
    if (type && strcmp(type, "short_code") == 0)
        return is_in ? SIM_USAGE_IN_SHORTCODE : SIM_USAGE_OUT_SHORTCODE;
    if (type && strcmp(type, "alphanumeric") == 0)
        return SIM_USAGE_OUT_ALPHANUMERIC;
    return is_in ? SIM_USAGE_IN_LONGCODE : SIM_USAGE_OUT_LONGCODE;
}

void sim_usage_bill(struct sim_usage *u, const struct sim_message *m, int64_t at_s)
{
    struct sim_usage_day *day = day_of(u, at_s);
    enum sim_usage_kind fees =
        m->media_count ? SIM_USAGE_MMS_CARRIER_FEES : SIM_USAGE_CARRIER_FEES;

    add(&day->sums[kind_of(m)], m->media_count ? 1 : m->segments,
        m->cost_micros - m->fee_micros);
    if (m->fee_micros)
        add(&day->sums[fees], m->segments, m->fee_micros);
}

void sim_usage_failed(struct sim_usage *u, int64_t micros, int64_t at_s)
{
    add(&day_of(u, at_s)->sums[SIM_USAGE_FAILED_FEES], 1, micros);
}

struct sim_usage_sum sim_usage_between(const struct sim_usage *u,
                                       enum sim_usage_kind kind, int32_t first,
                                       int32_t last)
{
    struct sim_usage_sum all = { 0 };

    for (size_t i = 0; i < u->count; i++) {
        const struct sim_usage_sum *sum = &u->days[i].sums[kind];
        if (u->days[i].day < first || u->days[i].day > last)
            continue;
        all.count += sum->count;
        all.units += sum->units;
        all.micros += sum->micros;
    }
    return all;
}

int64_t sim_usage_total(const struct sim_usage *u)
{
    int64_t micros = 0;

    for (int kind = 0; kind < SIM_USAGE_KINDS; kind++)
        micros +=
            sim_usage_between(u, (enum sim_usage_kind)kind, INT32_MIN, INT32_MAX).micros;
    return micros;
}
