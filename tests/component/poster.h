// poster.h: worker/send/twilio.c on a loop of its own with one job, and a socket where
// the test plays Twilio.
#ifndef POSTER_H
#define POSTER_H

#include "account.h"
#include "job.h"
#include "keys.h"
#include "loop_thread.h"
#include "raw_http.h"
#include "twilio.h"

#define POSTER_ACCOUNT "AC0123456789abcdef0123456789abcdef"
#define POSTER_SID     "SM0123456789abcdef0123456789abcdef"

enum { POSTER_REASON_BYTES = 512 };

struct poster {
    struct loop_thread loop;
    struct twilio *twilio;
    struct metrics *metrics;
    struct error_codes *codes;  // one of each action
    struct keys keys;
    struct accounts accounts;    // both are at this port
    struct twilio_settings set;  // to be changed before poster_start
    int listen_fd, port;         // where the test listens
    char base_url[64];
    struct job job;  // young, useful for a day; to be changed before poster_submit
    bool taken;      // what the latest twilio_submit returned
    sem_t done;
    int done_calls;
    struct twilio_answer seen;  // a copy; its reason is in reason
    char reason[POSTER_REASON_BYTES];
};

// poster_setup and poster_teardown are for cmocka; poster_start opens with poster->set.
int poster_setup(void **state);
int poster_teardown(void **state);
void poster_start(struct poster *p);
void poster_close(struct poster *p);  // ends what is in flight

void poster_submit(struct poster *p);
void poster_wait(struct poster *p);  // until done has run once more

// poster_take accepts the connection; poster_is_dialled says whether one waits.
int poster_take(struct poster *p);
bool poster_is_dialled(const struct poster *p);

// poster_exchange submits, reads the request, answers as told and waits for done.
void poster_exchange(struct poster *p, const char *answer, size_t len);

#endif
