#include "settings_scene.h"

#include "buf.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT(field) offsetof(struct test_settings, field)
static const struct setting shared_table[] = {
    { "kafka.brokers", SETTING_TEXT, AT(brokers), "127.0.0.1:9092", 1, 30, NULL,
      "where Kafka is" },
    { "kafka.properties", SETTING_PROPERTIES, AT(properties), NULL, 0, 4096, NULL,
      "anything else" },
    { "twilio.auth_token", SETTING_SECRET | SETTING_LIVE, AT(token), NULL, 0, 32,
      "TEST_AUTH_TOKEN", "signs callbacks" },
    { "twilio.note", SETTING_TEXT | SETTING_LIVE, AT(note), NULL, 0, 10, NULL,
      "anything" },
    { "simulator.sender", SETTING_TEXT, AT(sender), "+1555", 0, 16, NULL, "a number" },
    { 0 },
};
static const struct setting own_table[] = {
    { "worker.tries", SETTING_COUNT, AT(tries), NULL, 1, 20, NULL, "how often" },
    { "worker.port", SETTING_PORT, AT(port), "9102", 0, 0, NULL, "where to listen" },
    { "worker.wait", SETTING_US | SETTING_LIVE, AT(wait_us), "3s", 100000, 600000000,
      NULL, "how long" },
    { "worker.dry", SETTING_BOOL | SETTING_LIVE, AT(dry), "no", 0, 1, NULL,
      "do nothing" },
    { 0 },
};
#undef AT
static const struct setting *const tables[] = { shared_table, own_table, NULL };

static enum outcome check(const void *arg, struct err *err)
{
    const struct test_settings *set = arg;

    if (set->note && strcmp(set->note, "bad") == 0)
        return err_set(err, OUTCOME_REJECT, "twilio.note must be good");
    return OUTCOME_OK;
}

const struct settings_source scene_source = {
    .program = "smsq-worker",
    .what = "works",
    .tables = tables,
    .size = sizeof(struct test_settings),
    .check = check,
};

static char folder[] = "/tmp/smsq-settings-XXXXXX";
static char config_path[64];
static char value_path[64];

void scene_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

int scene_setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(config_path, sizeof(config_path), "%s/a.cfg", folder);
    (void)snprintf(value_path, sizeof(value_path), "%s/value", folder);
    return 0;
}

int scene_teardown(void **state)
{
    (void)state;
    (void)unlink(config_path);
    (void)unlink(value_path);
    return rmdir(folder);
}

const char *scene_config_path(void)
{
    return config_path;
}

const char *scene_value_path(void)
{
    return value_path;
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

enum outcome scene_load(struct test_settings *set, const struct scene *scene,
                        struct err *err)
{
    char *argv[ARGS_MAX + 2] = { "smsq-worker" };
    char config[96];
    int argc = 1;

    memset(set, 0, sizeof(*set));
    if (scene->file) {
        scene_write(config_path, scene->file);
        (void)snprintf(config, sizeof(config), "--config=%s", config_path);
        argv[argc++] = config;
    }
    for (size_t i = 0; i < ARGS_MAX && scene->arguments[i]; i++)
        argv[argc++] = (char *)(uintptr_t)scene->arguments[i];
    set_variables(scene);
    enum outcome rc = settings_load(set, &scene_source, argc, argv, err);
    unset_variables(scene);
    return rc;
}

void scene_load_good(struct test_settings *set, const struct scene *scene)
{
    struct err err = { 0 };

    if (scene_load(set, scene, &err))
        fail_msg("%s", err.text);
}

int scene_output(const struct scene *scene, struct buf *out)
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
        (void)scene_load(&set, scene, NULL);
        (void)fflush(stdout);
        _exit(7);  // it came back
    }
    close(ends[1]);
    while ((got = read(ends[0], part, sizeof(part))) > 0)
        buf_add(out, part, (size_t)got);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
