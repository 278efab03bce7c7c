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
    // A wrong setting is told by settings_load, not by ending the process.
    assert_int_equal(
        scene_output(&(struct scene){ .arguments = { "--check-config" } }, &out), 7);
    assert_string_equal(buf_text(&out), "");
    buf_free(&out);
}

static void print_config_shows_origins_and_hides_secrets(void **state)
{
    const struct scene scene = {
        .file = "kafka: { brokers = \"k\\\"1\"; };",
        .environment = { "TEST_AUTH_TOKEN=hunter2" },
        .arguments = { "--print-config", "--worker.tries=9" },
    };
    struct buf out = BUF_INIT(OUTPUT_MAX), wanted = BUF_INIT(OUTPUT_MAX);

    (void)state;
    assert_int_equal(scene_output(&scene, &out), 0);
    buf_addf(&wanted,
             "kafka.brokers = \"k\\\"1\"  # %s:1\n"
             "twilio.auth_token = ***  # TEST_AUTH_TOKEN\n"
             "twilio.note = (not set)\n"
             "simulator.sender = \"+1555\"  # default\n"
             "worker.tries = \"9\"  # --worker.tries\n"
             "worker.port = \"9102\"  # default\n"
             "worker.wait = \"3s\"  # default\n"
             "worker.dry = \"no\"  # default\n",
             scene_config_path());
    assert_string_equal(buf_text(&out), buf_text(&wanted));
    buf_free(&out);
    buf_free(&wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_shows_every_row),
        cmocka_unit_test(version_and_check_end_the_process),
        cmocka_unit_test(print_config_shows_origins_and_hides_secrets),
    };
    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
