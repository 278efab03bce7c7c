// doubt_policy.h: what to do with a message of which nobody knows whether Twilio took it,
// and which message of Twilio's list it is. Pure: times and facts come in, a verdict goes
// out.
#ifndef DOUBT_POLICY_H
#define DOUBT_POLICY_H

#include "base.h"

struct provider_message;

enum doubt_class { DOUBT_OTP, DOUBT_EMERGENCY, DOUBT_TRANSACTIONAL, DOUBT_MARKETING };
enum { DOUBT_CLASS_COUNT = DOUBT_MARKETING + 1 };

struct doubt_settings {
    int64_t wait_us[DOUBT_CLASS_COUNT];  // reconcile.otp_doubt and so on
    int64_t first_look_us;               // reconcile.first_look
    int64_t list_interval_us;            // reconcile.list_interval
    int64_t list_lag_us;                 // reconcile.list_lag
    int64_t empty_lists;                 // reconcile.empty_lists
    int64_t resends;                     // reconcile.resends
    int64_t margin_us;                   // reconcile.clock_margin
};

// How one doubt stands. Times are wall clock, as PostgreSQL told them.
struct doubt_facts {
    enum doubt_class class;
    bool is_ambiguous;      // the latest list shows what may be it, or another's
    bool wants_resend;      // the client's choice, transactional only
    int32_t resends;        // how often it was sent again already
    int64_t since_us;       // when the doubt began
    int64_t expires_us;     // end of the useful time
    int32_t looks;          // lists asked for, with or without an answer
    int32_t empty_lists;    // of them those that came and proved nothing
    int64_t last_empty_us;  // when the latest of those came; 0 = none
    int64_t now_us;
};

enum doubt_verdict {
    DOUBT_WAIT,     // look again at the time that comes with it
    DOUBT_LOOK,     // ask for the list now
    DOUBT_EXPIRED,  // ends: its time is over, and it is not sent again
    DOUBT_UNKNOWN,  // ends: nobody can say
    DOUBT_RESEND,   // goes out again, marked
};

// doubt_judge decides; *at_us is when to come back for DOUBT_WAIT, *why a sentence for
// the verdicts that end it.
enum doubt_verdict doubt_judge(const struct doubt_settings *set,
                               const struct doubt_facts *facts, int64_t *at_us,
                               const char **why);

// doubt_class_find: the words of the job; transactional for anything else.
enum doubt_class doubt_class_find(const char *word);
const char *doubt_class_name(enum doubt_class class);

// What a POST of ours said, to find it in Twilio's list.
struct doubt_post {
    const char *sender;  // number, sender id or Messaging Service SID
    bool is_service;
    const char *body;
    int64_t from_us, to_us;  // when it can have been made, margins included
};

// doubt_matches tells whether Twilio's message can be that POST.
bool doubt_matches(const struct doubt_post *post, const struct provider_message *m);

#endif
