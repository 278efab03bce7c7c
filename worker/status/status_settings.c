// The settings of smsq-status-consumer.
#include "status_consumer.h"

#define AT(field) offsetof(struct status_consumer_settings, field)

static const struct setting status_table[] = {
    KAFKA_SETTINGS(AT(kafka)),
    DB_SETTINGS(AT(db)),
    KEYS_SETTINGS(AT(keys)),
    SERVICE_SETTINGS("status", AT(service), "9103"),
    RECONCILE_SETTINGS(AT(reconcile)),
    RETRY_SETTINGS(AT(retry)),
    { "status.join_interval", SETTING_US | SETTING_LIVE, AT(join_us), "1s", 10000,
      3600000000, NULL,
      "how often callbacks that came before their message are tried again" },
    { "status.lease", SETTING_US, AT(lease_us), "10s", 1000000, 300000000, NULL,
      "after so long others take over the sweeps and rescues of a status consumer that "
      "ended without a word" },
    { 0 },
};

static const struct settings_place places[] = {
    { &account_settings_part, AT(account) },
    { &kafka_settings_part, AT(kafka) },
    { &db_settings_part, AT(db) },
    { &keys_settings_part, AT(keys) },
    { &service_settings_part, AT(service) },
    { &reconcile_settings_part, AT(reconcile) },
    { 0 },
};

const struct settings_source status_consumer_settings_source = {
    .program = "smsq-status-consumer",
    .what = "Applies Twilio's delivery callbacks to PostgreSQL, by rank; asks Twilio "
            "about what "
            "never came; keeps dead letters.",
    .tables =
        (const struct setting *const[]){ account_settings_table, status_table, NULL },
    .size = sizeof(struct status_consumer_settings),
    .parts = places,
};
