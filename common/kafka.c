#include "kafka.h"

#include "properties.h"
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What our promises rest on: a settings file cannot change these.
static const struct {
    const char *name, *why;
} ours[] = {
    { "acks", "an accepted message needs the acknowledgement of all replicas" },
    { "request.required.acks",
      "an accepted message needs the acknowledgement of all replicas" },
    { "bootstrap.servers", "write kafka.brokers" },
    { "metadata.broker.list", "write kafka.brokers" },
    { "auto.offset.reset", "a lost offset must repeat records, not lose them" },
    { "enable.auto.commit", "an offset is done when PostgreSQL owns the record" },
    { "enable.auto.offset.store", "an offset is done when PostgreSQL owns the record" },
    { "enable.idempotence", "librdkafka 2.0.2 loses records with it" },
    { "transactional.id", "librdkafka 2.0.2 loses records with it" },
    { "group.id", "each lane has its own group" },
    { "partition.assignment.strategy", "the programs count on eager assignment" },
    { "log.queue", "the programs log what librdkafka says" },
    { "statistics.interval.ms", "readiness rests on it" },
};

// Before the properties, so that those win.
static const struct {
    const char *name, *value;
} defaults[] = {
    { "client.id", "smsq" },
    { "socket.nagle.disable", "true" },
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.max.ms", "1000" },  // default 10 s: slow after an outage
    { "topic.metadata.refresh.interval.ms", "10000" },  // finds new topics in 10 s
    { "statistics.interval.ms", "1000" },               // tells whether a broker answers
    { "log.queue", "true" },
};

static const char *why_ours(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (strcmp(ours[i].name, name) == 0)
            return ours[i].why;
    return NULL;
}

static enum outcome set_checked(rd_kafka_conf_t *conf, const char *name,
                                const char *value, struct err *err)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT, "%s", reason);
}

// Appends the name of librdkafka's that was meant. The table that librdkafka prints for
// people is the only list of all names: "name | C/P | …" lines.
static void add_nearest(const char *name, struct err *err)
{
    char *table = NULL;
    size_t bytes = 0, best = SIZE_MAX, best_len = 0;
    const char *nearest = "";

    FILE *file = open_memstream(&table, &bytes);
    if (!file)
        return;
    rd_kafka_conf_properties_show(file);
    fclose(file);
    for (const char *line = table; *line; line += strcspn(line, "\n"), line += !!*line) {
        const size_t len = strcspn(line, " |\n");
        size_t distance = settings_distance(name, strlen(name), line, len);
        if (len == 0 || distance >= best)
            continue;
        best = distance;
        nearest = line;
        best_len = len;
    }
    const size_t end = strlen(err->text);
    if (best <= 1 + strlen(name) / 4)
        (void)snprintf(err->text + end, sizeof(err->text) - end, "; the nearest is %.*s",
                       (int)best_len, nearest);
    free(table);
}

// OpenSSL would say "system lib".
static enum outcome check_location(const char *name, const char *value, struct err *err)
{
    static const char suffix[] = ".location";
    const size_t len = strlen(name), suffix_len = strlen(suffix);

    if (len < suffix_len || strcmp(name + len - suffix_len, suffix) != 0 ||
        strcmp(value, "probe") == 0 || access(value, R_OK) == 0)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT, "kafka.properties.%s: cannot read %s: %s", name,
                   value, strerror(errno));
}

// librdkafka's complaints show values of properties with a list of values, none of which
// is a secret.
static enum outcome add_property(rd_kafka_conf_t *conf, const char *name,
                                 const char *value, struct err *err)
{
    const char *why = why_ours(name);
    char reason[256];

    if (why)
        return err_set(err, OUTCOME_REJECT,
                       "kafka.properties.%s: smsq sets it itself: %s", name, why);
    rd_kafka_conf_res_t rc = rd_kafka_conf_set(conf, name, value, reason, sizeof(reason));
    if (rc == RD_KAFKA_CONF_OK)
        return check_location(name, value, err);
    err_set(err, OUTCOME_REJECT, "kafka.properties.%s: %s", name, reason);
    if (rc == RD_KAFKA_CONF_UNKNOWN)
        add_nearest(name, err);
    return OUTCOME_REJECT;
}

static enum outcome add_properties(rd_kafka_conf_t *conf, const char *text,
                                   struct err *err)
{
    struct property property = PROPERTY_INIT;
    enum outcome rc;

    while (!(rc = properties_next(&text, &property, err))) {
        rc = add_property(conf, buf_text(&property.key), buf_text(&property.value), err);
        if (rc)
            break;
    }
    if (rc == OUTCOME_REJECT && strncmp(err->text, "kafka.properties.", 17) != 0)
        err_context(err, "kafka.properties");
    property_free(&property);
    return rc == OUTCOME_REJECT ? rc : OUTCOME_OK;
}

enum outcome kafka_conf_new(struct rd_kafka_conf_s **out,
                            const struct kafka_settings *set, struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    for (size_t i = 0; i < COUNT_OF(defaults); i++)
        kafka_conf_set(conf, defaults[i].name, defaults[i].value);
    if (set->brokers && set_checked(conf, "bootstrap.servers", set->brokers, err)) {
        err_context(err, "kafka.brokers");
        goto fail;
    }
    if (add_properties(conf, set->properties, err))
        goto fail;
    *out = conf;
    return OUTCOME_OK;
fail:
    rd_kafka_conf_destroy(conf);
    return OUTCOME_REJECT;
}

// Only a client of its own tells that the properties fit each other and that the files
// which they name are there. It has no broker to talk to.
static enum outcome try_client(const struct kafka_settings *set, struct err *err)
{
    const struct kafka_settings alone = { .properties = set->properties };
    rd_kafka_conf_t *conf;
    char reason[256];

    if (kafka_conf_new(&conf, &alone, err))
        return OUTCOME_REJECT;
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (rk) {
        rd_kafka_destroy(rk);
        return OUTCOME_OK;
    }
    rd_kafka_conf_destroy(conf);
    return err_set(err, OUTCOME_REJECT, "kafka.properties: %s", reason);
}

static enum outcome check_settings(const void *part, struct err *err)
{
    const struct kafka_settings *set = part;
    rd_kafka_conf_t *conf;

    enum outcome rc = kafka_conf_new(&conf, set, err);
    if (rc)
        return rc;
    rd_kafka_conf_destroy(conf);
    return set->properties ? try_client(set, err) : OUTCOME_OK;
}

// librdkafka before 2.6.1 sends its nonce twice, which Kafka refuses since 3.8.1 and 4.0
// (github.com/confluentinc/librdkafka/pull/4895).
enum { SCRAM_WORKS_VERSION = 0x020601ff };

static void review_scram(const char *properties, struct settings_notes *notes)
{
    struct property property = PROPERTY_INIT;

    if (rd_kafka_version() >= SCRAM_WORKS_VERSION)
        return;
    while (!properties_next(&properties, &property, NULL))
        if (strncmp(buf_text(&property.key), "sasl.mechanism", 14) == 0 &&
            strstr(buf_text(&property.value), "SCRAM"))
            settings_warn(
                notes,
                "kafka.properties.%s: librdkafka %s cannot log in with SCRAM to "
                "Kafka 4: use PLAIN through SASL_SSL, or client certificates",
                buf_text(&property.key), rd_kafka_version_str());
    property_free(&property);
}

static bool has_tls(const struct kafka_settings *set)
{
    char protocol[32] = "";
    size_t len = sizeof(protocol);
    rd_kafka_conf_t *conf;

    if (kafka_conf_new(&conf, set, NULL))
        return false;
    (void)rd_kafka_conf_get(conf, "security.protocol", protocol, &len);
    rd_kafka_conf_destroy(conf);
    return strcasestr(protocol, "ssl") != NULL;
}

static bool is_local(const char *broker, size_t len)
{
    static const char *const local[] = { "127.", "localhost:", "[::1]" };

    for (size_t i = 0; i < COUNT_OF(local); i++)
        if (len >= strlen(local[i]) && memcmp(broker, local[i], strlen(local[i])) == 0)
            return true;
    return false;
}

static void review_settings(const void *part, struct settings_notes *notes)
{
    const struct kafka_settings *set = part;
    const char *broker = set->brokers;

    review_scram(set->properties, notes);

    while (*broker) {
        const size_t len = strcspn(broker, ",");
        if (!is_local(broker, len) && !has_tls(set)) {
            settings_warn(
                notes,
                "kafka.brokers: %.*s is reached without TLS: set security_protocol "
                "to SASL_SSL in kafka.properties",
                (int)len, broker);
            return;
        }
        broker += len + (broker[len] == ',');
    }
}

const struct settings_part kafka_settings_part = { check_settings, review_settings };

void kafka_conf_set(struct rd_kafka_conf_s *conf, const char *name, const char *value)
{
    char reason[256];
    rd_kafka_conf_res_t rc = rd_kafka_conf_set(conf, name, value, reason, sizeof(reason));

    assert(rc == RD_KAFKA_CONF_OK);
    (void)rc;
}

void kafka_conf_set_int(struct rd_kafka_conf_s *conf, const char *name, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    kafka_conf_set(conf, name, text);
}

static bool is_named(const char *properties, const char *name)
{
    struct property property = PROPERTY_INIT;
    bool found = false;

    while (!found && !properties_next(&properties, &property, NULL))
        found = strcmp(buf_text(&property.key), name) == 0;
    property_free(&property);
    return found;
}

void kafka_conf_default(struct rd_kafka_conf_s *conf, const struct kafka_settings *set,
                        const char *name, const char *value)
{
    if (!is_named(set->properties, name))
        kafka_conf_set(conf, name, value);
}
