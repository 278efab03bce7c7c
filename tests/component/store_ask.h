// store_ask.h: for tests of stores: asks once and checks the rows while they stand.
#ifndef STORE_ASK_H
#define STORE_ASK_H

#include "db_calls.h"
#include "wire.h"

// One request. check may be NULL.
struct ask {
    void (*check)(const struct db_result *rows, void *arg);
    void *arg;
    bool came;
};

// ask_done is the db_done whose arg is a struct ask; a REJECT fails the test.
void ask_done(void *arg, const struct db_answer *answer);
void ask_wait(struct db_fixture *f, struct ask *ask);

// ask_no_rows is a check: there are none.
void ask_no_rows(const struct db_result *rows, void *arg);

// ask_until turns the loop until the SQL's value is not 0; it fails the test after a
// minute. ask_is fails it at once unless the value is the wanted one.
void ask_until(struct db_fixture *f, const char *sql);
void ask_is(struct db_fixture *f, const char *sql, int64_t wanted);

// The group's server has the migrations; each test begins with empty tables and gets a
// struct db_fixture. db_group_stop ends the group.
int ask_group_start(void **state);
int ask_test_start(void **state);
int ask_test_stop(void **state);

#define STORE_TEST(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, ask_test_start, ask_test_stop)

// ask_claim makes a job with every field set, from the number a new id, and claims it;
// send_in_us 0 = to be sent now.
void ask_claim(struct db_fixture *f, struct sms_job *job, uint32_t number,
               int64_t send_in_us);

// ask_receipt stores a callback as the status consumer does; id may be NULL: by its SID.
void ask_receipt(struct db_fixture *f, const unsigned char *id, int32_t turn,
                 const char *sid, const char *word, bool simulated);

#endif
