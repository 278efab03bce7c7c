// Variables, environment files, files with one value, systemd credentials: what is read,
// what wins, what is refused.
#include "settings.h"

#include "buf.h"
#include "settings_parts.h"
#include "settings_scene.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void the_lines_of_an_environment_file_are_read(void **state)
{
    static const struct {
        const char *text, *value;  // of the variable A; NULL: refused
    } cases[] = {
        { "A=1", "1" },
        { "A=1\n", "1" },
        { "\xef\xbb\xbf"
          "A=1\r\nB=2\r\n",
          "1" },
        { "\n# A=2\n  A = 1  \n", "1" },
        { "export A=1", "1" },
        { "exporter=1\nA=2", "2" },
        { "A=1\nA=2", "2" },
        { "A=", "" },
        { "A=   # nothing", "" },
        { "A=+15551234567  # Your Twilio phone number", "+15551234567" },
        { "A=a#b", "a#b" },
        { "A=a b", "a b" },
        { "A='a # b'  # c", "a # b" },
        { "A=\"a\\n\\\"b\\\"\\\\\"", "a\n\"b\"\\" },
        { "A='a\\n$b'", "a\\n$b" },
        { "A=\"two\nlines\"\nB=1", "two\nlines" },
        { "A=5$", "5$" },
        { "A=$5", "$5" },
        { "A=it's", "it's" },
        { "A=$B", NULL },
        { "A=${B}", NULL },
        { "A=\"$B\"", NULL },
        { "A=\"1", NULL },
        { "A='1' 2", NULL },
        { "A", NULL },
        { "1A=1", NULL },
        { "A-B=1", NULL },
        { "=1", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct settings_variables all = { 0 };
        struct err err = { 0 };
        enum outcome rc = settings_parse_variables(&all, cases[i].text, ".env", &err);
        const struct settings_variable *a = settings_variable_find(&all, "A");
        if ((rc == OUTCOME_OK) != (cases[i].value != NULL))
            fail_msg("case %zu: %d, %s", i, rc, err.text);
        if (cases[i].value)
            assert_string_equal(a ? a->value : "no A", cases[i].value);
        else
            assert_memory_equal(err.text, ".env:1: ", 8);
        settings_variables_free(&all);
    }
}

static void an_environment_file_stands_between_environment_and_file(void **state)
{
    char flag[96];
    struct scene scene = {
        .file = "worker: { tries = 2; port = 2; wait = \"2s\"; };",
        .environment = { "SMSQ_WORKER_TRIES=4" },
        .arguments = { flag },
    };
    struct test_settings set;

    (void)state;
    (void)snprintf(flag, sizeof(flag), "--env-file=%s", scene_value_path());
    scene_write(scene_value_path(), "SMSQ_WORKER_TRIES=3\nexport SMSQ_WORKER_PORT='3'\n"
                                    "TEST_AUTH_TOKEN=hunter2\n");
    scene_load_good(&set, &scene);
    assert_int_equal(set.tries, 4);
    assert_int_equal(set.port, 3);
    assert_int_equal(set.wait_us, 2000000);
    assert_string_equal(set.token, "hunter2");
    settings_free(&set, &scene_source);
}

static void what_is_wrong_in_an_environment_file_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        { "\nSMSQ_WORKER_TRIES=x", "worker.tries (%s:2) must be a whole number" },
        { "SMSQ_WORKER_TIRES=5",
          "SMSQ_WORKER_TIRES (%s:1) is not a setting; the nearest is SMSQ_WORKER_TRIES" },
        { "\n\nSMSQ_WORKER_TRIES", "%s:3: this is not NAME=value" },
        { "A=$SMSQ_WORKER_TRIES",
          "%s:1: a $ that means itself must stand in single quotes" },
        { "SMSQ_KAFKA_BROKERS=a\nSMSQ_KAFKA_BROKERS_FILE=/b",
          "SMSQ_KAFKA_BROKERS and SMSQ_KAFKA_BROKERS_FILE are both set" },
    };
    char flag[96];

    (void)state;
    (void)snprintf(flag, sizeof(flag), "--env-file=%s", scene_value_path());
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct scene scene = { .arguments = { flag } };
        struct buf wanted = BUF_INIT(1024);
        struct test_settings set;
        struct err err = { 0 };
        const char *hole = strstr(cases[i].complaint, "%s");
        size_t before = hole ? (size_t)(hole - cases[i].complaint) : 0;

        scene_write(scene_value_path(), cases[i].text);
        buf_add(&wanted, cases[i].complaint, before);
        buf_addf(&wanted, "%s%s", hole ? scene_value_path() : "",
                 hole ? hole + 2 : cases[i].complaint);
        assert_int_equal(scene_load(&set, &scene, &err), OUTCOME_REJECT);
        if (!strstr(err.text, buf_text(&wanted)))
            fail_msg("%s\n%s", err.text, buf_text(&wanted));
        buf_free(&wanted);
    }
}

static void a_secret_that_others_can_read_is_refused(void **state)
{
    static const struct {
        mode_t mode;
        const char *text, *complaint;  // NULL: it is good
    } cases[] = {
        { 0600, "hunter2\n", NULL },
        { 0400, "hunter2\r\n", NULL },
        { 0644, "hunter2\n", "which other users can read: run chmod 600" },
        { 0640, "hunter2\n", "which other users can read: run chmod 600" },
        { 0604, "hunter2\n", "which other users can read: run chmod 600" },
    };
    char variable[96];

    (void)state;
    (void)snprintf(variable, sizeof(variable), "TEST_AUTH_TOKEN_FILE=%s",
                   scene_value_path());
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct scene scene = { .environment = { variable },
                                     .arguments = { "--worker.tries=1" } };
        struct test_settings set;
        struct err err = { 0 };

        scene_write(scene_value_path(), cases[i].text);
        assert_int_equal(chmod(scene_value_path(), cases[i].mode), 0);
        enum outcome rc = scene_load(&set, &scene, &err);
        if (!cases[i].complaint) {
            assert_int_equal(rc, OUTCOME_OK);
            assert_string_equal(set.token, "hunter2");
            settings_free(&set, &scene_source);
        } else if (!rc || !strstr(err.text, cases[i].complaint)) {
            fail_msg("case %zu: %s", i, err.text);
        }
    }
    (void)unlink(scene_value_path());
}

static void what_is_no_file_of_one_value_is_refused(void **state)
{
    const struct scene scene = { .environment = { "TEST_AUTH_TOKEN_FILE=/" },
                                 .arguments = { "--worker.tries=1" } };
    struct test_settings set;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(scene_load(&set, &scene, &err), OUTCOME_REJECT);
    assert_string_equal(err.text, "TEST_AUTH_TOKEN_FILE names /, which is not a file");
}

static void credentials_of_systemd_are_read(void **state)
{
    char folder[] = "/tmp/smsq-credentials-XXXXXX";
    char token[64], password[64], other[64], typo[64], variable[80];
    struct test_settings set;
    struct err err = { 0 };

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(variable, sizeof(variable), "CREDENTIALS_DIRECTORY=%s", folder);
    (void)snprintf(token, sizeof(token), "%s/twilio.auth_token", folder);
    (void)snprintf(password, sizeof(password), "%s/kafka.properties.sasl.password",
                   folder);
    (void)snprintf(other, sizeof(other), "%s/tls.key", folder);
    (void)snprintf(typo, sizeof(typo), "%s/twilio.auth_tokn", folder);
    scene_write(token, "hunter2\n");  // open to others: systemd guards the folder
    scene_write(password, "a;b\n");
    scene_write(other, "x\n");
    const struct scene scene = { .file = "twilio: { auth_token = \"of the file\"; };",
                                 .environment = { variable },
                                 .arguments = { "--worker.tries=1" } };
    scene_load_good(&set, &scene);
    assert_string_equal(set.token, "hunter2");
    assert_string_equal(set.properties, "sasl.password=a;;b");
    settings_free(&set, &scene_source);

    scene_write(typo, "x\n");
    assert_int_equal(scene_load(&set, &scene, &err), OUTCOME_REJECT);
    assert_non_null(strstr(err.text, "twilio.auth_tokn"));
    assert_non_null(strstr(err.text, "is not a setting; the nearest is "
                                     "twilio.auth_token"));
    (void)unlink(token);
    (void)unlink(password);
    (void)unlink(other);
    (void)unlink(typo);
    (void)rmdir(folder);
}

static void properties_come_key_by_key(void **state)
{
    const struct scene scene = {
        .file = "kafka: { properties: { security_protocol = \"SASL_SSL\";\n"
                "sasl_username = \"of the file\"; socket_keepalive_enable = true;\n"
                "message_max_bytes = 1000; }; };",
        .environment = { "SMSQ_KAFKA_PROPERTIES=sasl.username=u; ssl.ca.location = /ca",
                         "SMSQ_KAFKA_PROPERTIES_SASL_PASSWORD=a;b" },
        .arguments = { "--worker.tries=1", "--kafka.properties.client.id=me" },
    };
    struct test_settings set;

    (void)state;
    scene_load_good(&set, &scene);
    assert_string_equal(set.properties,
                        "security.protocol=SASL_SSL;sasl.username=u;"
                        "socket.keepalive.enable=true;message.max.bytes=1000;"
                        "ssl.ca.location=/ca;sasl.password=a;;b;client.id=me");
    settings_free(&set, &scene_source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_of_an_environment_file_are_read),
        cmocka_unit_test(an_environment_file_stands_between_environment_and_file),
        cmocka_unit_test(what_is_wrong_in_an_environment_file_is_told_with_its_line),
        cmocka_unit_test(a_secret_that_others_can_read_is_refused),
        cmocka_unit_test(what_is_no_file_of_one_value_is_refused),
        cmocka_unit_test(credentials_of_systemd_are_read),
        cmocka_unit_test(properties_come_key_by_key),
    };
    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
