// settings_scene.h: a program's settings made up for tests, and what one loading of them
// is given: a file, variables, arguments.
#ifndef SETTINGS_SCENE_H
#define SETTINGS_SCENE_H

#include "settings.h"

struct buf;

enum { ARGS_MAX = 8, OUTPUT_MAX = 65536 };

struct test_settings {
    char *brokers;
    char *properties;
    char *token;
    char *note;
    char *sender;
    int64_t tries;
    int64_t port;
    int64_t wait_us;
    bool dry;
};

// Rows of many kinds; worker.tries is required, worker.wait, worker.dry, twilio.note and
// twilio.auth_token are live. The check refuses the note "bad".
extern const struct settings_source scene_source;

// Arguments and variables are ended by NULL.
struct scene {
    const char *file;                 // text of the settings file, or NULL
    const char *environment[6];       // "NAME=value"
    const char *arguments[ARGS_MAX];  // behind --config=
};

// scene_setup and scene_teardown make and remove the folder of scene_config_path and of
// scene_value_path.
int scene_setup(void **state);
int scene_teardown(void **state);
const char *scene_config_path(void);
const char *scene_value_path(void);
void scene_write(const char *path, const char *text);

// scene_load loads with exactly what scene says. scene_load_good fails the test when it
// is refused.
enum outcome scene_load(struct test_settings *set, const struct scene *scene,
                        struct err *err);
void scene_load_good(struct test_settings *set, const struct scene *scene);

// scene_output runs scene_load in a child, which settings_load ends; it appends what was
// printed and returns the exit code, 7 when settings_load came back.
int scene_output(const struct scene *scene, struct buf *out);

#endif
