// verdict.h: what one POST means for its message: recorded as it is, another turn, or the
// end. Pure, but for clock and dice.
#ifndef VERDICT_H
#define VERDICT_H

#include "store_claims.h"

struct job;
struct retry_settings;
struct twilio_answer;

// verdict_fill writes the row for the tables; its texts are the job's, or literals. sid
// is left to the caller.
void verdict_fill(struct send_outcome *out, const struct retry_settings *set,
                  const struct job *job, const struct twilio_answer *answer);

// verdict_make_plain reduces the row to "in doubt": what PostgreSQL refused is left out.
void verdict_make_plain(struct send_outcome *out);

#endif
