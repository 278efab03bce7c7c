#include "doubt_policy.h"

#include "provider_read.h"

#include <string.h>

enum { USEFUL_MIN_US = 5000000 };  // what the worker would refuse to post

static const char *const class_names[DOUBT_CLASS_COUNT] = {
    [DOUBT_OTP] = "otp",
    [DOUBT_EMERGENCY] = "emergency",
    [DOUBT_TRANSACTIONAL] = "transactional",
    [DOUBT_MARKETING] = "marketing",
};

enum doubt_class doubt_class_find(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(class_names); i++)
        if (strcmp(class_names[i], word) == 0)
            return (enum doubt_class)i;
    return DOUBT_TRANSACTIONAL;
}

const char *doubt_class_name(enum doubt_class class)
{
    return class_names[class];
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Lists are asked for once early, then at equal distances, and once more when the time is
// over: what is found early helps whoever waits, what is not found early proves nothing.
static int64_t next_look_us(const struct doubt_settings *set,
                            const struct doubt_facts *facts)
{
    int64_t wait_us = set->wait_us[facts->class];
    int64_t first_us = smaller(set->first_look_us, wait_us / 2);
    int64_t over_us = facts->since_us + wait_us;
    int64_t at_us = facts->since_us + first_us + facts->looks * set->list_interval_us;

    return at_us < over_us || facts->now_us > over_us ? at_us : over_us;
}

// A list proves something only when it came later than Twilio's lists lag.
static bool has_proof_of_absence(const struct doubt_settings *set,
                                 const struct doubt_facts *facts)
{
    return facts->empty_lists >= set->empty_lists &&
           facts->last_empty_us >= facts->since_us + set->list_lag_us;
}

static bool may_go_again(const struct doubt_facts *facts)
{
    return facts->expires_us > facts->now_us + USEFUL_MIN_US;
}

// A code is looked for once more when its time is over, also if that was missed in an
// outage of ours: else what Twilio took, and bills, would be written off.
static enum doubt_verdict judge_otp(const struct doubt_settings *set,
                                    const struct doubt_facts *facts, const char **why)
{
    int64_t wait_us = set->wait_us[facts->class];
    int64_t first_us = smaller(set->first_look_us, wait_us / 2);
    int64_t planned = 1 + (wait_us - first_us - 1) / set->list_interval_us;

    if (facts->last_empty_us < facts->since_us + smaller(set->list_lag_us, wait_us) &&
        facts->looks <= planned && facts->now_us < facts->expires_us)
        return DOUBT_LOOK;
    *why = "no proof that Twilio took it: a second code is worse than none";
    return DOUBT_EXPIRED;
}

static enum doubt_verdict judge_emergency(const struct doubt_settings *set,
                                          const struct doubt_facts *facts,
                                          const char **why)
{
    if (facts->looks == 0)
        return DOUBT_LOOK;
    if (!may_go_again(facts)) {
        *why = "no proof that Twilio took it, and its useful time is over";
        return DOUBT_EXPIRED;
    }
    if (facts->resends >= set->resends) {
        *why = "no proof that Twilio took it, and it was sent again too often";
        return DOUBT_UNKNOWN;
    }
    *why = "no proof that Twilio took it: an emergency rather comes twice than never";
    return DOUBT_RESEND;
}

static enum doubt_verdict judge_listed(const struct doubt_settings *set,
                                       const struct doubt_facts *facts, int64_t *at_us,
                                       const char **why)
{
    if (!has_proof_of_absence(set, facts)) {
        *at_us = larger(next_look_us(set, facts), facts->since_us + set->list_lag_us);
        if (facts->looks > 0 && facts->last_empty_us > 0)
            *at_us = larger(*at_us, facts->last_empty_us + set->list_interval_us);
        return *at_us <= facts->now_us ? DOUBT_LOOK : DOUBT_WAIT;
    }
    if (facts->is_ambiguous) {
        *why = "the list shows messages that may be it, but not which is whose";
        return DOUBT_UNKNOWN;
    }
    if (facts->wants_resend && facts->resends == 0 && may_go_again(facts)) {
        *why =
            "neither callback nor list tells of it, and its client wants it sent again";
        return DOUBT_RESEND;
    }
    *why = facts->resends > 0
               ? "neither callback nor list tells of it, and it was sent again already"
               : "neither callback nor list tells of it";
    return DOUBT_UNKNOWN;
}

enum doubt_verdict doubt_judge(const struct doubt_settings *set,
                               const struct doubt_facts *facts, int64_t *at_us,
                               const char **why)
{
    int64_t over_us = facts->since_us + set->wait_us[facts->class];

    *at_us = 0;
    *why = NULL;
    if (facts->now_us < over_us) {
        *at_us = next_look_us(set, facts);
        return *at_us <= facts->now_us ? DOUBT_LOOK : DOUBT_WAIT;
    }
    switch (facts->class) {
    case DOUBT_OTP:
        return judge_otp(set, facts, why);
    case DOUBT_EMERGENCY:
        return judge_emergency(set, facts, why);
    default:
        return judge_listed(set, facts, at_us, why);
    }
}

// Trial accounts put a sentence before each text.
static bool is_body(const char *shown, const char *posted)
{
    static const char trial[] = "Sent from your Twilio trial account - ";

    if (strcmp(shown, posted) == 0)
        return true;
    return strncmp(shown, trial, sizeof(trial) - 1) == 0 &&
           strcmp(shown + sizeof(trial) - 1, posted) == 0;
}

bool doubt_matches(const struct doubt_post *post, const struct provider_message *m)
{
    const char *sender = post->is_service ? m->service_sid : m->from;

    return m->is_outbound && m->body && is_body(m->body, post->body) &&
           strcmp(sender, post->sender) == 0 && m->created_us >= post->from_us &&
           m->created_us <= post->to_us;
}
