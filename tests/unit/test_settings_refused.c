// Settings that are refused: what a person reads, and what nobody may read there.
#include "settings.h"

#include "buf.h"
#include "settings_scene.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wrong_settings_are_refused_by_name_and_place(void **state)
{
    // %s stands for the path of the settings file.
    static const struct {
        struct scene scene;
        const char *complaint;
    } cases[] = {
        { { .file = "" },
          "worker.tries is missing (how often): it is required, see --help" },
        { { .arguments = { "--worker.tries=0" } },
          "worker.tries (--worker.tries) must be a whole number from 1 to 20, not "
          "\"0\"" },
        { { .file = "worker: {\n tries = 21; };" },
          "worker.tries (%s:2) must be a whole number from 1 to 20, not \"21\"" },
        { { .file = "worker: { tries = 1.5; };" },
          "worker.tries (%s:1) must be a whole number from 1 to 20, not \"1.5\"" },
        { { .file = "worker: { tries = true; };" },
          "worker.tries (%s:1) must be a whole number from 1 to 20, not \"true\"" },
        { { .file = "worker: { tries = 4294967299; };" },
          "worker.tries (%s:1) must be written in quotes, it has more than 9 digits" },
        { { .file = "worker: { tries = [1]; };" },
          "worker.tries (%s:1) must be one value, not a list or a group" },
        { { .environment = { "SMSQ_WORKER_TRIES=four" } },
          "worker.tries (SMSQ_WORKER_TRIES) must be a whole number from 1 to 20, "
          "not \"four\"" },
        { { .arguments = { "--worker.tries=9223372036854775808" } },
          "worker.tries (--worker.tries) must be a whole number from 1 to 20, "
          "not \"9223372036854775808\"" },
        { { .arguments = { "--worker.tries= 4" } },
          "worker.tries (--worker.tries) must be a whole number from 1 to 20, "
          "not \" 4\"" },
        { { .arguments = { "--worker.tries=1", "--worker.port=65536" } },
          "worker.port (--worker.port) must be a port from 0 to 65535, not \"65536\"" },
        { { .arguments = { "--worker.tries=1", "--worker.wait=99ms" } },
          "worker.wait (--worker.wait) must be a duration from 100ms to 10m, "
          "not \"99ms\"" },
        { { .file = "worker: { wait = 25; tries = 1; };" },
          "worker.wait (%s:1) must be a duration from 100ms to 10m, not \"25\": the unit "
          "is missing (us, ms, s, m, h, d)" },
        { { .arguments = { "--worker.tries=1", "--worker.dry=maybe" } },
          "worker.dry (--worker.dry) must be true or false (or yes, no, on, off, 1, 0), "
          "not \"maybe\"" },
        { { .arguments = { "--kafka.brokers=" } },
          "kafka.brokers (--kafka.brokers) must be 1 to 30 bytes long, not 0" },
        { { .arguments = { "--twilio.note=\xff" } },
          "twilio.note (--twilio.note) must be valid UTF-8" },
        { { .file = "twilio: { note = 5; };" },
          "twilio.note (%s:1) must be written in quotes" },
        { { .file = "worker: { tires = 5; };" },
          "worker.tires (%s:1) is not a setting; the nearest is worker.tries" },
        { { .file = "worker: { colour = 5; };" },
          "worker.colour (%s:1) is not a setting; --help lists them" },
        { { .file = "\nworkr: { tries = 5; };" },
          "workr (%s:2) is not a group of settings; the nearest is worker" },
        { { .file = "zebra: { tries = 5; };" },
          "zebra (%s:1) is not a group of settings" },
        { { .file = "tries = 5;" }, "tries (%s:1) is not a setting; --help lists them" },
        { { .file = "worker: { tries = ; };" }, "%s:1: syntax error" },
        { { .file = "worker: { tries = 1; tries = 2; };" },
          "%s:1: duplicate setting name" },
        { { .arguments = { "--config=/no/such/file" } },
          "cannot read the settings file /no/such/file: No such file or directory" },
        { { .arguments = { "--worker.tires=5" } },
          "worker.tires (flag) is not a setting; the nearest is worker.tries" },
        { { .arguments = { "--worker-tries=5" } },
          "worker-tries (flag) is not a setting; the nearest is worker.tries" },
        { { .arguments = { "--kafka.borkers=5" } },
          "kafka.borkers (flag) is not a setting; the nearest is kafka.brokers" },
        { { .arguments = { "--worker.tries" } },
          "--worker.tries needs a value: --worker.tries=value" },
        { { .arguments = { "--config" } }, "--config needs a value: --config=value" },
        { { .arguments = { "--worker.tries=5", "smsq.cfg" } },
          "argument 2 is not a flag: settings are given as --name=value" },
        { { .environment = { "SMSQ_WORKER_TIRES=5" } },
          "SMSQ_WORKER_TIRES (environment) is not a setting; the nearest is "
          "SMSQ_WORKER_TRIES" },
        { { .environment = { "SMSQ_WORKER_COLOUR=5" } },
          "SMSQ_WORKER_COLOUR (environment) is not a setting; --help lists them" },
        { { .environment = { "SMSQ_WROKER_TRIES=5" } },
          "SMSQ_WROKER_TRIES (environment) is not a setting; the nearest is "
          "SMSQ_WORKER_TRIES" },
        { { .environment = { "SMSQ_WORKER_PORT=tcp://10.0.0.1:9102" },
            .arguments = { "--worker.tries=1" } },
          "worker.port (SMSQ_WORKER_PORT) must be a port from 0 to 65535, not "
          "\"tcp://10.0.0.1:9102\": Kubernetes sets this variable for a Service of that "
          "name, unless the pod says enableServiceLinks: false" },
        { { .file = "worker: { tries = 1; };\ntwilio: { note = \"bad\"; };" },
          "twilio.note (%s:2) must be good" },
        { { .environment = { "TEST_AUTH_TOKEN=a", "TEST_AUTH_TOKEN_FILE=/b" } },
          "TEST_AUTH_TOKEN and TEST_AUTH_TOKEN_FILE are both set: only one may be" },
        { { .environment = { "TEST_AUTH_TOKEN_FILE=/no/such/file" } },
          "TEST_AUTH_TOKEN_FILE: cannot read /no/such/file: No such file or directory" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct test_settings set;
        const struct test_settings nothing = { 0 };
        struct err err = { 0 };
        struct buf wanted = BUF_INIT(1024);
        const char *hole = strstr(cases[i].complaint, "%s");
        if (hole) {
            buf_add(&wanted, cases[i].complaint, (size_t)(hole - cases[i].complaint));
            buf_add_text(&wanted, scene_config_path());
        }
        buf_add_text(&wanted, hole ? hole + 2 : cases[i].complaint);
        assert_int_equal(scene_load(&set, &cases[i].scene, &err), OUTCOME_REJECT);
        // Behind it may stand how many more there are, as when worker.tries is missing
        // too.
        const char *rest = err.text + wanted.len;
        if (strncmp(err.text, buf_text(&wanted), wanted.len) != 0 ||
            (*rest && strncmp(rest, " (and ", 6) != 0))
            fail_msg("%s\n%s", err.text, buf_text(&wanted));
        assert_ptr_equal(set.brokers, nothing.brokers);
        assert_ptr_equal(set.token, nothing.token);
        buf_free(&wanted);
    }
}

static void a_secret_is_never_in_a_complaint(void **state)
{
    static const struct scene scenes[] = {
        { .arguments = { "--twilio.auth_token=hunter2-hunter2-hunter2-hunter2-"
                         "hunter2" } },
        { .arguments = { "--twilio.auth_token=hunter2\xff" } },
        { .arguments = { "--twilio.auth_tken=hunter2" } },
        { .arguments = { "--twilio.auth_token=", "hunter2" } },
        { .arguments = { "--twilio.auth_token", "hunter2" } },
        { .environment = { "TEST_AUTH_TOKEN=hunter2-hunter2-hunter2-hunter2-hunter2" } },
        { .environment = { "SMSQ_TWILIO_AUTH_TOKN=hunter2" } },
        { .file = "twilio: { auth_token = \"hunter2-hunter2-hunter2-hunter2-hunter2\"; "
                  "};" },
        { .file = "twilio: { auth_tokn = \"hunter2\"; };" },
        { .file = "twilio: { auth_token = \"hunter2\" \"\n; };" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenes); i++) {
        struct test_settings set;
        struct err err = { 0 };
        if (scene_load(&set, &scenes[i], &err) != OUTCOME_REJECT || err.text[0] == '\0')
            fail_msg("case %zu was accepted", i);
        if (strstr(err.text, "hunter2"))
            fail_msg("%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_settings_are_refused_by_name_and_place),
        cmocka_unit_test(a_secret_is_never_in_a_complaint),
    };
    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
