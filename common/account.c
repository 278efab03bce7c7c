#include "account.h"

#include "number_list.h"
#include "sid.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define SIMULATOR_URL   "http://127.0.0.1:8002"
#define SIMULATOR_TOKEN "00000000000000000000000000000002"

// Twilio's magic number for a sender that works (its page "Test Credentials").
#define SIMULATED_SENDER "+15005550006"

#define AT(field) offsetof(struct account_settings, field)

// The simulator's account and token are no secrets: they open nothing but a simulator.
const struct setting account_settings_table[] = {
    { "twilio.account_sid", SETTING_TEXT, AT(account_sid), NULL, 0, 64,
      "TWILIO_ACCOUNT_SID", "account SID (AC and 32 hex digits)" },
    { "twilio.auth_token", SETTING_SECRET, AT(auth_token), NULL, 0, 128,
      "TWILIO_AUTH_TOKEN", "primary auth token: signs callbacks, sends without API key" },
    { "twilio.auth_tokens_old", SETTING_SECRET | SETTING_LIVE, AT(auth_tokens_old), NULL,
      0, 1024, NULL,
      "further auth tokens accepted in signatures during a rotation, with commas" },
    { "twilio.api_key_sid", SETTING_TEXT, AT(api_key_sid), NULL, 0, 64,
      "TWILIO_API_KEY_SID", "API key SID (SK and 32 hex digits) to send with" },
    { "twilio.api_key_secret", SETTING_SECRET, AT(api_key_secret), NULL, 0, 128,
      "TWILIO_API_KEY_SECRET", "secret of the API key" },
    { "twilio.phone_number", SETTING_TEXT, AT(phone_number), NULL, 0, 32,
      "TWILIO_PHONE_NUMBER", "default sender: a number, short code or alphanumeric ID" },
    { "twilio.messaging_service_sid", SETTING_TEXT, AT(messaging_service_sid), NULL, 0,
      64, "TWILIO_MESSAGING_SERVICE_SID", "Messaging Service (MG and 32 hex digits)" },
    { "twilio.use_messaging_service", SETTING_BOOL, AT(use_messaging_service), "false", 0,
      1, "USE_MESSAGING_SERVICE", "send through the Messaging Service by default" },
    { "twilio.test_mode", SETTING_BOOL, AT(test_mode), "false", 0, 1, "TWILIO_TEST_MODE",
      "simulate: talk to the simulator even with credentials" },
    { "twilio.mode", SETTING_TEXT, AT(mode), NULL, 0, 16, "TWILIO_MODE",
      "the most that a message may do: simulate, listed (really sent, to "
      "twilio.test_numbers only) or live; without it live if there are credentials" },
    { "twilio.test_numbers", SETTING_SECRET, AT(test_numbers), NULL, 0, 65536,
      "TWILIO_TEST_NUMBERS",
      "numbers that mode listed may reach: +15551234567, with commas" },
    { "twilio.base_url", SETTING_TEXT, AT(base_url), "https://api.twilio.com", 8, 256,
      NULL, "address of Twilio's API in mode live" },
    { "simulator.url", SETTING_TEXT, AT(simulator_url), NULL, 0, 256, NULL,
      "address of the simulator, for what is only simulated; in an installation that "
      "simulates everything http://127.0.0.1:8002 by default" },
    { "simulator.account_sid", SETTING_TEXT, AT(simulator_account_sid),
      "AC00000000000000000000000000000001", 34, 34, NULL, "the simulator's account" },
    { "simulator.auth_token", SETTING_TEXT, AT(simulator_auth_token), SIMULATOR_TOKEN, 1,
      128, NULL, "the simulator's auth token; beside a live account one of its own" },
    { "public.url", SETTING_TEXT, AT(public_url), "http://127.0.0.1:8001", 8, 512, NULL,
      "base address at which Twilio reaches the webhook receiver" },
    { "twilio.status_callback", SETTING_TEXT, AT(status_callback), NULL, 0, 1024,
      "STATUS_CALLBACK_URL", "address for delivery callbacks, instead of public.url's" },
    { 0 },
};

static bool is_given(const char *text)
{
    return text && text[0];
}

static enum outcome check_sid(const char *text, const char *kind, const char *setting,
                              const char *what, struct err *err)
{
    if (!is_given(text) || sid_is(text, kind))
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT,
                   "%s begins with \"%.2s\": %s belongs there (%s and 32 hex digits)",
                   setting, text, what, kind);
}

// The real Twilio must reach the receiver through TLS; plain HTTP is for one machine. The
// simulator may call wherever containers put the receiver.
static enum outcome check_public_url(const char *url, struct err *err)
{
    static const char *const loopback[] = { "http://127.", "http://localhost",
                                            "http://[::1]" };

    if (strncasecmp(url, "https://", 8) == 0)
        return OUTCOME_OK;
    for (size_t i = 0; i < COUNT_OF(loopback); i++)
        if (strncasecmp(url, loopback[i], strlen(loopback[i])) == 0)
            return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT,
                   "public.url must begin with https:// (plain http only on loopback, or "
                   "in mode simulate)");
}

static enum outcome check_address(const char *url, const char *setting, struct err *err)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return err_set(err, OUTCOME_REJECT, "%s must begin with https:// or http://",
                       setting);
    if (url[strlen(url) - 1] == '/')
        return err_set(err, OUTCOME_REJECT, "%s must not end in '/'", setting);
    return OUTCOME_OK;
}

// The receiver checks signatures against public.url: callbacks sent anywhere else would
// all be refused.
static enum outcome check_callback(const struct account_settings *set, struct err *err)
{
    if (!is_given(set->status_callback) ||
        strncmp(set->status_callback, set->public_url, strlen(set->public_url)) == 0)
        return OUTCOME_OK;
    return err_set(
        err, OUTCOME_REJECT,
        "twilio.status_callback (STATUS_CALLBACK_URL) must begin with public.url, "
        "which is %s",
        set->public_url);
}

static enum outcome check_addresses(const struct account_settings *set, struct err *err)
{
    enum outcome rc = check_address(set->base_url, "twilio.base_url", err);
    if (!rc)
        rc = check_address(is_given(set->simulator_url) ? set->simulator_url
                                                        : SIMULATOR_URL,
                           "simulator.url", err);
    if (!rc)
        rc = check_address(set->public_url, "public.url", err);
    return rc ? rc : check_callback(set, err);
}

static enum outcome check_kinds(const struct account_settings *set, struct err *err)
{
    enum outcome rc =
        check_sid(set->account_sid, "AC", "twilio.account_sid", "an account SID", err);
    if (!rc)
        rc = check_sid(set->api_key_sid, "SK", "twilio.api_key_sid", "an API key SID",
                       err);
    if (!rc)
        rc = check_sid(set->messaging_service_sid, "MG", "twilio.messaging_service_sid",
                       "a Messaging Service SID", err);
    if (rc)
        return rc;
    if (is_given(set->api_key_sid) != is_given(set->api_key_secret))
        return err_set(err, OUTCOME_REJECT,
                       "twilio.api_key_sid and twilio.api_key_secret belong together");
    if (set->use_messaging_service && !is_given(set->messaging_service_sid))
        return err_set(err, OUTCOME_REJECT,
                       "twilio.use_messaging_service needs "
                       "twilio.messaging_service_sid");
    return OUTCOME_OK;
}

static const char *default_sender(const struct account_settings *set)
{
    if (set->use_messaging_service || !is_given(set->phone_number))
        return is_given(set->messaging_service_sid) ? set->messaging_service_sid : NULL;
    return set->phone_number;
}

static const char *const mode_names[] = {
    [ACCOUNT_SIMULATE] = "simulate",
    [ACCOUNT_LISTED] = "listed",
    [ACCOUNT_LIVE] = "live",
};

const char *account_mode_name(enum account_mode mode)
{
    return mode_names[mode];
}

bool account_mode_find(enum account_mode *out, const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(mode_names); i++) {
        if (strlen(mode_names[i]) != len || memcmp(mode_names[i], name, len) != 0)
            continue;
        *out = (enum account_mode)i;
        return true;
    }
    return false;
}

static bool has_credentials(const struct account_settings *set)
{
    return is_given(set->account_sid) &&
           (is_given(set->auth_token) || is_given(set->api_key_secret));
}

static enum outcome decide_mode(struct accounts *a, const struct account_settings *set,
                                struct err *err)
{
    a->mode = has_credentials(set) ? ACCOUNT_LIVE : ACCOUNT_SIMULATE;
    if (is_given(set->mode) && !account_mode_find(&a->mode, set->mode, strlen(set->mode)))
        return err_set(err, OUTCOME_REJECT,
                       "twilio.mode is simulate, listed or live, not \"%s\"", set->mode);
    if (set->test_mode)
        a->mode = ACCOUNT_SIMULATE;
    return OUTCOME_OK;
}

static void fill_twilio(struct account *a, const struct account_settings *set)
{
    bool by_key = is_given(set->api_key_sid);

    a->auth_token = is_given(set->auth_token) ? set->auth_token : NULL;
    if (!has_credentials(set))
        return;
    a->base_url = set->base_url;
    a->account_sid = set->account_sid;
    a->user = by_key ? set->api_key_sid : set->account_sid;
    a->password = by_key ? set->api_key_secret : set->auth_token;
    a->sender = default_sender(set);
}

// Whoever knows the simulator's token makes callbacks of simulated messages. Beside real
// ones it must be a secret, and another one than Twilio's.
static enum outcome check_simulator(const struct accounts *a,
                                    const struct account_settings *set, struct err *err)
{
    if (a->mode == ACCOUNT_SIMULATE)
        return OUTCOME_OK;
    if (strcmp(set->simulator_auth_token, SIMULATOR_TOKEN) == 0)
        return err_set(err, OUTCOME_REJECT,
                       "simulator.auth_token is the default, which everybody knows: with "
                       "simulator.url beside a live account set one of its own, here and "
                       "for smsq-twilio-simulator");
    if (a->twilio.auth_token &&
        strcmp(set->simulator_auth_token, a->twilio.auth_token) == 0)
        return err_set(err, OUTCOME_REJECT,
                       "simulator.auth_token must not be Twilio's: it vouches for "
                       "callbacks of simulated messages only");
    return OUTCOME_OK;
}

// Who simulated before and really sends now may take the simulator's token for an old
// one.
static enum outcome check_old_tokens(const struct accounts *a,
                                     const struct account_settings *set, struct err *err)
{
    if (a->mode == ACCOUNT_SIMULATE || !is_given(set->auth_tokens_old) ||
        !strstr(set->auth_tokens_old, SIMULATOR_TOKEN))
        return OUTCOME_OK;
    return err_set(
        err, OUTCOME_REJECT,
        "twilio.auth_tokens_old holds the simulator's default, which everybody "
        "knows: leave it out, it was never Twilio's");
}

static enum outcome fill_simulator(struct accounts *a, const struct account_settings *set,
                                   struct err *err)
{
    const char *sender = default_sender(set);

    if (a->mode != ACCOUNT_SIMULATE && !is_given(set->simulator_url))
        return OUTCOME_OK;
    a->simulator = (struct account){
        .base_url = is_given(set->simulator_url) ? set->simulator_url : SIMULATOR_URL,
        .account_sid = set->simulator_account_sid,
        .user = set->simulator_account_sid,
        .password = set->simulator_auth_token,
        .auth_token = set->simulator_auth_token,
        .sender = sender ? sender : SIMULATED_SENDER,
    };
    return check_simulator(a, set, err);
}

static enum outcome read_listed(struct accounts *a, const struct account_settings *set,
                                struct err *err)
{
    enum outcome rc =
        number_list_open(&a->listed, is_given(set->test_numbers) ? set->test_numbers : "",
                         err);

    if (rc)
        err_context(err, "twilio.test_numbers (TWILIO_TEST_NUMBERS)");
    return rc;
}

static void look_for_missing(struct accounts *a)
{
    if (a->mode != ACCOUNT_SIMULATE && !a->twilio.base_url)
        err_set(&a->missing, OUTCOME_RETRY,
                "mode %s has no credentials: set twilio.account_sid (TWILIO_ACCOUNT_SID) "
                "and twilio.auth_token (TWILIO_AUTH_TOKEN), or an API key",
                mode_names[a->mode]);
    else if (a->mode == ACCOUNT_LISTED && number_list_count(a->listed) == 0)
        err_set(&a->missing, OUTCOME_RETRY,
                "mode listed reaches nobody: set twilio.test_numbers "
                "(TWILIO_TEST_NUMBERS)");
}

static enum outcome check_settings(const struct account_settings *set, struct err *err)
{
    const char *sender = default_sender(set);
    enum outcome rc = check_kinds(set, err);

    if (!rc)
        rc = check_addresses(set, err);
    if (!rc && sender && !account_sender_type(sender))
        rc = err_set(err, OUTCOME_REJECT,
                     "twilio.phone_number is no sender: write +15551234567, a short "
                     "code or an alphanumeric ID");
    return rc;
}

enum outcome accounts_open(struct accounts *out, const struct account_settings *set,
                           struct err *err)
{
    struct accounts a = { 0 };
    enum outcome rc = check_settings(set, err);

    if (!rc)
        rc = decide_mode(&a, set, err);
    if (!rc) {
        fill_twilio(&a.twilio, set);
        rc = fill_simulator(&a, set, err);
    }
    if (!rc)
        rc = check_old_tokens(&a, set, err);
    if (!rc)
        rc = read_listed(&a, set, err);
    if (!rc && a.mode != ACCOUNT_SIMULATE)
        rc = check_public_url(set->public_url, err);
    if (rc) {
        accounts_close(&a);
        return rc;
    }
    look_for_missing(&a);
    *out = a;
    return OUTCOME_OK;
}

void accounts_close(struct accounts *a)
{
    number_list_close(a->listed);
    *a = (struct accounts){ 0 };
}

enum account_mode accounts_mode(const struct accounts *a, enum account_mode asked)
{
    return asked < a->mode ? asked : a->mode;
}

const struct account *accounts_of(const struct accounts *a, enum account_mode mode)
{
    const struct account *account = mode == ACCOUNT_SIMULATE ? &a->simulator : &a->twilio;
    return mode <= a->mode && account->base_url ? account : NULL;
}

static enum outcome check_part(const void *part, struct err *err)
{
    const struct account_settings *set = part;
    struct accounts accounts;
    enum outcome rc = accounts_open(&accounts, set, err);

    if (!rc)
        accounts_close(&accounts);
    return rc;
}

const struct settings_part account_settings_part = { check_part, NULL };

static size_t digits_at(const char *text)
{
    return strspn(text, "0123456789");
}

// Twilio: up to 11 of A-Z a-z 0-9 blank + - _ &, at least one letter.
static bool is_alphanumeric_sender(const char *sender)
{
    bool letter = false;
    size_t len = strlen(sender);

    if (len < 1 || len > 11)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)sender[i];
        if (c >= 0x80 || (!isalnum(c) && !strchr(" +-_&", c)))
            return false;
        letter = letter || isalpha(c);
    }
    return letter;
}

const char *account_sender_type(const char *sender)
{
    size_t len = strlen(sender);

    if (sid_is(sender, "MG"))
        return "messaging_service";
    if (sender[0] == '+' && digits_at(sender + 1) == len - 1 && len >= 8 && len <= 16 &&
        sender[1] != '0')
        return "number";
    if (len >= 3 && len <= 8 && digits_at(sender) == len)
        return "short_code";
    return is_alphanumeric_sender(sender) ? "alphanumeric" : NULL;
}
