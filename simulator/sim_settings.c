#include "sim_settings.h"
#include "settings.h"
#include "sim_clock.h"
#include "timestamp.h"

#include <string.h>

#define AT(field) offsetof(struct sim_settings, field)

enum { HOUR_S = 3600 };
#define DELAY_MAX_US (24LL * HOUR_S * 1000000)

static const struct setting table[] = {
    SERVICE_SETTINGS("simulator", AT(service), "0"),
    { "simulator.address", SETTING_TEXT, AT(address), "127.0.0.1", 1, 64, NULL,
      "address to listen on; nothing but the account's token protects this port" },
    { "simulator.port", SETTING_PORT, AT(port), "8002", 0, 65535, NULL,
      "port of the API; 0 = any free one" },
    { "simulator.connections_max", SETTING_COUNT, AT(connections_max), "4096", 1, 65535,
      NULL, "connections at a time" },
    { "simulator.idle_timeout", SETTING_US, AT(idle_timeout_us), "60s", 1000000,
      DELAY_MAX_US, NULL, "how long an idle connection is kept" },
    { "simulator.rates_file", SETTING_TEXT, AT(rates_file), "deploy/rate_card.csv", 1,
      4096, NULL, "CSV file with the prices that are billed" },
    { "simulator.seed", SETTING_TEXT, AT(seed), NULL, 0, 256, NULL,
      "makes SIDs and faults repeatable; without it every start gives others" },
    { "simulator.messaging_service_sid", SETTING_TEXT, AT(messaging_service_sid), NULL, 0,
      34, NULL, "the only Messaging Service there is; without it any SID is one" },
    { "simulator.service_sender", SETTING_TEXT, AT(service_sender), "+15005550006", 8, 16,
      NULL, "the number that a Messaging Service picks as sender" },
    { "simulator.senders", SETTING_TEXT, AT(senders), NULL, 0, 65536, NULL,
      "the account's own senders, with commas; without it every sender is its own" },
    { "simulator.accounts_file", SETTING_TEXT, AT(accounts_file), NULL, 0, 4096, NULL,
      "file with more accounts, one a line (docs/simulator.md)" },
    { "simulator.balance", SETTING_COUNT, AT(balance), "1000", 0, 1000000000, NULL,
      "balance of each account at the start, in whole units of the currency" },
    { "simulator.failed_fee", SETTING_TEXT, AT(failed_fee), "0", 1, 16, NULL,
      "what a failed message costs, in units of the currency; Twilio takes 0.001 USD" },
    { "simulator.clock_speed", SETTING_COUNT, AT(clock_speed), "1", 0,
      SIM_CLOCK_SPEED_MAX, NULL,
      "how much faster than the real time its clock runs; 0 = only when told to" },
    { "simulator.clock_start", SETTING_TEXT, AT(clock_start), NULL, 0, 64, NULL,
      "what its clock shows at the start (RFC 3339); without it the real time" },
    { "simulator.faults", SETTING_TEXT, AT(faults), NULL, 0, 65536, NULL,
      "what goes wrong from the start: rules as POST /_sim/faults takes them, with "
      "blanks between" },
    { "simulator.callbacks_in_flight", SETTING_COUNT, AT(callbacks_in_flight), "64", 1,
      4096, NULL, "status callbacks at a time" },
    { "simulator.callback_retry_delay", SETTING_US, AT(callback_retry_delay_us), "500ms",
      0, DELAY_MAX_US, NULL, "time between two tries of a callback" },
    { 0 },
};

static const struct setting *const tables[] = { account_settings_table, table,
                                                sim_switches_table, NULL };

static enum outcome check_settings(const void *arg, struct err *err)
{
    const struct sim_settings *set = arg;
    int64_t start_us;

    if (!set->clock_start ||
        timestamp_parse(&start_us, set->clock_start, strlen(set->clock_start)))
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT,
                   "simulator.clock_start: \"%s\" is not a time such as "
                   "2026-11-21T10:00:00Z",
                   set->clock_start);
}

static const struct settings_place places[] = {
    { &account_settings_part, AT(account) },
    { &service_settings_part, AT(service) },
    { 0 },
};

const struct settings_source sim_settings_source = {
    .program = "smsq-twilio-simulator",
    .what = "Answers like Twilio's Messages API, bills, and sends status callbacks.",
    .tables = tables,
    .size = sizeof(struct sim_settings),
    .parts = places,
    .check = check_settings,
};
