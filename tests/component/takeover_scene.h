// takeover_scene.h: a worker that was killed, with the journal that it left and its
// claims in PostgreSQL, and another that takes it over.
#ifndef TAKEOVER_SCENE_H
#define TAKEOVER_SCENE_H

#include "crash_notes.h"
#include "db.h"
#include "dead_journal.h"
#include "scratch.h"
#include "store_ask.h"
#include "takeover.h"

#define TAKEOVER_SID "SM00112233445566778899aabbccddeeff"

enum { TAKEOVER_EPOCH = 1 };  // ask_claim's

struct takeover_scene {
    struct db_fixture *f;
    char dir[SCRATCH_BYTES];
    struct dead_journal dead, mine;
    struct crash_notes *crashes;
    struct takeover *takeover;
    bool is_ready;
    struct err failure;
    char *database;
};

// For cmocka, after ask_group_start: a living worker of epoch 1 without claims.
int takeover_scene_start(void **state);
int takeover_scene_stop(void **state);

// takeover_scene_die makes five claims (begun, accepted, kept back, and two that were
// never posted) and kills the worker.
void takeover_scene_die(struct takeover_scene *s);

// takeover_scene_begin starts another worker's takeover; takeover_scene_resolve also
// waits until nothing is pending.
void takeover_scene_begin(struct takeover_scene *s);
void takeover_scene_resolve(struct takeover_scene *s);
bool takeover_scene_is_resolved(void *arg);

// takeover_scene_end kills the other worker; takeover_scene_open_db connects the next.
void takeover_scene_end(struct takeover_scene *s);
void takeover_scene_open_db(struct takeover_scene *s);

// takeover_scene_count: the query gives that number; takeover_scene_files counts files of
// the state folder.
void takeover_scene_count(struct takeover_scene *s, int64_t wanted, const char *sql);
size_t takeover_scene_files(const struct takeover_scene *s, const char *prefix);

#endif
