// sender.h: step 4 of the send protocol: won jobs wait here, urgent before normal before
// bulk, until a slot is free, and are posted once. A claim that waited too long to begin
// is renewed first. What the breakers hold goes back to wait.
#ifndef SENDER_H
#define SENDER_H

#include "base.h"

struct breakers;
struct db;
struct job;
struct job_set;
struct metrics;
struct results;
struct sender;
struct twilio;

struct sender_settings {
    struct db *db;  // borrowed, as all here
    struct twilio *twilio;
    struct results *results;
    struct breakers *breakers;
    struct job_set *held;
    int64_t renew_us;            // a claim sent longer ago than this is renewed: 2 s
    size_t unwritten_max;        // no new POST while so many results are not committed
    void (*on_room)(void *arg);  // runs when a job left the sender
    // Claims of this epoch, which is over, were forgotten: give them back.
    void (*release)(void *arg, int64_t epoch);
    // A renewal was refused: this worker cannot go on.
    void (*fail)(void *arg, const char *reason);
    void *arg;
};

struct sender *sender_new(const struct sender_settings *set, struct metrics *metrics);
void sender_free(struct sender *s);

// sender_set_epoch: only what is claimed under this epoch is posted from now on. What
// waits here under another is forgotten; the caller gives it back.
void sender_set_epoch(struct sender *s, int64_t epoch);

// sender_take queues a won job and posts what can be posted now; a job of an epoch that
// is over is forgotten as well.
void sender_take(struct sender *s, struct job *job);

// sender_pump posts what can be posted; call it when a slot or the results have room.
void sender_pump(struct sender *s);

// sender_waiting counts jobs that are won and not posted yet.
size_t sender_waiting(const struct sender *s);

#endif
