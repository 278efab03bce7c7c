// race.h: a life of one message as a list of steps against the real stores: who writes
// what, in which order, what each is answered, and what the tables hold in the end.
#ifndef RACE_H
#define RACE_H

#include "db_calls.h"
#include "retry_policy.h"

// What the settings say by default.
extern const struct retry_settings race_retry;

enum verb {
    DO_END,
    DO_CLAIM,
    DO_RENEW,
    DO_RESULT,
    DO_CALLBACK,
    DO_REDELIVERED,  // the same Kafka record as the callback before
    DO_STRAY,        // a callback without id and turn
    DO_JOIN,
    DO_RELEASE,
    DO_MOVED,
    DO_CANCEL,
    DO_RESCHEDULE,
    DO_SQL,
};

// want: the rows of the answer about this message, as "turn word", with commas between;
// "" = none, NULL = of no interest. word and sid as each verb needs; epoch 0 means 1.
struct step {
    enum verb verb;
    int32_t turn;
    const char *word, *sid, *want;
    int32_t code;
    int64_t epoch;
};

#define CLAIM(t, w)                .verb = DO_CLAIM, .turn = (t), .want = (w)
#define CLAIM_AS(t, how, w)        .verb = DO_CLAIM, .turn = (t), .word = (how), .want = (w)
#define CLAIM_BY(e, t, w)          .verb = DO_CLAIM, .epoch = (e), .turn = (t), .want = (w)
#define RENEW_BY(e, t, w)          .verb = DO_RENEW, .epoch = (e), .turn = (t), .want = (w)
#define RESULT(t, what, s, w)      WORDS(DO_RESULT, t, what, s, w)
#define CALLBACK(t, what, s, w)    WORDS(DO_CALLBACK, t, what, s, w)
#define REDELIVERED(t, what, s, w) WORDS(DO_REDELIVERED, t, what, s, w)
#define FAILED_WITH(t, c, s, w)    WORDS(DO_CALLBACK, t, "failed", s, w), .code = (c)
#define STRAY(what, s)             WORDS(DO_STRAY, 0, what, s, "")
#define JOIN(w)                    .verb = DO_JOIN, .want = (w)
#define RELEASE_BY(e, w)           .verb = DO_RELEASE, .epoch = (e), .want = (w)
#define RELEASE_HOLDING(t, w)      .verb = DO_RELEASE, .turn = (t), .want = (w)
#define CANCEL(w)                  .verb = DO_CANCEL, .want = (w)
#define RESCHEDULE(hours, w)       .verb = DO_RESCHEDULE, .code = (hours), .want = (w)
#define MOVED(t)                   .verb = DO_MOVED, .turn = (t)
#define SQL(name)                  .verb = DO_SQL, .word = (name)
#define WORDS(v, t, what, s, w)                                                          \
    .verb = (v), .turn = (t), .word = (what), .sid = (s), .want = (w)

// Other hands in the tables: $id stands for the message.
#define BECAME_DUE                                                                       \
    "update messages set send_at = now() - interval '1 s'"                               \
    " where message_id = $id and send_at is not null"
#define RESCUED                                                                          \
    "update messages set status = 'in_doubt', rank = 20, reason = 'worker_died'"         \
    " where message_id = $id and status = 'claimed'"
#define GIVEN_UP                                                                         \
    "update messages set status = 'unknown', rank = 25, claimed_epoch = null"            \
    " where message_id = $id and status = 'in_doubt'"
#define FORGOTTEN                                                                        \
    "with a as (delete from attempts where message_id = $id)"                            \
    " delete from messages where message_id = $id"

enum { RACE_MAX_STEPS = 12 };

// What the tables hold in the end. NULL lists are empty ones.
struct race_end {
    const char *message;   // "status turn N tries N shown N|- error N|- sid letter|-"
    const char *attempts;  // "turn status|- sid|- outcome|-", with commas between
    const char *ledger;    // "sid micros …" of each entry, with commas between
    const char *delayed;   // "turn kind", with commas between
    const char *receipts;  // "kept unmatched" as two numbers; NULL = "0 0"
};

struct race_case {
    const char *what;  // the name of the test
    struct step steps[RACE_MAX_STEPS];
    struct race_end end;
};

// One message of one life.
struct race {
    struct db_fixture *fixture;
    unsigned char message_id[16];
    int32_t number;   // of the message in this test program
    int64_t born_us;  // wall clock; all other times follow from it
    int64_t offset;   // of the latest callback in Kafka
};

// race_begin gives the message its id; its rows come by the steps.
void race_begin(struct race *r, struct db_fixture *fixture);

// race_step does one step and compares its answer.
void race_step(struct race *r, const struct step *step);

// race_check_end compares the tables and what always holds: rank and status belong
// together, claimed_epoch is set exactly while claimed or in doubt, what is held stands
// in a batch, each known SID has exactly one estimate.
void race_check_end(struct race *r, const struct race_end *end);

// race_rows is all that the tables say about the message but its names and the moments
// of writing: equal for equal lives. The caller frees it.
char *race_rows(struct race *r);

// race_run_cases runs each case as a test of its own, all on one server; returns how many
// failed, for main.
int race_run_cases(const struct race_case *cases, size_t count);

#endif
