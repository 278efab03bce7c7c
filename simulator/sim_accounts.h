// sim_accounts.h: all accounts of the simulator: found by SID, by credentials, by index.
#ifndef SIM_ACCOUNTS_H
#define SIM_ACCOUNTS_H

#include "sim_account.h"

struct form;
struct sim_message;
struct sim_settings;

enum { SIM_ACCOUNTS_MAX = 1000, SIM_ACCOUNTS_FILE_MAX_BYTES = 1 << 20 };

struct sim_accounts {
    struct sim_table table;
    struct sim_sids *sids;   // borrowed
    const char *any_sender;  // what services without senders pick; borrowed
    int64_t balance_micros;  // of a new account
    int64_t failed_fee_micros;
};

// sim_accounts_open makes the account of the settings and those of the accounts file.
// Zero-initialise all; set and sids are borrowed until sim_accounts_free.
//   OUTCOME_REJECT  a setting or a line of the file is wrong; the text names it.
MUST_CHECK enum outcome sim_accounts_open(struct sim_accounts *all,
                                          const struct sim_settings *set,
                                          struct sim_sids *sids, int64_t now_us,
                                          struct err *err);
void sim_accounts_free(struct sim_accounts *all);

// sim_accounts_add makes an account; owner NULL = none. NULL: the SID is there already,
// or there are too many.
struct sim_account *sim_accounts_add(struct sim_accounts *all, const char *sid,
                                     const char *token, struct sim_account *owner,
                                     int64_t now_us);

// sim_accounts_new makes an account with a new SID and token, as a POST to Accounts.json
// does: it owns nothing yet.
struct sim_account *sim_accounts_new(struct sim_accounts *all, struct sim_account *owner,
                                     int64_t now_us);

struct sim_account *sim_accounts_find(const struct sim_accounts *all, const char *sid);
struct sim_account *sim_accounts_at(const struct sim_accounts *all, size_t index);

// sim_accounts_login: the account of that user (its SID, or an API key of its own) and
// password; NULL: wrong.
struct sim_account *sim_accounts_login(const struct sim_accounts *all, const char *user,
                                       const char *password);

// sim_accounts_configure makes an account, or changes the one of that sid, from
// name=value pairs: sid, auth_token, friendly_name, owner, type (Full, Trial), test,
// senders, messaging_services, verified, advanced_opt_out, balance, sms_url
// (docs/simulator.md). NULL: err names the first pair that is wrong; what came before it
// holds.
struct sim_account *sim_accounts_configure(struct sim_accounts *all,
                                           const struct form *form, int64_t now_us,
                                           struct err *err);

// sim_accounts_configure_text does so with pairs written as a form.
MUST_CHECK enum outcome sim_accounts_configure_text(struct sim_accounts *all,
                                                    const char *text, size_t len,
                                                    int64_t now_us, struct err *err);

// sim_accounts_load configures one account from each line of a file, written as a form.
// Empty lines and lines that begin with '#' are skipped.
//   OUTCOME_REJECT  the text names file and line.
MUST_CHECK enum outcome sim_accounts_load(struct sim_accounts *all, const char *path,
                                          int64_t now_us, struct err *err);

// sim_accounts_pool returns the senders among which the message's Messaging Service
// chooses; *count 0: it has none. Borrowed until the pool changes.
const char *const *sim_accounts_pool(const struct sim_accounts *all,
                                     const struct sim_message *m, size_t *count);

// sim_accounts_clear_usage forgets what was used and scheduled.
void sim_accounts_clear_usage(struct sim_accounts *all);

#endif
