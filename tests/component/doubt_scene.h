// doubt_scene.h: for tests of messages in doubt: a reconciler with short times, a Twilio
// whose list the test fills, and messages whose answers were lost.
#ifndef DOUBT_SCENE_H
#define DOUBT_SCENE_H

#include "buf.h"
#include "doubts.h"
#include "keys.h"
#include "store_ask.h"

#define SID      "SM0123456789abcdef0123456789abcde"  // and one digit
#define DOUBT_TO "+14155550100"

// SQL for ask_until and ask_is.
#define DECIDED(kind) "select count(*) from decisions where kind = '" kind "'"
#define IS(status)    "select count(*) from messages where status = '" status "'"

enum { MS = 1000, SECOND_US = 1000000 };

struct doubt_scene {
    struct db_fixture db;
    struct keys keys;
    struct list_site *site;
    struct provider *provider;
    struct doubts *doubts;
    struct doubt_settings policy;
    int64_t interval_us, rate;
    uint32_t number;
    struct buf sealed;
};

// The group's server has the migrations; each test gets a struct doubt_scene, whose
// policy it may change before doubt_scene_start.
int doubt_group_start(void **state);
int doubt_scene_open(void **state);
int doubt_scene_close(void **state);

#define DOUBT_TEST(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, doubt_scene_open, doubt_scene_close)

// doubt_scene_start begins to reconcile; doubt_pass lets it work so long.
void doubt_scene_start(struct doubt_scene *s);
void doubt_pass(struct doubt_scene *s, int64_t us);

// doubt_lose makes a message, claims it and loses the answer to its POST, as the worker
// does; on_doubt may be NULL. doubt_claim_again claims a later turn of it.
void doubt_lose(struct doubt_scene *s, struct sms_job *job, const char *class,
                const char *body, const char *on_doubt);
void doubt_claim_again(struct doubt_scene *s, struct sms_job *job, int32_t turn);

// doubt_show puts a message of now into Twilio's list; doubt_call_back lets Twilio
// report.
void doubt_show(struct doubt_scene *s, const char *sid, const char *body,
                const char *status);
void doubt_call_back(struct doubt_scene *s, const struct sms_job *job, int32_t turn,
                     const char *sid, const char *word);

#endif
