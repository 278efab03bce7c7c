// gcra.h: a rate limit kept as one time (the generic cell rate algorithm of ITU-T I.371,
// in its virtual scheduling form). The theoretical arrival time (TAT) is when everything
// taken so far would have come at exactly the rate; it may lie ahead of now by no more
// than the burst. Times are nanoseconds of one clock.
#ifndef GCRA_H
#define GCRA_H

#include "base.h"

struct gcra_rule {
    int64_t interval_ns;  // one request per interval, in the long run; above 0
    int64_t burst;        // so many may come at once after a rest; at least 1
};

// gcra_per_minute is the rule of a rate per minute (1 to 1 000 000) whose burst is the
// allowance of one minute.
struct gcra_rule gcra_per_minute(int64_t per_minute);

// gcra_take takes one request at now_ns and moves *tat_ns, or returns false and leaves
// it.
MUST_CHECK bool gcra_take(int64_t *tat_ns, const struct gcra_rule *rule, int64_t now_ns);

// gcra_left: how many could be taken now. gcra_wait_ns: after how long one can be taken;
// 0 = now. gcra_full_ns: after how long the whole burst can.
int64_t gcra_left(int64_t tat_ns, const struct gcra_rule *rule, int64_t now_ns);
int64_t gcra_wait_ns(int64_t tat_ns, const struct gcra_rule *rule, int64_t now_ns);
int64_t gcra_full_ns(int64_t tat_ns, int64_t now_ns);

#endif
