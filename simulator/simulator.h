// simulator.h: smsq-twilio-simulator as a whole: its parts, and what happens when a
// message is created or changes. Belongs to one thread.
#ifndef SIMULATOR_H
#define SIMULATOR_H

#include "http_limits.h"
#include "sim_accounts.h"
#include "sim_alerts.h"
#include "sim_check.h"
#include "sim_json.h"
#include "sim_life.h"
#include "sim_list.h"
#include "sim_pairs.h"
#include "sim_switches.h"

struct http_server;
struct metric;
struct rate_card;
struct service;
struct sim_answers;
struct sim_api;
struct sim_caller;
struct sim_callbacks;
struct sim_clock;
struct sim_faults;
struct sim_inbound;
struct sim_ledger;
struct sim_senders;
struct sim_settings;
struct sim_sids;
struct sim_store;
struct sim_webhooks;

struct simulator_gauges {
    struct metric *messages, *pending, *failed;
};

struct simulator {
    const struct sim_settings *set;
    struct service *service;
    struct http_server *server;
    struct http_limits limits;  // of server
    struct sim_api *api;
    struct sim_answers *answers;
    struct sim_store *store;
    struct sim_sids *sids;
    struct sim_ledger *ledger;
    struct sim_faults *faults;
    struct sim_clock *clock;
    struct sim_senders *senders;
    struct sim_life *life;
    struct sim_caller *caller;  // for callbacks
    struct sim_callbacks *callbacks;
    struct sim_caller *webhook_caller;
    struct sim_webhooks *webhooks;
    struct rate_card *rates;
    struct sim_json json;
    struct sim_accounts accounts;
    struct sim_pairs stopped, heard;
    struct sim_alerts alerts;
    struct sim_inbound *inbound;
    struct sim_checker checker;
    struct sim_checked checked;  // of the create in hand
    uint32_t held;               // callbacks that wait for the clock, by a fault
    uint32_t listed;             // see simulator_newest_listed
    struct sim_list_page list;   // of the list in hand
    uint32_t test_count;         // creates of test credentials
    struct sim_switches switches;
    struct simulator_gauges gauges;
};

// simulator_open listens; set is borrowed until close.
MUST_CHECK enum outcome simulator_open(struct simulator **out,
                                       const struct sim_settings *set, struct err *err);
MUST_CHECK enum outcome simulator_run(struct simulator *sim, struct err *err);
void simulator_close(struct simulator *sim);

// simulator_create accepts a checked draft: it is in the ledger, and its life begins.
const struct sim_message *simulator_create(struct simulator *sim,
                                           const struct sim_draft *draft);

// simulator_reply does so for what TwiML or Twilio itself sends: it is no create.
const struct sim_message *simulator_reply(struct simulator *sim,
                                          const struct sim_draft *draft);

// simulator_receive records an inbound message, which is billed at once.
struct sim_message *simulator_receive(struct simulator *sim,
                                      const struct sim_draft *draft);

// simulator_cancel ends a scheduled message; simulator_redact empties a message's body.
void simulator_cancel(struct simulator *sim, struct sim_message *m);
void simulator_redact(struct simulator *sim, struct sim_message *m);

// simulator_newest_listed is the number of the newest message that lists show.
uint32_t simulator_newest_listed(struct simulator *sim);

// simulator_switch takes new delays and faults over, also for messages on their way.
void simulator_switch(struct simulator *sim, const struct sim_switches *switches);

// simulator_reset forgets all messages, callbacks and counts. Creates that still wait
// for their answer get it first.
void simulator_reset(struct simulator *sim);

#endif
