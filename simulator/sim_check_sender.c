// sim_check_sender.c: the addresses of a create: To, From, MessagingServiceSid.
#include "account.h"
#include "sim_accounts.h"
#include "sim_check.h"
#include "sim_magic.h"
#include "sim_phone.h"

#include <string.h>

static const char whatsapp[] = "whatsapp:";

static bool is_short_code(struct sim_text text)
{
    if (text.len < 3 || text.len > 6)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
    return true;
}

// Takes the channel in front of an address away; returns whether it was there.
static bool skip_channel(struct sim_text *address)
{
    size_t len = strlen(whatsapp);

    if (address->len <= len || memcmp(address->bytes, whatsapp, len) != 0)
        return false;
    *address = (struct sim_text){ address->bytes + len, address->len - len };
    return true;
}

// Writes the normalised address with its channel.
static void write_address(char out[32], bool is_channel, const char *e164)
{
    size_t len = is_channel ? strlen(whatsapp) : 0;

    memcpy(out, whatsapp, len);
    memcpy(out + len, e164, strlen(e164) + 1);
}

enum outcome sim_check_to(struct sim_checked *out, const struct sim_checker *c,
                          struct sim_error *error)
{
    struct sim_draft *d = &out->draft;
    struct sim_text to = d->to;

    out->is_whatsapp = skip_channel(&to);
    if (is_short_code(to))
        return sim_error_code(error, 21265, to);
    if (sim_phone_read(&out->to, c->phones, to.bytes, to.len))
        return sim_error_code(error, 21211, d->to);
    write_address(out->to_text, out->is_whatsapp, out->to.e164);
    d->to = (struct sim_text){ out->to_text, strlen(out->to_text) };
    return OUTCOME_OK;
}

// Normalises a sender of text, which has no channel, into out->from_text.
static bool read_plain(struct sim_checked *out, const struct sim_checker *c,
                       struct sim_text from)
{
    if (from.len >= sizeof(out->from_text) || memchr(from.bytes, '\0', from.len))
        return false;
    memcpy(out->from_text, from.bytes, from.len);
    out->from_text[from.len] = '\0';
    const char *type = account_sender_type(out->from_text);
    if (type)
        return strcmp(type, "messaging_service") != 0;
    if (sim_phone_read(&out->from, c->phones, from.bytes, from.len))
        return false;
    memcpy(out->from_text, out->from.e164, sizeof(out->from.e164));
    return true;
}

static enum outcome read_from(struct sim_checked *out, const struct sim_checker *c,
                              struct sim_error *error)
{
    struct sim_text from = out->draft.from;
    bool is_channel = skip_channel(&from);

    if (is_channel != out->is_whatsapp)
        return sim_error_code(error, 30016, out->draft.from);
    if (!is_channel)
        return read_plain(out, c, from) ? OUTCOME_OK
                                        : sim_error_code(error, 21212, out->draft.from);
    if (sim_phone_read(&out->from, c->phones, from.bytes, from.len))
        return sim_error_code(error, 21212, out->draft.from);
    write_address(out->from_text, true, out->from.e164);
    return OUTCOME_OK;
}

static bool is_elsewhere(const struct sim_accounts *all, const struct sim_account *own,
                         const char *sender)
{
    for (size_t i = 0; i < all->table.count; i++) {
        const struct sim_account *a = sim_accounts_at(all, i);
        if (a != own && sim_table_find(&a->senders, sender, strlen(sender)))
            return true;
    }
    return false;
}

static enum outcome check_owner(const struct sim_checked *out,
                                const struct sim_checker *c, struct sim_error *error)
{
    const struct sim_account *a = out->account;
    const char *sender = out->from_text + (out->is_whatsapp ? strlen(whatsapp) : 0);

    if (a->is_test)  // its only own sender is the magic one
        return strcmp(sender, SIM_MAGIC_SENDER) == 0
                   ? OUTCOME_OK
                   : sim_error_code(error, 21606, out->draft.from);
    if (sim_account_owns(a, sender))
        return OUTCOME_OK;
    if (out->is_whatsapp)  // the sandbox is there for every account
        return strcmp(out->from_text, SIM_CHECK_SANDBOX) == 0
                   ? OUTCOME_OK
                   : sim_error_code(error, 63007, out->draft.from);
    if (is_elsewhere(c->accounts, a, sender))
        return sim_error_code(error, 21660, out->draft.from);
    return sim_error_code(error, 21659, out->draft.from);
}

// A sender named beside a service with senders must be one of them.
static bool is_in_pool(const struct sim_checked *out)
{
    const char *sender = out->from_text + (out->is_whatsapp ? strlen(whatsapp) : 0);

    return !out->service || out->service->pool_count == 0 ||
           sim_service_has(out->service, sender);
}

enum outcome sim_check_from(struct sim_checked *out, const struct sim_checker *c,
                            struct sim_error *error)
{
    struct sim_draft *d = &out->draft;

    if (d->from.len == 0)
        return OUTCOME_OK;
    enum outcome rc = read_from(out, c, error);
    if (rc)
        return rc;
    d->from = (struct sim_text){ out->from_text, strlen(out->from_text) };
    int code = sim_magic_from(out->from_text);
    if (code)
        return sim_error_code(error, code, d->from);
    rc = check_owner(out, c, error);
    if (rc)
        return rc;
    if (!is_in_pool(out))
        return sim_error_code(error, 21709, d->from);
    if (strcmp(out->from_text, out->to_text) == 0)
        return sim_error_code(error, out->is_whatsapp ? 63031 : 21266, d->from);
    return OUTCOME_OK;
}

enum outcome sim_check_service(struct sim_checked *out, const struct sim_checker *c,
                               struct sim_error *error)
{
    struct sim_text sid = out->draft.service;
    unsigned char bytes[16];

    if (sid.len == 0)
        return OUTCOME_OK;
    if (sid.len != 34 || memcmp(sid.bytes, "MG", 2) != 0 ||
        !hex_decode(bytes, sizeof(bytes), sid.bytes + 2, sid.len - 2))
        return sim_error_code(error, 21705, sid);
    out->service = sim_account_service(out->account, c->accounts->sids, sid.bytes,
                                       sid.len, c->now_us);
    if (!out->service)
        return sim_error_code(error, 21701, sid);
    return OUTCOME_OK;
}
