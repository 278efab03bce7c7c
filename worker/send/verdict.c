#include "verdict.h"

#include "error_codes.h"
#include "job.h"
#include "retry_policy.h"
#include "status.h"
#include "twilio.h"

#include <string.h>

// Twilio's word for the new message; a new word of theirs is "queued" to us.
static void accept(struct send_outcome *o, const struct twilio_answer *answer)
{
    o->status = status_of_provider(answer->status);
    o->rank = status_rank(answer->status);
    if (!o->status || o->rank < RANK_QUEUED) {
        o->status = "queued";
        o->rank = RANK_QUEUED;
    }
}

static void end(struct send_outcome *o, const char *status, int rank, const char *reason)
{
    o->status = status;
    o->rank = rank;
    o->reason = o->decision = reason;
    o->due_us = 0;
}

static void doubt(struct send_outcome *o)
{
    end(o, "in_doubt", RANK_IN_DOUBT, NULL);
    o->decision = "in_doubt";
}

// Either another turn, or the end: what was a failure stays one, what was none expires.
static void go_on(struct send_outcome *o, const struct retry_settings *set,
                  const struct job *job, const struct twilio_answer *answer,
                  enum retry_reason reason)
{
    const struct retry_case c = {
        .reason = reason,
        .message_class = job->sms.message_class,
        .tries = job->tries,
        .turn = job->sms.turn,
        .retry_after_us = answer->retry_after_us,
        .code = answer->known,
        .expires_at_us = job->sms.expires_at,
    };

    o->failures = reason == RETRY_FAILURE;
    o->status = "waiting";
    o->rank = RANK_WAITING;
    o->decision = "retry";
    switch (retry_decide(&o->due_us, set, &c, o->answered_us)) {
    case RETRY_AGAIN:
        return;
    case RETRY_TRIES_USED_UP:
        end(o, "failed", RANK_FAILED, "tries_used_up");
        o->decision = "failed";
        return;
    case RETRY_TOO_LATE:
        end(o, "expired", RANK_ENDED_BY_US, "too_late");
        o->decision = "expired";
        return;
    }
}

static void reject(struct send_outcome *o, const struct retry_settings *set,
                   const struct job *job, const struct twilio_answer *answer)
{
    if (answer->action == ERROR_RETRY) {
        go_on(o, set, job, answer, RETRY_FAILURE);
        return;
    }
    end(o, "failed", RANK_FAILED, NULL);
    o->failures = 1;
    if (answer->known && answer->known->opt_out)
        o->decision = "opt_out";
}

static void judge(struct send_outcome *o, const struct retry_settings *set,
                  const struct job *job, const struct twilio_answer *answer)
{
    switch (answer->result) {
    case SEND_ACCEPTED:
        accept(o, answer);
        return;
    case SEND_REJECTED:
        reject(o, set, job, answer);
        return;
    case SEND_NOT_LISTED:
        end(o, "suppressed", RANK_ENDED_BY_US, NULL);
        return;
    case SEND_NOT_PROCESSED:
        go_on(o, set, job, answer, RETRY_PAUSE);
        return;
    case SEND_NOT_SENT:
        go_on(o, set, job, answer,
              answer->retry_after_us < 0 ? RETRY_PAUSE : RETRY_COMPLAINT);
        return;
    case SEND_MISCONFIGURED:
    case SEND_HELD_ACCOUNT:
    case SEND_HELD_SENDER:
    case SEND_HELD_CLASS:
        go_on(o, set, job, answer, RETRY_COMPLAINT);
        if (send_result_is_held(answer->result) && o->rank == RANK_WAITING)
            o->decision = "hold";
        return;
    default:
        doubt(o);
    }
}

void verdict_fill(struct send_outcome *out, const struct retry_settings *set,
                  const struct job *job, const struct twilio_answer *answer)
{
    int64_t now_us = clock_wall_us();

    *out = (struct send_outcome){
        .turn = job->sms.turn,
        .outcome = send_result_name(answer->result),
        .http_status = answer->http_status,
        .error_code = answer->code,
        .segments = answer->segments,
        .answered_us = now_us,
        .posted_us = now_us - answer->took_us,
        .claimed_us = now_us - (clock_boot_us() - job->claim_sent_us),
        .epoch = job->epoch,
        .estimate_micros = job->sms.estimate_micros,
        .currency = job->sms.currency,
        .rate_note = job->sms.rate_note,
        .mode = job->sms.mode,
    };
    memcpy(out->message_id, job->sms.message_id, 16);
    judge(out, set, job, answer);
}

void verdict_make_plain(struct send_outcome *out)
{
    out->http_status = out->error_code = out->segments = out->failures = 0;
    out->outcome = send_result_name(SEND_IN_DOUBT);
    doubt(out);
}
