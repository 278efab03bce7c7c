// sim_accounts_form.c: accounts from name=value pairs: POST /_sim/accounts and the file.
#include "buf.h"
#include "form.h"
#include "rate_card.h"
#include "sid.h"
#include "sim_accounts.h"
#include "sim_settings.h"
#include "sim_sign.h"
#include "sim_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES = 65537, PATH_CHARS = 256, FORM_MAX_BYTES = 1 << 18 };

// What a pair may need beside its account.
struct target {
    struct sim_accounts *all;
    struct sim_account *account;
    int64_t now_us;
};

static bool copy_text(char *out, size_t room, const char *value)
{
    size_t len = strlen(value);

    if (len == 0 || len >= room)
        return false;
    memcpy(out, value, len + 1);
    return true;
}

static bool set_token(struct target *t, char *value)
{
    struct sim_account *a = t->account;

    if (!copy_text(a->token, sizeof(a->token), value))
        return false;
    sim_signer_free(a->signer);
    a->signer = sim_signer_new(a->token);
    return true;
}

static bool set_name(struct target *t, char *value)
{
    return copy_text(t->account->name, sizeof(t->account->name), value);
}

static bool set_owner(struct target *t, char *value)
{
    struct sim_account *owner = sim_accounts_find(t->all, value);

    if (owner)
        t->account->owner = owner;
    return owner != NULL;
}

static bool set_type(struct target *t, char *value)
{
    t->account->is_trial = strcmp(value, "Trial") == 0;
    return t->account->is_trial || strcmp(value, "Full") == 0;
}

static bool set_flag(bool *flag, const char *value)
{
    *flag = strcmp(value, "yes") == 0;
    return *flag || strcmp(value, "no") == 0;
}

static bool set_test(struct target *t, char *value)
{
    return set_flag(&t->account->is_test, value);
}

static bool set_advanced_opt_out(struct target *t, char *value)
{
    return set_flag(&t->account->has_advanced_opt_out, value);
}

static bool set_senders(struct target *t, char *value)
{
    char *rest = NULL;

    t->account->owns_all_senders = false;
    t->account->any_sender = NULL;
    for (char *at = strtok_r(value, ",", &rest); at; at = strtok_r(NULL, ",", &rest))
        if (!sim_account_add_sender(t->account, t->all->sids, at, t->now_us))
            return false;
    return true;
}

// The pool of each service is every sender that the account has by then.
static bool set_services(struct target *t, char *value)
{
    struct sim_account *a = t->account;
    char *rest = NULL;

    a->has_all_services = false;
    for (char *at = strtok_r(value, ",", &rest); at; at = strtok_r(NULL, ",", &rest)) {
        struct sim_service *service = sim_table_find(&a->services, at, strlen(at));
        if (!service && sid_is(at, "MG"))
            service = sim_account_add_service(a, t->all->sids, at, t->now_us);
        if (!service)
            return false;
        for (size_t i = 0; i < a->senders.count; i++)
            (void)sim_service_add(service, a->senders.rows[i]);
    }
    return true;
}

static bool set_verified(struct target *t, char *value)
{
    free(t->account->verified);
    t->account->verified = xstrdup(value);
    return true;
}

static bool set_balance(struct target *t, char *value)
{
    return rate_card_parse_micros(value, strlen(value), &t->account->balance_micros);
}

// For all senders that the account has by then.
static bool set_sms_url(struct target *t, char *value)
{
    if (!sim_url_is_callback((struct sim_text){ value, strlen(value) }))
        return false;
    for (size_t i = 0; i < t->account->senders.count; i++) {
        struct sim_sender *sender = t->account->senders.rows[i];
        free(sender->sms.url);
        sender->sms.url = xstrdup(value);
    }
    return true;
}

static bool set_nothing(struct target *t, char *value)
{
    (void)t;
    (void)value;
    return true;  // sid was read first
}

static const struct {
    const char *name;
    bool (*set)(struct target *t, char *value);
} fields[] = {
    { "sid", set_nothing },        { "auth_token", set_token },
    { "friendly_name", set_name }, { "owner", set_owner },
    { "type", set_type },          { "test", set_test },
    { "senders", set_senders },    { "messaging_services", set_services },
    { "verified", set_verified },  { "advanced_opt_out", set_advanced_opt_out },
    { "balance", set_balance },    { "sms_url", set_sms_url },
};

static bool apply(struct target *t, const struct form_pair *pair)
{
    char value[VALUE_BYTES];

    if (pair->value_len >= sizeof(value) || !utf8_is_valid(pair->value, pair->value_len))
        return false;
    memcpy(value, pair->value, pair->value_len);
    value[pair->value_len] = '\0';
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (strlen(fields[i].name) == pair->name_len &&
            memcmp(fields[i].name, pair->name, pair->name_len) == 0)
            return fields[i].set(t, value);
    return false;
}

// Finds the account of the pair sid, or makes it; without the pair a new SID is made. A
// new account has every sender and service until the form says which.
static struct sim_account *find_or_make(struct sim_accounts *all, const struct form *form,
                                        int64_t now_us)
{
    const struct form_pair *pair = form_find(form, "sid");
    char sid[SIM_SIDS_TEXT_BYTES], token[SIM_SIDS_TEXT_BYTES];
    struct sim_account *a = NULL;

    if (pair) {
        if (pair->value_len != sizeof(sid) - 1)
            return NULL;
        memcpy(sid, pair->value, pair->value_len);
        sid[pair->value_len] = '\0';
        a = sim_accounts_find(all, sid);
        if (a || !sid_is(sid, "AC"))
            return a;
        sim_sids_other(all->sids, "AT", all->table.count, token);
        a = sim_accounts_add(all, sid, token + 2, NULL, now_us);
    } else {
        a = sim_accounts_new(all, NULL, now_us);
    }
    if (a) {
        a->owns_all_senders = a->has_all_services = true;
        a->any_sender = all->any_sender;
    }
    return a;
}

struct sim_account *sim_accounts_configure(struct sim_accounts *all,
                                           const struct form *form, int64_t now_us,
                                           struct err *err)
{
    struct target t = { all, find_or_make(all, form, now_us), now_us };

    if (!t.account) {
        (void)err_set(err, OUTCOME_REJECT,
                      "sid is AC and 32 hex digits, of at most %d accounts",
                      SIM_ACCOUNTS_MAX);
        return NULL;
    }
    for (size_t i = 0; i < form->count; i++) {
        const struct form_pair *pair = &form->pairs[i];
        if (apply(&t, pair))
            continue;
        int len = pair->name_len < 64 && utf8_is_valid(pair->name, pair->name_len)
                      ? (int)pair->name_len
                      : 0;
        (void)err_set(err, OUTCOME_REJECT, "\"%.*s\" is not known or has a bad value",
                      len, pair->name);
        return NULL;
    }
    return t.account;
}

enum outcome sim_accounts_configure_text(struct sim_accounts *all, const char *line,
                                         size_t len, int64_t now_us, struct err *err)
{
    struct form form = { 0 };

    enum outcome rc = form_parse(&form, line, len, err);
    if (!rc && !sim_accounts_configure(all, &form, now_us, err))
        rc = OUTCOME_REJECT;
    form_free(&form);
    return rc;
}

enum outcome sim_accounts_load(struct sim_accounts *all, const char *path, int64_t now_us,
                               struct err *err)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int number = 0;
    enum outcome rc = OUTCOME_OK;

    if (!file)
        return err_set(err, OUTCOME_REJECT, "cannot read %s: %s", path, strerror(errno));
    while (!rc && (len = getline(&line, &room, file)) > 0) {
        number++;
        size_t used = strcspn(line, "\r\n");
        if (used && line[0] != '#')
            rc = sim_accounts_configure_text(all, line, used, now_us, err);
        if (rc) {
            char what[PATH_CHARS];
            (void)snprintf(what, sizeof(what), "%.200s line %d", path, number);
            err_context(err, what);
        }
    }
    free(line);
    (void)fclose(file);
    return rc;
}

enum outcome sim_accounts_open(struct sim_accounts *all, const struct sim_settings *set,
                               struct sim_sids *sids, int64_t now_us, struct err *err)
{
    const char *const pairs[][2] = {
        { "sid", set->account.simulator_account_sid },
        { "auth_token", set->account.simulator_auth_token },
        { "messaging_services", set->messaging_service_sid },  // picks service_sender
        { "senders", set->senders },
    };
    struct buf text = BUF_INIT(FORM_MAX_BYTES);

    all->sids = sids;
    all->any_sender = set->service_sender;
    all->balance_micros = set->balance * 1000000;
    if (!rate_card_parse_micros(set->failed_fee, strlen(set->failed_fee),
                                &all->failed_fee_micros))
        return err_set(err, OUTCOME_REJECT, "simulator.failed_fee is not a decimal: %s",
                       set->failed_fee);
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (pairs[i][1])
            buf_add_form(&text, pairs[i][0], pairs[i][1]);
    enum outcome rc =
        sim_accounts_configure_text(all, buf_text(&text), text.len, now_us, err);
    buf_free(&text);
    if (!rc)
        sim_accounts_at(all, 0)->any_sender = set->service_sender;
    if (!rc && !set->senders)
        (void)sim_account_add_sender(sim_accounts_at(all, 0), sids, set->service_sender,
                                     now_us);
    if (!rc && set->accounts_file)
        rc = sim_accounts_load(all, set->accounts_file, now_us, err);
    return rc;
}
