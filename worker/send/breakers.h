// breakers.h: what may be posted now: the breakers of both accounts and of senders that
// were stopped, and emergency-only. Workers share them through table switches; each reads
// it every second and reacts to its own answers at once.
#ifndef BREAKERS_H
#define BREAKERS_H

#include "account.h"
#include "base.h"
#include "job.h"

struct breakers;
struct db;
struct metrics;
struct reactor;
struct twilio_answer;

struct breakers_settings {
    enum account_mode mode;      // of the installation: whose account stops the reading
    struct db *db;               // borrowed
    void (*changed)(void *arg);  // more, or less, may be posted than before
    // The table cannot be read: this worker cannot go on.
    void (*fail)(void *arg, const char *reason);
    void *arg;
};

struct breakers *breakers_new(struct reactor *r, const struct breakers_settings *set,
                              struct metrics *metrics);
void breakers_free(struct breakers *b);

// breakers_reading says what may be read of a lane: nothing before the table was read
// once, while the account of this installation is stopped, and of other lanes than urgent
// while emergency-only is on. One: the account is probed, and one job is wanted.
enum breakers_reading { READING_NOTHING, READING_ONE, READING_ALL };
enum breakers_reading breakers_reading(const struct breakers *b, enum lane lane);

// breakers_are_stopped: the account of this installation takes nothing, or one probe.
bool breakers_are_stopped(const struct breakers *b);

// breakers_admit decides about a job that could be posted now. False: it is to be given
// back with *held as what its POST came to. True: post it; job->probes says if it is a
// probe, and breakers_withdraw takes that back when it is not posted after all.
bool breakers_admit(struct breakers *b, struct job *job, struct twilio_answer *held);
void breakers_withdraw(struct breakers *b, struct job *job);

// breakers_let_go is for the last gate: false when the job was overtaken by a stop.
bool breakers_let_go(const struct breakers *b, const struct job *job);

// breakers_hear takes every answer. It sets retry_after_us of those whose job waits for
// the account or the sender, and not for Twilio's own term.
void breakers_hear(struct breakers *b, struct job *job, struct twilio_answer *answer);

// breakers_complaint says why this installation's account is stopped, or NULL.
const char *breakers_complaint(const struct breakers *b);

#endif
