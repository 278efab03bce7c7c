#include "kafka.h"

#include <assert.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROPERTY_MAX = 4096 };

// What our promises rest on: a settings file cannot change these.
static const char *const ours[] = {
    "acks",
    "request.required.acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "metadata.broker.list",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "transactional.id",
    "group.id",
    "partition.assignment.strategy",
    "log.queue",
    "statistics.interval.ms",
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

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (strcmp(ours[i], name) == 0)
            return true;
    return false;
}

static enum outcome set_checked(rd_kafka_conf_t *conf, const char *name,
                                const char *value, struct err *err)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT, "%s", reason);
}

// take_property copies the text up to the next single ';' without the spaces around it,
// and returns where the next property begins; NULL when it does not fit.
static const char *take_property(const char *at, char *out, size_t room)
{
    size_t len = 0;

    while (*at == ' ' || *at == '\n' || *at == '\t')
        at++;
    for (; *at; at++) {
        if (*at == ';' && *++at != ';')
            break;
        if (len + 1 >= room)
            return NULL;
        out[len++] = *at;
    }
    while (len > 0 && strchr(" \n\t", out[len - 1]))
        len--;
    out[len] = '\0';
    return at;
}

// split_property ends the name at its '=' and returns the value, or NULL without one.
static char *split_property(char *property)
{
    char *equals = strchr(property, '=');
    if (!equals || equals == property)
        return NULL;

    char *end = equals;
    while (end > property && end[-1] == ' ')
        end--;
    *end = '\0';
    char *value = equals + 1;
    while (*value == ' ')
        value++;
    return value;
}

static enum outcome add_properties(rd_kafka_conf_t *conf, const char *text,
                                   struct err *err)
{
    char property[PROPERTY_MAX];

    while (text && *text) {
        text = take_property(text, property, sizeof(property));
        if (!text)
            return err_set(err, OUTCOME_REJECT, "a property is longer than %d bytes",
                           PROPERTY_MAX - 1);
        if (!property[0])
            continue;
        char *value = split_property(property);
        if (!value)
            return err_set(err, OUTCOME_REJECT, "\"%.64s\" is not key=value", property);
        if (is_ours(property))
            return err_set(err, OUTCOME_REJECT, "%s is set by smsq itself", property);
        if (set_checked(conf, property, value, err))
            return OUTCOME_REJECT;
    }
    return OUTCOME_OK;
}

enum outcome kafka_conf_new(struct rd_kafka_conf_s **out,
                            const struct kafka_settings *set, struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    for (size_t i = 0; i < COUNT_OF(defaults); i++)
        kafka_conf_set(conf, defaults[i].name, defaults[i].value);
    if (set_checked(conf, "bootstrap.servers", set->brokers, err)) {
        err_context(err, "kafka.brokers");
        goto fail;
    }
    if (add_properties(conf, set->properties, err)) {
        err_context(err, "kafka.properties");
        goto fail;
    }
    *out = conf;
    return OUTCOME_OK;
fail:
    rd_kafka_conf_destroy(conf);
    return OUTCOME_REJECT;
}

enum outcome kafka_settings_check(const struct kafka_settings *set, struct err *err)
{
    rd_kafka_conf_t *conf;

    enum outcome rc = kafka_conf_new(&conf, set, err);
    if (!rc)
        rd_kafka_conf_destroy(conf);
    return rc;
}

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
    char property[PROPERTY_MAX];

    while (properties && *properties) {
        properties = take_property(properties, property, sizeof(property));
        if (properties && split_property(property) && strcmp(property, name) == 0)
            return true;
    }
    return false;
}

void kafka_conf_default(struct rd_kafka_conf_s *conf, const struct kafka_settings *set,
                        const char *name, const char *value)
{
    if (!is_named(set->properties, name))
        kafka_conf_set(conf, name, value);
}
