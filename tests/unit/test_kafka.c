// kafka.properties reach librdkafka, except those that our promises rest on.
#include "kafka.h"
#include "settings.h"

#include "test.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

static rd_kafka_conf_t *conf_of(const char *properties)
{
    const struct kafka_settings set = { "127.0.0.1:9092", (char *)properties };
    rd_kafka_conf_t *conf = NULL;
    struct err err = { 0 };

    if (kafka_conf_new(&conf, &set, &err))
        fail_msg("%s", err.text);
    return conf;
}

static void assert_property(const rd_kafka_conf_t *conf, const char *name,
                            const char *wanted)
{
    char value[256] = "";
    size_t len = sizeof(value);

    assert_int_equal(rd_kafka_conf_get(conf, name, value, &len), RD_KAFKA_CONF_OK);
    assert_string_equal(value, wanted);
}

static void properties_win_over_our_defaults(void **state)
{
    (void)state;
    rd_kafka_conf_t *plain = conf_of(NULL);
    assert_property(plain, "bootstrap.servers", "127.0.0.1:9092");
    assert_property(plain, "client.id", "smsq");
    assert_property(plain, "socket.nagle.disable", "true");
    rd_kafka_conf_destroy(plain);

    rd_kafka_conf_t *conf = conf_of("client.id=me");
    assert_property(conf, "client.id", "me");
    rd_kafka_conf_destroy(conf);
}

static void spaces_newlines_and_doubled_semicolons_are_read(void **state)
{
    (void)state;
    rd_kafka_conf_t *conf = conf_of(" client.id = me;\n; socket.nagle.disable=false;"
                                    "sasl.password=a;;b=c");
    assert_property(conf, "client.id", "me");
    assert_property(conf, "socket.nagle.disable", "false");
    assert_property(conf, "sasl.password", "a;b=c");
    rd_kafka_conf_destroy(conf);
}

static void a_default_of_a_client_gives_way_to_a_property(void **state)
{
    const struct kafka_settings set = { "b:1", "linger.ms=7" };

    (void)state;
    rd_kafka_conf_t *conf = conf_of(set.properties);
    kafka_conf_default(conf, &set, "linger.ms", "3");
    kafka_conf_default(conf, &set, "compression.type", "lz4");
    assert_property(conf, "linger.ms", "7");
    assert_property(conf, "compression.codec", "lz4");
    rd_kafka_conf_destroy(conf);
}

static const struct {
    const char *what, *properties, *complaint;
} refused[] = {
    { "a name that librdkafka does not know", "no.such.name=1",
      "kafka.properties.no.such.name: No such configuration property: "
      "\"no.such.name\"" },
    { "no value", "client.id",
      "kafka.properties: \"client.id\" is not key=value (a ; inside a value is written "
      "twice)" },
    { "no name", "=x",
      "kafka.properties: \"\" is not key=value (a ; inside a value is written twice)" },
    { "a typo", "sasl.pasword=hunter2",
      "kafka.properties.sasl.pasword: No such configuration property: "
      "\"sasl.pasword\"; the nearest is sasl.password" },
    { "a value that is none", "security.protocol=tls",
      "kafka.properties.security.protocol: Invalid value \"tls\" for configuration "
      "property \"security.protocol\"" },
    { "acks", "client.id=a;acks=1",
      "kafka.properties.acks: smsq sets it itself: an accepted message needs the "
      "acknowledgement of all replicas" },
    { "automatic offsets", "enable.auto.offset.store = true",
      "kafka.properties.enable.auto.offset.store: smsq sets it itself: an offset is done "
      "when PostgreSQL owns the record" },
};

static void bad_properties_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct kafka_settings set = { "b:1", (char *)refused[i].properties };
        rd_kafka_conf_t *conf = NULL;
        struct err err = { 0 };

        print_message("%s\n", refused[i].what);
        assert_int_equal(kafka_conf_new(&conf, &set, &err), OUTCOME_REJECT);
        assert_string_equal(err.text, refused[i].complaint);
        assert_null(conf);
    }
}

static void the_check_finds_contradictions_and_missing_files(void **state)
{
    static const struct {
        char *properties;
        const char *complaint;  // NULL: it is good
    } cases[] = {
        { NULL, NULL },
        { "security.protocol=SSL", NULL },
        { "security.protocol=SASL_SSL;sasl.mechanisms=SCRAM-SHA-512;sasl.username=u;"
          "sasl.password=p",
          NULL },
        { "security.protocol=SASL_SSL;sasl.mechanisms=SCRAM-SHA-512",
          "sasl.username and sasl.password must be set" },
        { "security.protocol=SSL;ssl.ca.location=/no/such/ca.pem",
          "kafka.properties.ssl.ca.location: cannot read /no/such/ca.pem: No such file "
          "or "
          "directory" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct kafka_settings set = { "kafka-1:9092", cases[i].properties };
        struct err err = { 0 };
        enum outcome rc = kafka_settings_part.check(&set, &err);
        if (!cases[i].complaint)
            assert_int_equal(rc, OUTCOME_OK);
        else if (!rc || !strstr(err.text, cases[i].complaint))
            fail_msg("case %zu: %s", i, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_win_over_our_defaults),
        cmocka_unit_test(spaces_newlines_and_doubled_semicolons_are_read),
        cmocka_unit_test(a_default_of_a_client_gives_way_to_a_property),
        cmocka_unit_test(bad_properties_are_refused_by_name),
        cmocka_unit_test(the_check_finds_contradictions_and_missing_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
