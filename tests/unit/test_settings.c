// Settings: sources and their order, kinds and ranges.
#include "settings.h"

#include "buf.h"
#include "settings_scene.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void defaults_fill_what_is_not_given(void **state)
{
    const struct scene scene = { .arguments = { "--worker.tries=5" } };
    struct test_settings set;

    (void)state;
    scene_load_good(&set, &scene);
    assert_string_equal(set.brokers, "127.0.0.1:9092");
    assert_null(set.token);
    assert_null(set.note);
    assert_int_equal(set.tries, 5);
    assert_int_equal(set.port, 9102);
    assert_int_equal(set.wait_us, 3000000);
    assert_false(set.dry);
    settings_free(&set, &scene_source);
    assert_null(set.brokers);
}

static void a_flag_wins_over_the_environment_and_that_over_the_file(void **state)
{
    struct scene scene = {
        .file = "worker: { tries = 2; };",
        .environment = { "SMSQ_WORKER_TRIES=3" },
        .arguments = { "--worker.tries=4" },
    };
    struct test_settings set;

    (void)state;
    scene_load_good(&set, &scene);
    assert_int_equal(set.tries, 4);
    settings_free(&set, &scene_source);
    scene.arguments[0] = NULL;
    scene_load_good(&set, &scene);
    assert_int_equal(set.tries, 3);
    settings_free(&set, &scene_source);
    scene.environment[0] = "SMSQ_WORKER_TRIES=";  // empty is like none
    scene_load_good(&set, &scene);
    assert_int_equal(set.tries, 2);
    settings_free(&set, &scene_source);
}

static void all_kinds_are_read_from_a_file(void **state)
{
    const struct scene scene = {
        .file = "# a comment\n"
                "kafka: { brokers = \"k:1,k:2\"; };\n"
                "twilio = { auth_token = \"secret\"; note = \"\"; };\n"
                "worker: { tries = 20L; port = \"8000\"; wait = \"10m\"; dry = true; };\n"
                "simulator: { sender = \"\"; delay = 7; };\n"
                "console: { colour = \"red\"; deep: { er = [1, 2]; }; };\n"
                "database: { url = \"postgresql://nobody\"; };\n",
    };
    struct test_settings set;

    (void)state;
    scene_load_good(&set, &scene);
    assert_string_equal(set.brokers, "k:1,k:2");
    assert_string_equal(set.token, "secret");
    assert_null(set.note);
    assert_string_equal(set.sender, "");
    assert_int_equal(set.tries, 20);
    assert_int_equal(set.port, 8000);
    assert_int_equal(set.wait_us, 600000000);
    assert_true(set.dry);
    settings_free(&set, &scene_source);
}

static void the_file_may_be_named_by_the_environment(void **state)
{
    char variable[96];
    struct scene scene = { .environment = { variable } };
    struct test_settings set;

    (void)state;
    scene_write(scene_config_path(), "worker: { tries = 7; dry = 1; port = 8001; };");
    (void)snprintf(variable, sizeof(variable), "SMSQ_CONFIG=%s", scene_config_path());
    scene_load_good(&set, &scene);
    assert_int_equal(set.tries, 7);
    assert_int_equal(set.port, 8001);
    assert_true(set.dry);
    settings_free(&set, &scene_source);
}

static void aliases_and_value_files_work(void **state)
{
    char variable[96], own_variable[96];
    struct test_settings set;

    (void)state;
    scene_load_good(&set, &(struct scene){ .environment = { "TEST_AUTH_TOKEN=by alias" },
                                           .arguments = { "--worker.tries=1" } });
    assert_string_equal(set.token, "by alias");
    settings_free(&set, &scene_source);

    scene_load_good(&set,
                    &(struct scene){ .environment = { "TEST_AUTH_TOKEN=by alias",
                                                      "SMSQ_TWILIO_AUTH_TOKEN=by name" },
                                     .arguments = { "--worker.tries=1" } });
    assert_string_equal(set.token, "by name");
    settings_free(&set, &scene_source);

    scene_write(scene_value_path(), "by file\n\n");
    assert_int_equal(chmod(scene_value_path(), S_IRUSR | S_IWUSR), 0);
    (void)snprintf(variable, sizeof(variable), "TEST_AUTH_TOKEN_FILE=%s",
                   scene_value_path());
    (void)snprintf(own_variable, sizeof(own_variable), "SMSQ_KAFKA_BROKERS_FILE=%s",
                   scene_value_path());
    scene_load_good(&set, &(struct scene){ .environment = { variable, own_variable },
                                           .arguments = { "--worker.tries=1" } });
    assert_string_equal(set.token, "by file\n");
    assert_string_equal(set.brokers, "by file\n");
    settings_free(&set, &scene_source);
}

static void variables_of_other_programs_are_left_alone(void **state)
{
    const struct scene scene = {
        .environment = { "SMSQ_SIMULATOR_SENDRE=1", "SMSQ_API_PORTS=2",
                         "SMSQ_SOMETHING_ELSE=3", "SMSQ_WORKER_TRIES=4" },
    };
    struct test_settings set;

    (void)state;
    scene_load_good(&set, &scene);
    assert_int_equal(set.tries, 4);
    settings_free(&set, &scene_source);
}

static void durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t us;  // -1: refused
    } cases[] = {
        { "0", 0 },
        { "0s", 0 },
        { "1us", 1 },
        { "500ms", 500000 },
        { "3s", 3000000 },
        { "10m", 600000000 },
        { "24h", 86400000000 },
        { "7d", 604800000000 },
        { "", -1 },
        { "5", -1 },
        { "s", -1 },
        { "-1s", -1 },
        { "1.5s", -1 },
        { "3 s", -1 },
        { " 3s", -1 },
        { "3S", -1 },
        { "3sec", -1 },
        { "+3s", -1 },
        { "106751992d", -1 },
        { "99999999999999999999s", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us = -1;
        bool good = settings_parse_us(cases[i].text, &us);
        if (good != (cases[i].us >= 0) || us != cases[i].us)
            fail_msg("\"%s\": %d, %lld", cases[i].text, good, (long long)us);
    }
}

static void rows_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(settings_find(&scene_source, "worker.port", 11),
                     &scene_source.tables[1][1]);
    assert_ptr_equal(settings_find(&scene_source, "worker.portx", 11),
                     &scene_source.tables[1][1]);
    assert_null(settings_find(&scene_source, "worker.port", 10));
    assert_null(settings_find(&scene_source, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_what_is_not_given),
        cmocka_unit_test(a_flag_wins_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(all_kinds_are_read_from_a_file),
        cmocka_unit_test(the_file_may_be_named_by_the_environment),
        cmocka_unit_test(aliases_and_value_files_work),
        cmocka_unit_test(variables_of_other_programs_are_left_alone),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(rows_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
