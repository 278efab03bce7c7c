// send_time.h: when a message shall go: what a time of POST /sms/send or PATCH /sms/{id}
// may be.
#ifndef SEND_TIME_H
#define SEND_TIME_H

#include "base.h"

struct complaint;
struct json_value;

#define SEND_AHEAD_MAX_US INT64_C(3024000000000)  // 35 days: less than rows are kept
#define SEND_LATE_MAX_US  INT64_C(300000000)      // so late is still "now"

// send_time_read reads send_at: RFC 3339 with its zone, in wall microseconds.
//   OUTCOME_REJECT  complaint says what is wrong.
MUST_CHECK enum outcome send_time_read(int64_t *out, const struct json_value *value,
                                       struct complaint *complaint);

// send_time_check says whether a message can be sent at that time, seen from now; a time
// that is just over means now.
//   OUTCOME_REJECT  too far ahead, or long over; complaint says it.
MUST_CHECK enum outcome send_time_check(int64_t send_at_us, int64_t now_us,
                                        struct complaint *complaint);

#endif
