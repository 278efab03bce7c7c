#include "simulator.h"
#include "account.h"
#include "http_server.h"
#include "log.h"
#include "metrics.h"
#include "rate_card.h"
#include "reactor.h"
#include "service.h"
#include "sim_admin.h"
#include "sim_answers.h"
#include "sim_api.h"
#include "sim_callbacks.h"
#include "sim_caller.h"
#include "sim_changes.h"
#include "sim_clock.h"
#include "sim_faults.h"
#include "sim_inbound.h"
#include "sim_ledger.h"
#include "sim_phone.h"
#include "sim_senders.h"
#include "sim_settings.h"
#include "sim_sids.h"
#include "sim_site.h"
#include "sim_store.h"
#include "sim_webhooks.h"
#include "timestamp.h"

#include <stdlib.h>
#include <string.h>

enum {
    WEBHOOKS_IN_FLIGHT = 64,
    HEADER_MAX_BYTES = 8192,
    BODY_MAX_BYTES = 65536,
    FORM_MAX_BYTES = 4096,
    SEED_BYTES = 33,
};

#define CATCH_ALL(method)                                                                \
    {                                                                                    \
        method, "/*", sim_api_handle, BODY_MAX_BYTES, NULL                               \
    }

static const struct http_route routes[] = {
    { "GET", "/healthz", sim_admin_health, 0, NULL },
    { "GET", "/_sim", sim_site_redirect, 0, NULL },
    { "GET", "/_sim/", sim_site_html, 0, NULL },
    { "GET", "/_sim/page.css", sim_site_css, 0, NULL },
    { "GET", "/_sim/page.js", sim_site_js, 0, NULL },
    { "GET", "/_sim/ledger", sim_admin_ledger, 0, NULL },
    { "GET", "/_sim/messages", sim_admin_messages, 0, NULL },
    { "GET", "/_sim/delays", sim_admin_delays, 0, NULL },
    { "POST", "/_sim/delays", sim_admin_set_delays, FORM_MAX_BYTES, NULL },
    { "GET", "/_sim/accounts", sim_admin_accounts, 0, NULL },
    { "POST", "/_sim/accounts", sim_admin_set_account, BODY_MAX_BYTES, NULL },
    { "GET", "/_sim/faults", sim_admin_faults, 0, NULL },
    { "POST", "/_sim/faults", sim_admin_add_fault, FORM_MAX_BYTES, NULL },
    { "DELETE", "/_sim/faults", sim_admin_remove_faults, FORM_MAX_BYTES, NULL },
    { "GET", "/_sim/clock", sim_admin_clock, 0, NULL },
    { "POST", "/_sim/clock", sim_admin_set_clock, FORM_MAX_BYTES, NULL },
    { "POST", "/_sim/inbound", sim_inbound_handle, BODY_MAX_BYTES, NULL },
    { "GET", "/_sim/alerts", sim_admin_alerts, 0, NULL },
    { "POST", "/_sim/reset", sim_admin_reset, FORM_MAX_BYTES, NULL },
    CATCH_ALL("GET"),  // unknown paths and methods are answered as Twilio does
    CATCH_ALL("POST"),
    CATCH_ALL("PUT"),
    CATCH_ALL("PATCH"),
    CATCH_ALL("DELETE"),
    { 0 },
};

static struct sim_message *begin(struct simulator *sim, const struct sim_draft *draft)
{
    struct sim_message *m =
        sim_store_add(sim->store, draft, sim_clock_now_us(sim->clock));

    if (m->send_at_s)
        sim_accounts_at(&sim->accounts, m->account)->scheduled_count++;
    sim_changes_spoil(sim, m);
    sim_life_begin(sim->life, m);
    return m;
}

const struct sim_message *simulator_create(struct simulator *sim,
                                           const struct sim_draft *draft)
{
    const struct sim_message *m = begin(sim, draft);

    sim_ledger_create(sim->ledger, m);
    return m;
}

const struct sim_message *simulator_reply(struct simulator *sim,
                                          const struct sim_draft *draft)
{
    return begin(sim, draft);
}

struct sim_message *simulator_receive(struct simulator *sim,
                                      const struct sim_draft *draft)
{
    struct sim_message *m =
        sim_store_add(sim->store, draft, sim_clock_now_us(sim->clock));

    m->sent_s = m->updated_s;
    m->price_known = true;
    sim_changes_tell(sim, m);
    return m;
}

void simulator_cancel(struct simulator *sim, struct sim_message *m)
{
    m->status = SIM_STATUS_CANCELED;
    m->updated_s = (uint32_t)(sim_clock_now_us(sim->clock) / 1000000);
    sim_changes_tell(sim, m);
}

void simulator_redact(struct simulator *sim, struct sim_message *m)
{
    m->body_len = 0;
    m->updated_s = (uint32_t)(sim_clock_now_us(sim->clock) / 1000000);
}

void simulator_switch(struct simulator *sim, const struct sim_switches *switches)
{
    sim->switches = *switches;
    sim_life_set_delays(sim->life, &switches->life);
    sim_senders_set_rates(sim->senders, &switches->rates);
    sim_answers_set_latency(sim->answers, &switches->latency, switches->in_flight_max);
}

uint32_t simulator_newest_listed(struct simulator *sim)
{
    uint32_t count = sim_store_count(sim->store);
    int64_t until_us = sim_clock_now_us(sim->clock) - sim->switches.list_lag_us;

    if (sim->switches.list_lag_us == 0)
        return count;
    if (sim->listed > count)
        sim->listed = count;
    while (sim->listed && sim_store_get(sim->store, sim->listed)->created_us > until_us)
        sim->listed--;
    while (sim->listed < count &&
           sim_store_get(sim->store, sim->listed + 1)->created_us <= until_us)
        sim->listed++;
    return sim->listed;
}

void simulator_reset(struct simulator *sim)
{
    sim_answers_flush(sim->answers);
    sim_callbacks_clear(sim->callbacks);
    sim_webhooks_clear(sim->webhooks);
    sim_inbound_clear(sim->inbound);
    sim_alerts_clear(&sim->alerts);
    sim_clock_clear(sim->clock);
    sim->held = 0;
    sim_senders_clear(sim->senders);
    sim_ledger_clear(sim->ledger);
    sim_store_clear(sim->store);
    sim_accounts_clear_usage(&sim->accounts);
    sim_pairs_clear(&sim->stopped);
    sim_pairs_clear(&sim->heard);
    sim_faults_clear(sim->faults);
    sim_api_clear(sim->api);
    sim_sids_renew(sim->sids);
}

static void on_stop(void *arg)
{
    struct simulator *sim = arg;

    http_server_stop_listening(sim->server);
    sim_answers_flush(sim->answers);
}

static bool is_drained(void *arg)
{
    const struct simulator *sim = arg;
    return http_server_in_hand(sim->server) == 0;
}

// All rows of the card in one currency: the bill is one sum.
static enum outcome load_rates(struct simulator *sim, struct err *err)
{
    enum outcome rc = rate_card_load(&sim->rates, sim->set->rates_file, err);
    size_t count = rc ? 0 : rate_card_count(sim->rates);

    sim->json.currency = count ? rate_card_at(sim->rates, 0)->currency : "USD";
    for (size_t i = 1; i < count; i++)
        if (strcmp(rate_card_at(sim->rates, i)->currency, sim->json.currency) != 0)
            return err_set(err, OUTCOME_REJECT,
                           "%s holds %s and %s: the simulator bills in one currency",
                           sim->set->rates_file, sim->json.currency,
                           rate_card_at(sim->rates, i)->currency);
    return rc;
}

static const char *const *pool_of(void *arg, const struct sim_message *m, size_t *count)
{
    const struct simulator *sim = arg;
    return sim_accounts_pool(&sim->accounts, m, count);
}

static struct sim_callbacks_owner owner_of(void *arg, const struct sim_message *m)
{
    const struct simulator *sim = arg;
    const struct sim_account *a = sim_accounts_at(&sim->accounts, m->account);

    return (struct sim_callbacks_owner){ a->sid, a->signer };
}

static void on_ended(void *arg, uint32_t number)
{
    struct simulator *sim = arg;
    sim_answers_heard(sim->answers, number);
}

static enum outcome make_callers(struct simulator *sim, struct err *err)
{
    struct reactor *r = service_reactor(sim->service);
    const struct sim_callbacks_settings callbacks = {
        .in_flight_max = sim->set->callbacks_in_flight,
        .retry_delay_us = sim->set->callback_retry_delay_us,
        .owner = owner_of,
        .ended = on_ended,
        .arg = sim,
    };
    enum outcome rc =
        sim_caller_open(&sim->caller, r, (size_t)callbacks.in_flight_max, err);

    if (!rc)
        rc = sim_caller_open(&sim->webhook_caller, r, WEBHOOKS_IN_FLIGHT, err);
    if (rc)
        return rc;
    sim->callbacks = sim_callbacks_new(r, &callbacks, sim->caller, sim->store, sim->sids);
    sim->webhooks = sim_webhooks_new(r, sim->webhook_caller, callbacks.retry_delay_us);
    return OUTCOME_OK;
}

static int64_t start_us(const struct sim_settings *set)
{
    int64_t us = clock_wall_us();

    if (set->clock_start)
        (void)!timestamp_parse(&us, set->clock_start, strlen(set->clock_start));
    return us;
}

static void make_life(struct simulator *sim)
{
    const struct sim_life_hooks hooks = { sim_changes_tell, pool_of, sim };

    sim->clock = sim_clock_new(service_reactor(sim->service), start_us(sim->set),
                               sim->set->clock_speed);
    sim_clock_on(sim->clock, SIM_CLOCK_CALLBACK, sim_changes_late, sim);
    sim->senders = sim_senders_new(sim->store);
    sim->life = sim_life_new(sim->clock, sim->store, sim->senders, &hooks);
}

// Without a seed of the user's a random one is taken; GET /_sim/faults shows it.
static const char *choose_seed(const struct sim_settings *set, char out[SEED_BYTES])
{
    unsigned char bytes[(SEED_BYTES - 1) / 2];

    if (set->seed)
        return set->seed;
    random_bytes(bytes, sizeof(bytes));
    hex_encode(out, bytes, sizeof(bytes));
    return out;
}

static void make_parts(struct simulator *sim)
{
    const struct sim_settings *set = sim->set;
    char random[SEED_BYTES];

    sim->store = sim_store_new();
    const char *seed = choose_seed(set, random);
    sim->sids = sim_sids_new(seed);
    sim->faults = sim_faults_new(seed);
    sim->ledger = sim_ledger_new(sim->store);
    make_life(sim);
    sim->answers = sim_answers_new(service_reactor(sim->service), sim->sids, sim->ledger,
                                   sim->faults);
    sim->api = sim_api_new(sim);
    sim->inbound = sim_inbound_new(sim);
    sim->json.sids = sim->sids;
    sim->json.accounts = &sim->accounts;
    sim->checker = (struct sim_checker){
        .phones = sim_phone_memory_new(),
        .rates = sim->rates,
        .accounts = &sim->accounts,
        .stopped = &sim->stopped,
        .heard = &sim->heard,
    };
    simulator_switch(sim, &set->switches);
}

static enum outcome open_service(struct simulator *sim, struct err *err)
{
    const struct service_hooks hooks = {
        .name = "smsq-twilio-simulator",
        .stop = on_stop,
        .is_drained = is_drained,
        .arg = sim,
    };
    return service_open(&sim->service, &sim->set->service, &hooks, err);
}

static enum outcome open_server(struct simulator *sim, struct err *err)
{
    const struct http_server_settings http = {
        .address = sim->set->address,
        .port = sim->set->port,
        .connections_max = sim->set->connections_max,
        .limits = &sim->limits,
        .header_max_bytes = HEADER_MAX_BYTES,
        .name = "simulator",
    };

    sim->limits = http_limits_default;
    sim->limits.idle_timeout_us = sim->set->idle_timeout_us;
    return http_server_open(&sim->server, service_reactor(sim->service), &http, routes,
                            sim, service_metrics(sim->service), err);
}

enum outcome simulator_open(struct simulator **out, const struct sim_settings *set,
                            struct err *err)
{
    struct simulator *sim = xcalloc(1, sizeof(*sim));

    sim->set = set;
    enum outcome rc = load_rates(sim, err);
    if (!rc)
        rc = open_service(sim, err);
    if (rc)
        goto fail;
    make_parts(sim);
    rc = set->faults ? sim_faults_add_all(sim->faults, set->faults, err) : OUTCOME_OK;
    if (!rc)
        rc = sim_accounts_open(&sim->accounts, set, sim->sids,
                               sim_clock_now_us(sim->clock), err);
    if (!rc)
        rc = make_callers(sim, err);
    if (!rc)
        rc = open_server(sim, err);
    if (rc)
        goto fail;
    sim_admin_add_metrics(sim, service_metrics(sim->service));

    *out = sim;
    return OUTCOME_OK;
fail:
    simulator_close(sim);
    return rc;
}

enum outcome simulator_run(struct simulator *sim, struct err *err)
{
    log_line(LOG_LEVEL_INFO, "simulator_started",
             LOG_I("port", http_server_port(sim->server)));
    return service_run(sim->service, err);
}

void simulator_close(struct simulator *sim)
{
    if (!sim)
        return;
    sim_api_free(sim->api);
    sim_answers_free(sim->answers);
    http_server_close(sim->server);
    sim_caller_close(sim->caller);
    sim_caller_close(sim->webhook_caller);
    sim_callbacks_free(sim->callbacks);
    sim_webhooks_free(sim->webhooks);
    sim_inbound_free(sim->inbound);
    sim_alerts_clear(&sim->alerts);
    sim_life_free(sim->life);
    sim_senders_free(sim->senders);
    sim_clock_free(sim->clock);
    service_close(sim->service);
    sim_ledger_free(sim->ledger);
    sim_store_free(sim->store);
    sim_sids_free(sim->sids);
    sim_faults_free(sim->faults);
    sim_accounts_free(&sim->accounts);
    sim_pairs_clear(&sim->stopped);
    sim_pairs_clear(&sim->heard);
    sim_phone_memory_free(sim->checker.phones);
    rate_card_free(sim->rates);
    free(sim);
}
