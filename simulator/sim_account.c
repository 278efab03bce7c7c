#include "sim_account.h"
#include "account.h"
#include "sim_message.h"
#include "sim_sign.h"
#include "sim_triggers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_account *sim_account_new(const char *sid, const char *token, int64_t now_us)
{
    struct sim_account *a = xcalloc(1, sizeof(*a));

    (void)snprintf(a->sid, sizeof(a->sid), "%s", sid);
    (void)snprintf(a->token, sizeof(a->token), "%s", token);
    (void)snprintf(a->name, sizeof(a->name), "%s", "Simulated account");
    a->owner = a;
    a->signer = sim_signer_new(a->token);
    a->created_us = a->updated_us = now_us;
    return a;
}

void sim_account_free(struct sim_account *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->senders.count; i++)
        sim_sender_free(a->senders.rows[i]);
    for (size_t i = 0; i < a->gone.count; i++)
        sim_sender_free(a->gone.rows[i]);
    for (size_t i = 0; i < a->services.count; i++)
        sim_service_free(a->services.rows[i]);
    for (size_t i = 0; i < a->keys.count; i++)
        free(a->keys.rows[i]);
    for (size_t i = 0; i < a->triggers.count; i++)
        sim_trigger_free(a->triggers.rows[i]);
    sim_table_free(&a->triggers);
    sim_table_free(&a->senders);
    sim_table_free(&a->gone);
    sim_table_free(&a->services);
    sim_table_free(&a->keys);
    sim_usage_clear(&a->usage);
    sim_signer_free(a->signer);
    free(a->verified);
    free(a);
}

// Numbers of rows tell the resources of one kind apart, over all accounts.
static void new_sid(const struct sim_account *a, struct sim_sids *sids, const char *kind,
                    size_t row, char out[SIM_SIDS_TEXT_BYTES])
{
    sim_sids_other(sids, kind, (uint64_t)a->index << 32 | row, out);
}

// The kinds of senders have SIDs of their own.
static const char *kind_of(const char *type)
{
    if (strcmp(type, "short_code") == 0)
        return "SC";
    return strcmp(type, "alphanumeric") == 0 ? "AI" : "PN";
}

struct sim_sender *sim_account_add_sender(struct sim_account *a, struct sim_sids *sids,
                                          const char *sender, int64_t now_us)
{
    const char *type = account_sender_type(sender);
    struct sim_sender *there = sim_table_find(&a->senders, sender, strlen(sender));

    if (there)
        return there;
    if (!type || strcmp(type, "messaging_service") == 0 ||
        strlen(sender) >= SIM_SENDER_BYTES || a->senders.count == SIM_ACCOUNT_ROWS_MAX ||
        a->sender_number == SIM_ACCOUNT_SENDERS_EVER_MAX)
        return NULL;
    struct sim_sender *s = xcalloc(1, sizeof(*s));
    (void)snprintf(s->sender, sizeof(s->sender), "%s", sender);
    (void)snprintf(s->name, sizeof(s->name), "%s", sender);
    s->type = type;
    s->created_us = s->updated_us = now_us;
    new_sid(a, sids, kind_of(type), ++a->sender_number, s->sid);
    sim_table_add(&a->senders, s);
    return s;
}

bool sim_account_owns(const struct sim_account *a, const char *sender)
{
    return a->owns_all_senders || sim_table_find(&a->senders, sender, strlen(sender));
}

static size_t row_of(const struct sim_table *t, const void *row)
{
    size_t i = 0;

    while (t->rows[i] != row)
        i++;
    return i;
}

void sim_account_remove_sender(struct sim_account *a, struct sim_sender *sender)
{
    for (size_t i = 0; i < a->services.count; i++)
        sim_service_remove(a->services.rows[i], sender);
    sim_table_remove(&a->senders, row_of(&a->senders, sender));
    sim_table_add(&a->gone, sender);
}

struct sim_service *sim_account_add_service(struct sim_account *a, struct sim_sids *sids,
                                            const char *sid, int64_t now_us)
{
    if (a->services.count == SIM_ACCOUNT_ROWS_MAX)
        return NULL;
    struct sim_service *service = xcalloc(1, sizeof(*service));
    if (sid)
        (void)snprintf(service->sid, sizeof(service->sid), "%s", sid);
    else
        new_sid(a, sids, "MG", ++a->service_number, service->sid);
    service->validity_s = SIM_MESSAGE_VALIDITY_MAX_S;
    service->sticky_sender = service->mms_converter = true;
    service->smart_encoding = service->fallback_to_long_code = true;
    service->area_code_geomatch = true;
    service->scan_message_content = "inherit";
    (void)snprintf(service->usecase, sizeof(service->usecase), "undeclared");
    (void)snprintf(service->name, sizeof(service->name), "Simulated service");
    service->created_us = service->updated_us = now_us;
    sim_table_add(&a->services, service);
    return service;
}

void sim_account_remove_service(struct sim_account *a, struct sim_service *service)
{
    sim_table_remove(&a->services, row_of(&a->services, service));
    sim_service_free(service);
}

struct sim_service *sim_account_service(struct sim_account *a, struct sim_sids *sids,
                                        const char *sid, size_t len, int64_t now_us)
{
    char text[SIM_SIDS_TEXT_BYTES];
    struct sim_service *service = sim_table_find(&a->services, sid, len);

    if (service || !a->has_all_services || len != sizeof(text) - 1)
        return service;
    memcpy(text, sid, len);
    text[len] = '\0';
    return sim_account_add_service(a, sids, text, now_us);
}

struct sim_service *sim_account_service_of(const struct sim_account *a,
                                           const char *sender)
{
    for (size_t i = 0; i < a->services.count; i++)
        if (sim_service_has(a->services.rows[i], sender))
            return a->services.rows[i];
    return NULL;
}

struct sim_key *sim_account_add_key(struct sim_account *a, struct sim_sids *sids,
                                    int64_t now_us)
{
    char secret[SIM_SIDS_TEXT_BYTES];

    if (a->keys.count == SIM_ACCOUNT_ROWS_MAX)
        return NULL;
    struct sim_key *key = xcalloc(1, sizeof(*key));
    new_sid(a, sids, "SK", ++a->key_number, key->sid);
    new_sid(a, sids, "KS", a->key_number, secret);
    (void)snprintf(key->secret, sizeof(key->secret), "%s", secret + 2);
    key->created_us = key->updated_us = now_us;
    sim_table_add(&a->keys, key);
    return key;
}

void sim_account_remove_key(struct sim_account *a, struct sim_key *key)
{
    sim_table_remove(&a->keys, row_of(&a->keys, key));
    free(key);
}

void sim_account_remove_trigger(struct sim_account *a, struct sim_trigger *t)
{
    sim_table_remove(&a->triggers, row_of(&a->triggers, t));
    sim_trigger_free(t);
}

struct sim_sender *sim_account_sender_of(const struct sim_account *a, const char *sid)
{
    for (size_t i = 0; i < a->senders.count; i++) {
        struct sim_sender *s = a->senders.rows[i];
        if (strcmp(s->sid, sid) == 0)
            return s;
    }
    return NULL;
}

const char *const *sim_service_pool(const struct sim_account *a,
                                    const struct sim_service *service, size_t *count)
{
    *count = service->pool_count;
    if (*count)
        return service->pool_texts;
    *count = a->any_sender ? 1 : 0;
    return &a->any_sender;
}
