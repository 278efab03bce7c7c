// sim_check_reach.c: can this recipient be reached from this sender at all?
#include "sim_check.h"
#include "sim_magic.h"
#include "sim_pairs.h"

#include <string.h>

enum { OPTED_OUT = 21610, NO_SENDER = 21704, UNVERIFIED = 21608 };
enum { NOT_JOINED = 63015, OUTSIDE_WINDOW = 63016 };

// Refuses the create, or with a service lets it fail after the answer.
static enum outcome fail(struct sim_checked *out, int code, bool is_late,
                         struct sim_error *error)
{
    struct sim_draft *d = &out->draft;

    if (d->service.len == 0 || !is_late)
        return sim_error_code(error, code, d->to);
    d->fate_code = code;
    return OUTCOME_OK;
}

// Tells whether number stands in the list, which has commas between its entries.
static bool is_listed(const char *list, const char *number)
{
    size_t len = strlen(number);

    for (const char *at = list; (at = strstr(at, number)); at += len)
        if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

// A person who stopped a service stopped all its senders; one who stopped a number, that
// number. A service without senders has only the one that such services pick.
static bool has_stopped(const struct sim_checked *out, const struct sim_checker *c)
{
    const char *person = out->to.e164, *only = out->account->any_sender;

    if (!out->service)
        return sim_pairs_get(c->stopped, out->from_text, person) != 0;
    if (out->service->pool_count == 0 && only && sim_pairs_get(c->stopped, only, person))
        return true;
    return sim_pairs_get(c->stopped, out->service->sid, person) != 0;
}

static bool is_within(const struct sim_checker *c, const char *sender, const char *person,
                      int64_t limit_s)
{
    int64_t at_us = sim_pairs_get(c->heard, sender, person);

    return at_us != 0 && (c->now_us - at_us) / 1000000 <= limit_s;
}

// WhatsApp tells only after the answer that a text without template is not allowed.
static void set_whatsapp_fate(struct sim_checked *out, const struct sim_checker *c)
{
    const char *from = out->from_text[0] ? out->from_text : SIM_CHECK_SANDBOX;
    bool is_sandbox = strcmp(from, SIM_CHECK_SANDBOX) == 0;

    if (is_sandbox && !is_within(c, SIM_CHECK_JOINED, out->to_text, SIM_CHECK_JOINED_S))
        out->draft.fate_code = NOT_JOINED;
    else if (!out->has_content && !is_within(c, from, out->to_text, SIM_CHECK_WINDOW_S))
        out->draft.fate_code = OUTSIDE_WINDOW;
}

enum outcome sim_check_reach(struct sim_checked *out, const struct sim_checker *c,
                             struct sim_error *error)
{
    const struct sim_account *a = out->account;
    int code = sim_magic_to(out->to.e164);

    if (code)
        return fail(out, code, sim_magic_is_late(code), error);
    if (a->is_trial && !(a->verified && is_listed(a->verified, out->to.e164)))
        return fail(out, UNVERIFIED, false, error);
    if (out->is_whatsapp) {
        set_whatsapp_fate(out, c);
        return OUTCOME_OK;
    }
    if (has_stopped(out, c))
        return fail(out, OPTED_OUT, true, error);
    if (out->service && out->draft.from.len == 0 && out->service->pool_count == 0 &&
        !a->any_sender)
        out->draft.fate_code = NO_SENDER;
    return OUTCOME_OK;
}
