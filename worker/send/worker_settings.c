// The settings of smsq-worker.
#include "worker.h"

#define AT(field) offsetof(struct worker_settings, field)

static const struct setting worker_table[] = {
    KAFKA_SETTINGS(AT(kafka)),
    DB_SETTINGS(AT(db)),
    KEYS_SETTINGS(AT(keys)),
    SERVICE_SETTINGS("worker", AT(service), "9102"),
    RETRY_SETTINGS(AT(retry)),
    { "worker.in_flight", SETTING_COUNT, AT(in_flight), "64", 1, 4000, NULL,
      "requests to Twilio at a time" },
    { "worker.connect_timeout", SETTING_US, AT(connect_us), "3s", 100000, 60000000, NULL,
      "how long a connection to Twilio may take" },
    { "worker.total_timeout", SETTING_US, AT(total_us), "35s", 1000000, 35000000, NULL,
      "how long a request to Twilio may take" },
    { "worker.session_timeout", SETTING_US, AT(session_us), "10s", 6000000, 300000000,
      NULL,
      "after this long without a sign of life another worker takes the partitions" },
    { "worker.heartbeat_interval", SETTING_US, AT(beat_us), "1s", 50000, 10000000, NULL,
      "how often a worker shows that it lives; after 5 of them without PostgreSQL's word "
      "it"
      " posts nothing, after 15 it is dead, and 7 after the end of its last request"
      " its claims are in doubt" },
    { "worker.state_dir", SETTING_TEXT, AT(state_dir), "/var/lib/smsq", 1, 1000, NULL,
      "folder on a local disk for what must outlive a kill; all workers of a machine "
      "share it" },
    { 0 },
};

static const struct settings_place places[] = {
    { &account_settings_part, AT(account) }, { &kafka_settings_part, AT(kafka) },
    { &db_settings_part, AT(db) },           { &keys_settings_part, AT(keys) },
    { &service_settings_part, AT(service) }, { 0 },
};

const struct settings_source worker_settings_source = {
    .program = "smsq-worker",
    .what = "Claims SMS jobs from Kafka, posts them to Twilio once, records the results.",
    .tables =
        (const struct setting *const[]){ account_settings_table, worker_table, NULL },
    .size = sizeof(struct worker_settings),
    .parts = places,
};
