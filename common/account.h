// account.h: which Twilio account a program works with: mode, address, credentials, the
// default sender. Shared by producer, worker, receiver and simulator.
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "base.h"
#include "settings.h"

struct account_settings {
    char *account_sid;            // twilio.account_sid, TWILIO_ACCOUNT_SID
    char *auth_token;             // twilio.auth_token, TWILIO_AUTH_TOKEN
    char *auth_tokens_old;        // accepted in signatures during a rotation, with commas
    char *api_key_sid;            // TWILIO_API_KEY_SID
    char *api_key_secret;         // TWILIO_API_KEY_SECRET
    char *phone_number;           // TWILIO_PHONE_NUMBER
    char *messaging_service_sid;  // TWILIO_MESSAGING_SERVICE_SID
    bool use_messaging_service;   // USE_MESSAGING_SERVICE
    bool test_mode;               // TWILIO_TEST_MODE: simulate whatever is configured
    char *base_url;               // https://api.twilio.com
    char *simulator_url;          // simulator.url: base address in mode simulate
    char *simulator_account_sid;  // simulator.account_sid
    char *simulator_auth_token;   // simulator.auth_token
    char *public_url;             // public.url: where Twilio reaches the receiver
    char *status_callback;        // STATUS_CALLBACK_URL; default public.url + path
};

// The rows of account_settings at offset 0 of the settings struct: it must come first.
extern const struct setting account_settings_table[];

enum account_mode { ACCOUNT_SIMULATE, ACCOUNT_LIVE };

// What the settings come to. Texts are borrowed from the settings.
struct account {
    enum account_mode mode;
    const char *mode_name;  // "simulate", "live"
    const char *base_url;   // without '/' at its end
    const char *account_sid;
    const char *user;  // of Basic auth: the account SID or the API key's SID
    const char *password;
    const char *auth_token;  // signs callbacks
    const char *sender;      // default From or Messaging Service SID, or NULL
};

// account_resolve checks the kinds of the SIDs (AC…, SK…, MG…) and decides the mode:
// simulate without credentials or with test_mode, else live.
//   OUTCOME_REJECT  names the setting and the kind that belongs there (row A13).
MUST_CHECK enum outcome account_resolve(struct account *out,
                                        const struct account_settings *set,
                                        struct err *err);

// account_settings_check is for the check of a settings_source; outcomes as above.
MUST_CHECK enum outcome account_settings_check(const struct account_settings *set,
                                               struct err *err);

// account_sender_type: "messaging_service", "number", "short_code", "alphanumeric", or
// NULL when sender is none of them (Twilio's rules: E.164; 3 to 8 digits; up to 11 of
// letters, digits, blank, + - _ & with a letter; MG + 32 hex digits).
const char *account_sender_type(const char *sender);

#endif
