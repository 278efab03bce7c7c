// worker_internal.h: what worker.c and worker_parts.c share.
#ifndef WORKER_INTERNAL_H
#define WORKER_INTERNAL_H

#include "buf.h"
#include "job.h"
#include "worker.h"

struct breakers;
struct db;
struct dead_letters;
struct error_watch;
struct heartbeat;
struct intake;
struct kafka_in;
struct kafka_out;
struct keeper;
struct reactor_timer;
struct results;
struct sender;
struct twilio;

struct worker {
    struct service *service;
    struct keys keys;
    struct accounts accounts;
    struct buf callback_url;
    struct keeper *keeper;
    // So that a long batch of one does not hold the others up.
    struct db *claims, *urgent_claims, *writes, *beats;
    struct kafka_out *out;
    struct dead_letters *dead;
    struct kafka_in *lanes[LANE_COUNT];
    struct error_watch *codes;
    struct twilio *twilio;
    struct breakers *breakers;
    struct results *results;
    struct sender *sender;
    struct intake *intake;
    struct heartbeat *heartbeat;
    struct job_set held;
    size_t in_flight_max;
    int64_t stop_us;  // stop.deadline
    struct reactor_timer *last_call;
    struct metric *held_gauge, *unwritten_gauge;
};

// worker_open_parts opens all between service and lanes, and tells each what the others
// need of it. What is open after a failure is for worker_close.
MUST_CHECK enum outcome worker_open_parts(struct worker *w,
                                          const struct worker_settings *set,
                                          struct err *err);

// worker_posting counts requests to Twilio under way.
size_t worker_posting(const struct worker *w);

#endif
