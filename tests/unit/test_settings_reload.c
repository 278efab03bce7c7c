// Settings that change while the program runs.
#include "settings_reload.h"

#include "buf.h"
#include "settings_scene.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

// A running program with a settings file.
struct running {
    struct test_settings set;
    char config[96];
    char *argv[2];
    struct settings_origin origin;
    struct buf told;  // a line for each change
};

static void start(struct running *r, const char *file)
{
    struct err err = { 0 };

    *r = (struct running){ .told = BUF_INIT(OUTPUT_MAX) };
    (void)snprintf(r->config, sizeof(r->config), "--config=%s", scene_config_path());
    r->argv[0] = r->argv[1] = r->config;
    r->origin = (struct settings_origin){ &r->set, &scene_source, 2, r->argv };
    scene_write(scene_config_path(), file);
    if (settings_load(&r->set, &scene_source, 2, r->argv, &err))
        fail_msg("%s", err.text);
}

static void end(struct running *r)
{
    settings_free(&r->set, &scene_source);
    buf_free(&r->told);
}

static void on_change(void *arg, const struct settings_change *change)
{
    struct running *r = arg;
    buf_addf(&r->told, "%s: %s -> %s%s\n", change->row->name, change->old_value,
             change->new_value, change->is_applied ? "" : " (restart)");
}

static enum outcome reload(struct running *r, const char *file, struct err *err)
{
    scene_write(scene_config_path(), file);
    buf_clear(&r->told);
    return settings_reload(&r->origin, on_change, r, err);
}

static void what_is_live_is_taken_over_and_the_rest_is_told(void **state)
{
    struct running r;
    struct err err = { 0 };

    (void)state;
    start(&r, "worker: { tries = 1; wait = \"3s\"; };");
    assert_int_equal(reload(&r,
                            "worker: { tries = 2; wait = \"1500ms\"; dry = true; };\n"
                            "kafka: { brokers = \"other:9092\"; };\n"
                            "twilio: { auth_token = \"hunter2\"; note = \"hello\"; };",
                            &err),
                     OUTCOME_OK);
    assert_string_equal(buf_text(&r.told),
                        "kafka.brokers: 127.0.0.1:9092 -> other:9092 (restart)\n"
                        "twilio.auth_token: (not set) -> ***\n"
                        "twilio.note: (not set) -> hello\n"
                        "worker.tries: 1 -> 2 (restart)\n"
                        "worker.wait: 3s -> 1500ms\n"
                        "worker.dry: false -> true\n");
    assert_int_equal(r.set.tries, 1);
    assert_string_equal(r.set.brokers, "127.0.0.1:9092");
    assert_int_equal(r.set.wait_us, 1500000);
    assert_true(r.set.dry);
    assert_string_equal(r.set.token, "hunter2");
    assert_string_equal(r.set.note, "hello");

    // The same file again: only what still waits for a restart is told.
    assert_int_equal(settings_reload(&r.origin, on_change, &r, &err), OUTCOME_OK);
    assert_non_null(strstr(buf_text(&r.told), "worker.tries: 1 -> 2 (restart)\n"));
    assert_int_equal(reload(&r, "worker: { tries = 1; };", &err), OUTCOME_OK);
    assert_string_equal(buf_text(&r.told), "twilio.auth_token: *** -> (not set)\n"
                                           "twilio.note: hello -> (not set)\n"
                                           "worker.wait: 1500ms -> 3s\n"
                                           "worker.dry: true -> false\n");
    assert_null(r.set.note);
    end(&r);
}

static void a_bad_file_changes_nothing(void **state)
{
    static const struct {
        const char *file, *complaint;
    } cases[] = {
        { "worker: { tries = 1; wait = \"1s\"; dry = maybe; };", ":1: syntax error" },
        { "worker: { tries = 99; wait = \"1s\"; };", "worker.tries" },
        { "worker: { tries = 1; wait = \"1s\"; wiat = 2; };", "worker.wiat" },
        { "worker: { tries = 1; wait = \"1s\"; };\ntwilio: { note = \"bad\"; };",
          "twilio.note" },
    };
    struct running r;

    (void)state;
    start(&r, "worker: { tries = 1; wait = \"3s\"; };");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = { 0 };
        assert_int_equal(reload(&r, cases[i].file, &err), OUTCOME_REJECT);
        assert_non_null(strstr(err.text, cases[i].complaint));
        assert_string_equal(buf_text(&r.told), "");
        assert_int_equal(r.set.wait_us, 3000000);
        assert_null(r.set.note);
    }
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_live_is_taken_over_and_the_rest_is_told),
        cmocka_unit_test(a_bad_file_changes_nothing),
    };
    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
