// sim_settings.h: the settings of smsq-twilio-simulator.
#ifndef SIM_SETTINGS_H
#define SIM_SETTINGS_H

#include "account.h"
#include "service.h"
#include "sim_switches.h"

struct sim_settings {
    struct account_settings account;  // first: account_settings_table; SID and token
    struct service_settings service;
    char *address;
    int64_t port;
    int64_t connections_max;
    int64_t idle_timeout_us;
    char *rates_file;             // CSV
    char *seed;                   // of SIDs and faults; NULL = random
    char *messaging_service_sid;  // the only one there is; NULL = any
    char *service_sender;         // the number a Messaging Service picks
    char *senders;                // own numbers, with commas; NULL = every number
    char *accounts_file;          // more accounts; NULL = none
    int64_t balance;              // of an account at the start, in whole units
    char *failed_fee;             // of a failed message, a decimal
    int64_t clock_speed;
    char *clock_start;  // RFC 3339; NULL = the real time
    char *faults;       // rules, with blanks between them; NULL = none
    struct sim_switches switches;
    int64_t callbacks_in_flight;
    int64_t callback_retry_delay_us;
};

extern const struct settings_source sim_settings_source;

#endif
