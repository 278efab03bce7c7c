// sim_settings.h: the settings of smsq-twilio-simulator.
#ifndef SIM_SETTINGS_H
#define SIM_SETTINGS_H

#include "account.h"
#include "service.h"

struct sim_settings {
    struct account_settings account;  // first: account_settings_table; SID and token
    struct service_settings service;
    char *address;
    int64_t port;
    int64_t connections_max;
    int64_t idle_timeout_us;
    char *rates_file;             // CSV
    char *seed;                   // of the SIDs; NULL = random
    char *messaging_service_sid;  // the only one there is; NULL = any
    char *service_sender;         // the number a Messaging Service picks
    char *senders;                // own numbers, with commas; NULL = every number
    char *accounts_file;          // more accounts; NULL = none
    int64_t balance;              // of an account at the start, in whole units
    char *failed_fee;             // of a failed message, a decimal
    int64_t answer_delay_us, queued_delay_us, sent_delay_us, delivered_delay_us;
    int64_t price_delay_us;
    int64_t callbacks_in_flight;
    int64_t callback_retry_delay_us;
    int64_t callback_repeat;
    bool callback_reverse;
};

extern const struct settings_source sim_settings_source;

#endif
