#include "sim_accounts.h"
#include "sid.h"
#include "sim_message.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_accounts_free(struct sim_accounts *all)
{
    for (size_t i = 0; i < all->table.count; i++)
        sim_account_free(all->table.rows[i]);
    sim_table_free(&all->table);
}

struct sim_account *sim_accounts_add(struct sim_accounts *all, const char *sid,
                                     const char *token, struct sim_account *owner,
                                     int64_t now_us)
{
    if (all->table.count == SIM_ACCOUNTS_MAX || sim_accounts_find(all, sid))
        return NULL;
    struct sim_account *a = sim_account_new(sid, token, now_us);
    a->index = (uint16_t)all->table.count;
    a->owner = owner ? owner : a;
    a->any_sender = all->any_sender;
    a->balance_micros = all->balance_micros;
    sim_table_add(&all->table, a);
    return a;
}

struct sim_account *sim_accounts_new(struct sim_accounts *all, struct sim_account *owner,
                                     int64_t now_us)
{
    char sid[SIM_SIDS_TEXT_BYTES], token[SIM_SIDS_TEXT_BYTES];

    sim_sids_other(all->sids, "AC", all->table.count, sid);
    sim_sids_other(all->sids, "AT", all->table.count, token);
    struct sim_account *a = sim_accounts_add(all, sid, token + 2, owner, now_us);
    if (a)
        a->any_sender = NULL;
    return a;
}

struct sim_account *sim_accounts_find(const struct sim_accounts *all, const char *sid)
{
    return sim_table_find(&all->table, sid, strlen(sid));
}

struct sim_account *sim_accounts_at(const struct sim_accounts *all, size_t index)
{
    return all->table.rows[index];
}

static bool is_secret(const char *secret, const char *given)
{
    size_t len = strlen(secret);

    return strlen(given) == len && CRYPTO_memcmp(secret, given, len) == 0;
}

struct sim_account *sim_accounts_login(const struct sim_accounts *all, const char *user,
                                       const char *password)
{
    struct sim_account *a = sim_accounts_find(all, user);

    if (a)
        return is_secret(a->token, password) ? a : NULL;
    if (!sid_is(user, "SK"))
        return NULL;
    for (size_t i = 0; i < all->table.count; i++) {
        a = sim_accounts_at(all, i);
        const struct sim_key *key = sim_table_find(&a->keys, user, strlen(user));
        if (key)
            return is_secret(key->secret, password) ? a : NULL;
    }
    return NULL;
}

const char *const *sim_accounts_pool(const struct sim_accounts *all,
                                     const struct sim_message *m, size_t *count)
{
    const struct sim_account *a = sim_accounts_at(all, m->account);
    const char *sid = sim_message_service(m);
    const struct sim_service *service = sim_table_find(&a->services, sid, strlen(sid));

    *count = 0;
    return service ? sim_service_pool(a, service, count) : NULL;
}

void sim_accounts_clear_usage(struct sim_accounts *all)
{
    for (size_t i = 0; i < all->table.count; i++) {
        sim_usage_clear(&sim_accounts_at(all, i)->usage);
        sim_accounts_at(all, i)->scheduled_count = 0;
    }
}
