// Settings: sources and their order, kinds and ranges, and what a person reads when
// something is wrong.
#include "settings.h"

#include "buf.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 8, OUTPUT_MAX = 65536 };

struct test_settings {
    char *brokers;
    char *token;
    char *note;
    char *sender;
    int64_t tries;
    int64_t port;
    int64_t wait_us;
    bool dry;
};

#define AT(field) offsetof(struct test_settings, field)
static const struct setting shared_table[] = {
    { "kafka.brokers", SETTING_TEXT, AT(brokers), "127.0.0.1:9092", 1, 30, NULL,
      "where Kafka is" },
    { "twilio.auth_token", SETTING_SECRET, AT(token), NULL, 0, 32, "TEST_AUTH_TOKEN",
      "signs callbacks" },
    { "twilio.note", SETTING_TEXT, AT(note), NULL, 0, 10, NULL, "anything" },
    { "simulator.sender", SETTING_TEXT, AT(sender), "+1555", 0, 16, NULL, "a number" },
    { 0 },
};
static const struct setting own_table[] = {
    { "worker.tries", SETTING_COUNT, AT(tries), NULL, 1, 20, NULL, "how often" },
    { "worker.port", SETTING_PORT, AT(port), "9102", 0, 0, NULL, "where to listen" },
    { "worker.wait", SETTING_US, AT(wait_us), "3s", 100000, 600000000, NULL, "how long" },
    { "worker.dry", SETTING_BOOL, AT(dry), "no", 0, 1, NULL, "do nothing" },
    { 0 },
};
#undef AT
static const struct setting *const tables[] = { shared_table, own_table, NULL };
static const struct settings_source source = { "smsq-worker", "works", tables };

// What one loading is given. Arguments and variables are ended by NULL.
struct scene {
    const char *file;                 // text of the settings file, or NULL
    const char *environment[4];       // "NAME=value"
    const char *arguments[ARGS_MAX];  // behind --config=
};

static char folder[] = "/tmp/smsq-settings-XXXXXX";
static char config_path[64];
static char value_path[64];

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(config_path, sizeof(config_path), "%s/a.cfg", folder);
    (void)snprintf(value_path, sizeof(value_path), "%s/value", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(config_path);
    (void)unlink(value_path);
    return rmdir(folder);
}

static void set_variables(const struct scene *scene)
{
    for (size_t i = 0; i < COUNT_OF(scene->environment) && scene->environment[i]; i++)
        putenv((char *)(uintptr_t)scene->environment[i]);
}

static void unset_variables(const struct scene *scene)
{
    for (size_t i = 0; i < COUNT_OF(scene->environment) && scene->environment[i]; i++) {
        char *name = xmemdup0(scene->environment[i], strcspn(scene->environment[i], "="));
        unsetenv(name);
        free(name);
    }
}

static enum outcome load(struct test_settings *set, const struct scene *scene,
                         struct err *err)
{
    char *argv[ARGS_MAX + 2] = { "smsq-worker" };
    char config[96];
    int argc = 1;

    memset(set, 0, sizeof(*set));
    if (scene->file) {
        write_text(config_path, scene->file);
        (void)snprintf(config, sizeof(config), "--config=%s", config_path);
        argv[argc++] = config;
    }
    for (size_t i = 0; i < ARGS_MAX && scene->arguments[i]; i++)
        argv[argc++] = (char *)(uintptr_t)scene->arguments[i];
    set_variables(scene);
    enum outcome rc = settings_load(set, &source, argc, argv, err);
    unset_variables(scene);
    return rc;
}

static void load_good(struct test_settings *set, const struct scene *scene)
{
    struct err err = { 0 };

    if (load(set, scene, &err))
        fail_msg("%s", err.text);
}

static void defaults_fill_what_is_not_given(void **state)
{
    const struct scene scene = { .arguments = { "--worker.tries=5" } };
    struct test_settings set;

    (void)state;
    load_good(&set, &scene);
    assert_string_equal(set.brokers, "127.0.0.1:9092");
    assert_null(set.token);
    assert_null(set.note);
    assert_int_equal(set.tries, 5);
    assert_int_equal(set.port, 9102);
    assert_int_equal(set.wait_us, 3000000);
    assert_false(set.dry);
    settings_free(&set, &source);
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
    load_good(&set, &scene);
    assert_int_equal(set.tries, 4);
    settings_free(&set, &source);
    scene.arguments[0] = NULL;
    load_good(&set, &scene);
    assert_int_equal(set.tries, 3);
    settings_free(&set, &source);
    scene.environment[0] = "SMSQ_WORKER_TRIES=";  // empty is like none
    load_good(&set, &scene);
    assert_int_equal(set.tries, 2);
    settings_free(&set, &source);
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
    load_good(&set, &scene);
    assert_string_equal(set.brokers, "k:1,k:2");
    assert_string_equal(set.token, "secret");
    assert_null(set.note);
    assert_string_equal(set.sender, "");
    assert_int_equal(set.tries, 20);
    assert_int_equal(set.port, 8000);
    assert_int_equal(set.wait_us, 600000000);
    assert_true(set.dry);
    settings_free(&set, &source);
}

static void the_file_may_be_named_by_the_environment(void **state)
{
    char variable[96];
    struct scene scene = { .environment = { variable } };
    struct test_settings set;

    (void)state;
    write_text(config_path, "worker: { tries = 7; dry = 1; port = 8001; };");
    (void)snprintf(variable, sizeof(variable), "SMSQ_CONFIG=%s", config_path);
    load_good(&set, &scene);
    assert_int_equal(set.tries, 7);
    assert_int_equal(set.port, 8001);
    assert_true(set.dry);
    settings_free(&set, &source);
}

static void aliases_and_value_files_work(void **state)
{
    char variable[96], own_variable[96];
    struct test_settings set;

    (void)state;
    load_good(&set, &(struct scene){ .environment = { "TEST_AUTH_TOKEN=by alias" },
                                     .arguments = { "--worker.tries=1" } });
    assert_string_equal(set.token, "by alias");
    settings_free(&set, &source);

    load_good(&set, &(struct scene){ .environment = { "TEST_AUTH_TOKEN=by alias",
                                                      "SMSQ_TWILIO_AUTH_TOKEN=by name" },
                                     .arguments = { "--worker.tries=1" } });
    assert_string_equal(set.token, "by name");
    settings_free(&set, &source);

    write_text(value_path, "by file\n\n");
    (void)snprintf(variable, sizeof(variable), "TEST_AUTH_TOKEN_FILE=%s", value_path);
    (void)snprintf(own_variable, sizeof(own_variable), "SMSQ_KAFKA_BROKERS_FILE=%s",
                   value_path);
    load_good(&set, &(struct scene){ .environment = { variable, own_variable },
                                     .arguments = { "--worker.tries=1" } });
    assert_string_equal(set.token, "by file\n");
    assert_string_equal(set.brokers, "by file\n");
    settings_free(&set, &source);
}

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
        { { .environment = { "TEST_AUTH_TOKEN=a", "TEST_AUTH_TOKEN_FILE=/b" } },
          "TEST_AUTH_TOKEN and TEST_AUTH_TOKEN_FILE are both set: only one may be" },
        { { .environment = { "TEST_AUTH_TOKEN_FILE=/no/such/file" } },
          "cannot read the file that TEST_AUTH_TOKEN_FILE names: No such file or "
          "directory" },
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
            buf_add_text(&wanted, config_path);
        }
        buf_add_text(&wanted, hole ? hole + 2 : cases[i].complaint);
        assert_int_equal(load(&set, &cases[i].scene, &err), OUTCOME_REJECT);
        assert_string_equal(err.text, buf_text(&wanted));
        assert_ptr_equal(set.brokers, nothing.brokers);
        assert_ptr_equal(set.token, nothing.token);
        buf_free(&wanted);
    }
}

static void variables_of_other_programs_are_left_alone(void **state)
{
    const struct scene scene = {
        .environment = { "SMSQ_SIMULATOR_SENDRE=1", "SMSQ_API_PORTS=2",
                         "SMSQ_SOMETHING_ELSE=3", "SMSQ_WORKER_TRIES=4" },
    };
    struct test_settings set;

    (void)state;
    load_good(&set, &scene);
    assert_int_equal(set.tries, 4);
    settings_free(&set, &source);
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
        if (load(&set, &scenes[i], &err) != OUTCOME_REJECT || err.text[0] == '\0')
            fail_msg("case %zu was accepted", i);
        if (strstr(err.text, "hunter2"))
            fail_msg("%s", err.text);
    }
}

// Runs settings_load in a child, which it ends; returns what it printed.
static int output_of(const struct scene *scene, struct buf *out)
{
    int ends[2], status = -1;
    char part[4096];
    ssize_t got;

    assert_int_equal(pipe(ends), 0);
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct test_settings set;
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        (void)load(&set, scene, NULL);
        _exit(7);  // it came back
    }
    close(ends[1]);
    while ((got = read(ends[0], part, sizeof(part))) > 0)
        buf_add(out, part, (size_t)got);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void help_shows_every_row(void **state)
{
    const struct scene scene = { .arguments = { "--help" } };
    struct buf out = BUF_INIT(OUTPUT_MAX);

    (void)state;
    assert_int_equal(output_of(&scene, &out), 0);
    assert_non_null(strstr(buf_text(&out), "smsq-worker: works\n"));
    assert_non_null(strstr(buf_text(&out),
                           "\n  --worker.wait=DURATION\n      how long\n"
                           "      SMSQ_WORKER_WAIT; default 3s; a duration from 100ms to "
                           "10m\n"));
    assert_non_null(strstr(buf_text(&out),
                           "\n  --twilio.auth_token=SECRET\n      signs callbacks\n"
                           "      SMSQ_TWILIO_AUTH_TOKEN or TEST_AUTH_TOKEN; not set by "
                           "default; 0 to 32 bytes long\n"));
    assert_non_null(strstr(buf_text(&out), "SMSQ_WORKER_TRIES; required; a whole"));
    for (size_t t = 0; tables[t]; t++)
        for (const struct setting *row = tables[t]; row->name; row++)
            assert_non_null(strstr(buf_text(&out), row->name));
    buf_free(&out);
}

static void version_and_check_end_the_process(void **state)
{
    struct buf out = BUF_INIT(OUTPUT_MAX);

    (void)state;
    assert_int_equal(output_of(&(struct scene){ .arguments = { "--version" } }, &out), 0);
    assert_string_equal(buf_text(&out), "smsq-worker " SMSQ_VERSION "\n");
    buf_clear(&out);
    assert_int_equal(output_of(&(struct scene){ .arguments = { "--check-config",
                                                               "--worker.tries=1" } },
                               &out),
                     0);
    assert_string_equal(buf_text(&out), "ok\n");
    buf_clear(&out);
    // A wrong setting is told by settings_load, not by ending the process.
    assert_int_equal(
        output_of(&(struct scene){ .arguments = { "--check-config" } }, &out), 7);
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
    assert_int_equal(output_of(&scene, &out), 0);
    buf_addf(&wanted,
             "kafka.brokers = \"k\\\"1\"  # %s:1\n"
             "twilio.auth_token = ***  # TEST_AUTH_TOKEN\n"
             "twilio.note = (not set)\n"
             "simulator.sender = \"+1555\"  # default\n"
             "worker.tries = \"9\"  # --worker.tries\n"
             "worker.port = \"9102\"  # default\n"
             "worker.wait = \"3s\"  # default\n"
             "worker.dry = \"no\"  # default\n",
             config_path);
    assert_string_equal(buf_text(&out), buf_text(&wanted));
    buf_free(&out);
    buf_free(&wanted);
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
    assert_ptr_equal(settings_find(&source, "worker.port", 11), &own_table[1]);
    assert_ptr_equal(settings_find(&source, "worker.portx", 11), &own_table[1]);
    assert_null(settings_find(&source, "worker.port", 10));
    assert_null(settings_find(&source, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_what_is_not_given),
        cmocka_unit_test(a_flag_wins_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(all_kinds_are_read_from_a_file),
        cmocka_unit_test(the_file_may_be_named_by_the_environment),
        cmocka_unit_test(aliases_and_value_files_work),
        cmocka_unit_test(wrong_settings_are_refused_by_name_and_place),
        cmocka_unit_test(variables_of_other_programs_are_left_alone),
        cmocka_unit_test(a_secret_is_never_in_a_complaint),
        cmocka_unit_test(help_shows_every_row),
        cmocka_unit_test(version_and_check_end_the_process),
        cmocka_unit_test(print_config_shows_origins_and_hides_secrets),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(rows_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
