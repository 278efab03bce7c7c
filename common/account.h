// account.h: what this installation may do, and with which accounts: Twilio's and the
// simulator's, each with address, credentials and default sender. Shared by producer,
// worker, receiver and simulator.
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "base.h"
#include "settings.h"

struct number_list;

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
    char *mode;                   // twilio.mode, TWILIO_MODE: simulate, listed, live
    char *test_numbers;           // TWILIO_TEST_NUMBERS: E.164, with commas
    char *base_url;               // https://api.twilio.com
    char *simulator_url;          // simulator.url: base address of the simulator
    char *simulator_account_sid;  // simulator.account_sid
    char *simulator_auth_token;   // simulator.auth_token
    char *public_url;             // public.url: where Twilio reaches the receiver
    char *status_callback;        // STATUS_CALLBACK_URL; default public.url + path
};

// The rows of account_settings at offset 0 of the settings struct: it must come first.
extern const struct setting account_settings_table[];

// What a message may do, the least first: reach the simulator only; really reach the
// listed numbers; really reach anybody.
enum account_mode { ACCOUNT_SIMULATE, ACCOUNT_LISTED, ACCOUNT_LIVE };

// account_mode_name: "simulate", "listed", "live". account_mode_find: false for others.
const char *account_mode_name(enum account_mode mode);
MUST_CHECK bool account_mode_find(enum account_mode *out, const char *name, size_t len);

// One account. Texts are borrowed from the settings.
struct account {
    const char *base_url;  // without '/' at its end; NULL: not configured
    const char *account_sid;
    const char *user;  // of Basic auth: the account SID or the API key's SID
    const char *password;
    const char *auth_token;  // signs callbacks; NULL: not known
    const char *sender;      // default From or Messaging Service SID, or NULL
};

// What the settings come to.
struct accounts {
    enum account_mode mode;  // the most that this installation does
    struct account twilio, simulator;
    struct number_list *listed;  // twilio.test_numbers
    struct err missing;          // why nothing can be sent in this mode; empty: it can
};

// accounts_open checks the kinds of the SIDs (AC…, SK…, MG…) and decides the mode:
// simulate with test_mode, else twilio.mode, else live with credentials and simulate
// without. Beside a live account the simulator counts only where simulator.url is set,
// and then with an auth token of its own: the default is known to everybody.
//   OUTCOME_REJECT  names the setting and what belongs there (row A13); out needs no
//                   close.
MUST_CHECK enum outcome accounts_open(struct accounts *out,
                                      const struct account_settings *set,
                                      struct err *err);
void accounts_close(struct accounts *a);

// accounts_mode is the mode of a message that asks for this one: no token and no job
// widens what the installation allows.
enum account_mode accounts_mode(const struct accounts *a, enum account_mode asked);

// accounts_of is the account for messages of this mode, or NULL: not configured, or more
// than this installation does.
const struct account *accounts_of(const struct accounts *a, enum account_mode mode);

// account_settings_part refuses what accounts_open does.
extern const struct settings_part account_settings_part;

// account_sender_type: "messaging_service", "number", "short_code", "alphanumeric", or
// NULL when sender is none of them (Twilio's rules: E.164; 3 to 8 digits; up to 11 of
// letters, digits, blank, + - _ & with a letter; MG + 32 hex digits).
const char *account_sender_type(const char *sender);

#endif
