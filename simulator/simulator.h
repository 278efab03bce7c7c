// simulator.h: smsq-twilio-simulator as a whole: its parts, and what happens when a
// message is created or changes. Belongs to one thread.
#ifndef SIMULATOR_H
#define SIMULATOR_H

#include "sim_check.h"
#include "sim_json.h"
#include "sim_life.h"

struct http_server;
struct metric;
struct rate_card;
struct reactor_timer;
struct service;
struct sim_answers;
struct sim_api;
struct sim_callbacks;
struct sim_ledger;
struct sim_settings;
struct sim_sids;
struct sim_store;

// What POST /_sim/delays may change while the simulator runs.
struct simulator_switches {
    int64_t answer_delay_us;
    struct sim_life_delays life;
    int64_t callback_repeat;
    bool callback_reverse;
};

struct simulator_gauges {
    struct metric *messages, *pending, *failed;
};

struct simulator {
    const struct sim_settings *set;
    struct service *service;
    struct http_server *server;
    struct sim_api *api;
    struct sim_answers *answers;
    struct sim_store *store;
    struct sim_sids *sids;
    struct sim_ledger *ledger;
    struct sim_life *life;
    struct sim_callbacks *callbacks;
    struct rate_card *rates;
    struct reactor_timer *timer;  // of the next step in a life
    struct sim_json json;
    struct sim_checker checker;
    struct simulator_switches switches;
    struct simulator_gauges gauges;
    int64_t clock_offset_us;  // wall clock − clock_boot_us at the start
};

// simulator_open listens; set is borrowed until close.
MUST_CHECK enum outcome simulator_open(struct simulator **out,
                                       const struct sim_settings *set, struct err *err);
MUST_CHECK enum outcome simulator_run(struct simulator *sim, struct err *err);
void simulator_close(struct simulator *sim);

// simulator_now_us is the simulator's clock: UTC, and it never goes back.
int64_t simulator_now_us(const struct simulator *sim);

// simulator_create accepts a checked draft: it is in the ledger, and its life begins.
const struct sim_message *simulator_create(struct simulator *sim,
                                           const struct sim_draft *draft);

// simulator_switch takes new delays and faults over, also for messages on their way.
void simulator_switch(struct simulator *sim, const struct simulator_switches *switches);

// simulator_reset forgets all messages, callbacks and counts. Creates that still wait
// for their answer get it first.
void simulator_reset(struct simulator *sim);

#endif
