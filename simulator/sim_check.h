// sim_check.h: reads and checks the form of a create, as Twilio does: the first thing
// wrong is the answer.
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "phone.h"
#include "sim_account.h"
#include "sim_error.h"

struct form;
struct rate_card;
struct sim_accounts;
struct sim_pairs;
struct sim_phone_memory;

enum {
    SIM_CHECK_BODY_CHARACTERS = 1600,
    SIM_CHECK_AHEAD_MIN_S = 300,         // SendAt: more than this
    SIM_CHECK_AHEAD_MAX_S = 35 * 86400,  // at most this
    SIM_CHECK_SCHEDULED_MAX = 500000,    // of one account
    SIM_CHECK_WINDOW_S = 24 * 3600,      // of WhatsApp, from the person's last message
    SIM_CHECK_JOINED_S = 3 * 24 * 3600,  // of WhatsApp's sandbox
};

#define SIM_CHECK_SANDBOX "whatsapp:+14155238886"
#define SIM_CHECK_JOINED  "whatsapp:joined"  // in heard: when the sandbox was joined
#define SIM_CHECK_TRIAL   "Sent from your Twilio trial account - "

struct sim_checker {
    struct sim_phone_memory *phones;
    const struct rate_card *rates;
    struct sim_accounts *accounts;
    const struct sim_pairs *stopped;  // recipients that opted out, by sender or service
    const struct sim_pairs *heard;    // when a person last wrote to a WhatsApp sender
    int64_t now_us;                   // the simulator's clock, set before each check
};

// The draft and the memory its normalised texts live in.
struct sim_checked {
    struct sim_draft draft;
    struct sim_account *account;
    struct sim_service *service;  // NULL without one
    bool is_whatsapp, has_content;
    struct phone to, from;
    char to_text[32], from_text[32];
    char trial_body[SIM_MESSAGE_BODY_MAX_BYTES + sizeof(SIM_CHECK_TRIAL)];
};

// sim_check fills out for a create of that account; its texts borrow from form and from
// out itself.
//   OUTCOME_REJECT  error holds Twilio's answer.
MUST_CHECK enum outcome sim_check(struct sim_checked *out, const struct sim_checker *c,
                                  struct sim_account *account, const struct form *form,
                                  struct sim_error *error);

// The parts of a check, in files of their own.
MUST_CHECK enum outcome sim_check_to(struct sim_checked *out, const struct sim_checker *c,
                                     struct sim_error *error);
MUST_CHECK enum outcome sim_check_from(struct sim_checked *out,
                                       const struct sim_checker *c,
                                       struct sim_error *error);
MUST_CHECK enum outcome sim_check_service(struct sim_checked *out,
                                          const struct sim_checker *c,
                                          struct sim_error *error);
MUST_CHECK enum outcome sim_check_media(struct sim_checked *out, const struct form *form,
                                        struct sim_error *error);
MUST_CHECK enum outcome sim_check_content(struct sim_checked *out,
                                          const struct form *form,
                                          struct sim_error *error);
MUST_CHECK enum outcome sim_check_times(struct sim_checked *out,
                                        const struct sim_checker *c,
                                        const struct form *form, struct sim_error *error);
// Opt-outs, magic recipients, a trial's unverified ones, WhatsApp's window: refused now,
// or with a service the fate of the message after its answer.
MUST_CHECK enum outcome sim_check_reach(struct sim_checked *out,
                                        const struct sim_checker *c,
                                        struct sim_error *error);

// sim_check_param returns the first value of that name, empty when it is not there.
struct sim_text sim_check_param(const struct form *form, const char *name);

#endif
