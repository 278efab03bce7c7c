// What settings_load prints: help, version, check and values.
#include "settings.h"

#include "buf.h"
#include "settings_scene.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void help_shows_every_row(void **state)
{
    const struct scene scene = { .arguments = { "--help" } };
    struct buf out = BUF_INIT(OUTPUT_MAX);

    (void)state;
    assert_int_equal(scene_output(&scene, &out), 0);
    assert_non_null(strstr(buf_text(&out), "smsq-worker: works\n"));
    assert_non_null(strstr(buf_text(&out),
                           "\n  --worker.wait=DURATION\n      how long\n"
                           "      SMSQ_WORKER_WAIT; default 3s; a duration from 100ms to "
                           "10m; live\n"));
    assert_non_null(strstr(buf_text(&out),
                           "\n  --twilio.auth_token=SECRET\n      signs callbacks\n"
                           "      SMSQ_TWILIO_AUTH_TOKEN or TEST_AUTH_TOKEN; not set by "
                           "default; 0 to 32 bytes long; live\n"));
    assert_non_null(strstr(buf_text(&out), "SMSQ_WORKER_TRIES; required; a whole"));
    for (size_t t = 0; scene_source.tables[t]; t++)
        for (const struct setting *row = scene_source.tables[t]; row->name; row++)
            assert_non_null(strstr(buf_text(&out), row->name));
    buf_free(&out);
}

static void version_and_check_end_the_process(void **state)
{
    struct buf out = BUF_INIT(OUTPUT_MAX);

    (void)state;
    assert_int_equal(scene_output(&(struct scene){ .arguments = { "--version" } }, &out),
                     0);
    assert_string_equal(buf_text(&out), "smsq-worker " SMSQ_VERSION "\n");
    buf_clear(&out);
    assert_int_equal(scene_output(&(struct scene){ .arguments = { "--check-config",
                                                                  "--worker.tries=1" } },
                                  &out),
                     0);
    assert_string_equal(buf_text(&out), "ok\n");
    buf_clear(&out);
    // A wrong setting is told, but does not end the process.
    assert_int_equal(
        scene_output(&(struct scene){ .arguments = { "--check-config" } }, &out), 7);
    assert_string_equal(buf_text(&out), "error: worker.tries is missing (how often): it "
                                        "is required, see --help\n");
    buf_free(&out);
}

static void check_config_tells_all_that_is_wrong_or_odd(void **state)
{
    const struct scene scene = {
        .file = "worker: { tries = 0; wiat = \"1s\"; };\n"
                "twilio: { auth_token = \"hunter2\"; note = 5; };",
        .environment = { "OPENAI_API_KEY=sk-hunter2", "TWILIO_ACOUNT_SID=AC1",
                         "SMSQ_SOMETHING_ELSE=3" },
        .arguments = { "--check-config", "--worker.port=http" },
    };
    struct buf out = BUF_INIT(OUTPUT_MAX), wanted = BUF_INIT(OUTPUT_MAX);
    const char *file = scene_config_path();

    (void)state;
    assert_int_equal(scene_output(&scene, &out), 7);
    buf_addf(
        &wanted,
        "error: worker.wiat (%s:1) is not a setting; the nearest is worker.wait\n"
        "warning: twilio.auth_token (%s:2) is a secret in a file that other users "
        "can read: run chmod 600 %s\n"
        "error: twilio.note (%s:2) must be written in quotes\n"
        "warning: OPENAI_API_KEY (environment) is known and has no effect: automatic "
        "replies are not there yet\n"
        "warning: TWILIO_ACOUNT_SID (environment) is not a setting; the nearest is "
        "TWILIO_ACCOUNT_SID\n"
        "warning: SMSQ_SOMETHING_ELSE (environment) is not a setting of any program\n"
        "error: worker.tries (%s:1) must be a whole number from 1 to 20, not "
        "\"0\"\n"
        "error: worker.port (--worker.port) must be a port from 0 to 65535, not "
        "\"http\"\n",
        file, file, file, file, file);
    assert_string_equal(buf_text(&out), buf_text(&wanted));
    buf_free(&out);
    buf_free(&wanted);
}

static void print_config_shows_origins_and_hides_secrets(void **state)
{
    const struct scene scene = {
        .file =
            "kafka: { brokers = \"k\\\"1\"; properties: { sasl_username = \"u\"; }; };",
        .environment = { "TEST_AUTH_TOKEN=hunter2",
                         "SMSQ_KAFKA_PROPERTIES_SASL_PASSWORD=hunter2" },
        .arguments = { "--print-config", "--worker.tries=9" },
    };
    struct buf out = BUF_INIT(OUTPUT_MAX), wanted = BUF_INIT(OUTPUT_MAX);

    (void)state;
    assert_int_equal(scene_output(&scene, &out), 0);
    buf_addf(&wanted,
             "// smsq-worker " SMSQ_VERSION ": the settings in force, without secrets\n"
             "kafka: {\n"
             "    brokers = \"k\\\"1\";  // %s:1\n"
             "    properties: {\n"
             "        sasl_username = \"u\";  // %s:1\n"
             "        // sasl_password = ***  from SMSQ_KAFKA_PROPERTIES_SASL_PASSWORD\n"
             "    };\n"
             "};\n"
             "twilio: {\n"
             "    // auth_token = ***  from TEST_AUTH_TOKEN\n"
             "    // note is not set\n"
             "};\n"
             "simulator: {\n"
             "    sender = \"+1555\";  // default\n"
             "};\n"
             "worker: {\n"
             "    tries = \"9\";  // --worker.tries\n"
             "    port = \"9102\";  // default\n"
             "    wait = \"3s\";  // default\n"
             "    dry = \"no\";  // default\n"
             "};\n",
             scene_config_path(), scene_config_path());
    assert_string_equal(buf_text(&out), buf_text(&wanted));
    buf_free(&out);
    buf_free(&wanted);
}

static void what_is_printed_can_be_read_again(void **state)
{
    static char noted[] = "--twilio.note=\"\\\t\xc3\xbc\n'";
    struct scene scene = { .arguments = { "--print-config", "--worker.tries=20", noted,
                                          "--worker.wait=1500ms", "--worker.dry=on" } };
    struct test_settings set;
    struct buf out = BUF_INIT(OUTPUT_MAX);

    (void)state;
    assert_int_equal(scene_output(&scene, &out), 0);
    scene_load_good(&set, &(struct scene){ .file = buf_text(&out) });
    assert_int_equal(set.tries, 20);
    assert_string_equal(set.note, noted + strlen("--twilio.note="));
    assert_int_equal(set.wait_us, 1500000);
    assert_true(set.dry);
    assert_string_equal(set.sender, "+1555");
    settings_free(&set, &scene_source);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_shows_every_row),
        cmocka_unit_test(version_and_check_end_the_process),
        cmocka_unit_test(check_config_tells_all_that_is_wrong_or_odd),
        cmocka_unit_test(what_is_printed_can_be_read_again),
        cmocka_unit_test(print_config_shows_origins_and_hides_secrets),
    };
    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
