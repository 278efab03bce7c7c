#include "gcra.h"

enum { MINUTE_S = 60 };

struct gcra_rule gcra_per_minute(int64_t per_minute)
{
    return (struct gcra_rule){ MINUTE_S * INT64_C(1000000000) / per_minute, per_minute };
}

int64_t gcra_full_ns(int64_t tat_ns, int64_t now_ns)
{
    return tat_ns > now_ns ? tat_ns - now_ns : 0;
}

int64_t gcra_wait_ns(int64_t tat_ns, const struct gcra_rule *rule, int64_t now_ns)
{
    int64_t ahead_ns = gcra_full_ns(tat_ns, now_ns);
    int64_t tolerance_ns = (rule->burst - 1) * rule->interval_ns;

    return ahead_ns > tolerance_ns ? ahead_ns - tolerance_ns : 0;
}

int64_t gcra_left(int64_t tat_ns, const struct gcra_rule *rule, int64_t now_ns)
{
    int64_t room_ns = rule->burst * rule->interval_ns - gcra_full_ns(tat_ns, now_ns);

    return room_ns > 0 ? room_ns / rule->interval_ns : 0;
}

bool gcra_take(int64_t *tat_ns, const struct gcra_rule *rule, int64_t now_ns)
{
    if (gcra_wait_ns(*tat_ns, rule, now_ns) > 0)
        return false;
    *tat_ns = now_ns + gcra_full_ns(*tat_ns, now_ns) + rule->interval_ns;
    return true;
}
