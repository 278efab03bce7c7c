// idempotency.h: decides for requests with an Idempotency-Key who may publish: all that
// came in one turn of the loop ask PostgreSQL in one batch, one batch at a time. A
// request that may publish holds a claim; when its producer dies, the claim lapses after
// IDEMPOTENCY_LEASE_US and a repeat publishes again, with the same message id. Should the
// first record be in Kafka all the same, the worker's claim takes one of the two.
// Belongs to the reactor's thread.
#ifndef IDEMPOTENCY_H
#define IDEMPOTENCY_H

#include "base.h"
#include "store_keys.h"

#include <sys/queue.h>

struct db;
struct idempotency;
struct metrics;
struct reactor;

enum {
    IDEMPOTENCY_LEASE_US = 10000000,  // more than Kafka is given to confirm a record
    IDEMPOTENCY_ASKERS_MAX = 20000,   // requests in hand; beyond it there is no room
};

enum key_verdict {
    KEY_NEW,        // publish; the id is the claim's
    KEY_REPUBLISH,  // publish with this id: nobody knows whether it was
    KEY_REPLAYED,   // Kafka has it, under this id
    KEY_IN_FLIGHT,  // another request holds the claim
    KEY_MISMATCH,   // the key stands for another request
    KEY_FAILED,     // PostgreSQL refused to say
    KEY_DROPPED,    // idempotency_free; the last one, and not counted
};

// message_id is valid during the call; NULL unless the verdict has one.
typedef void idempotency_done(void *arg, enum key_verdict verdict,
                              const unsigned char *message_id);

// A request that asks. The caller fills claim, done and arg, and keeps it until done.
struct key_asker {
    TAILQ_ENTRY(key_asker) next;
    struct key_claim claim;
    idempotency_done *done;
    void *arg;
};

// idempotency_new borrows db. idempotency_free ends all that wait, with KEY_DROPPED.
struct idempotency *idempotency_new(struct reactor *r, struct db *db,
                                    struct metrics *metrics);
void idempotency_free(struct idempotency *i);

// idempotency_ask runs done exactly once, later. Who is told KEY_NEW or KEY_REPUBLISH
// must call idempotency_end. Returns false, and never calls done, when there is no room.
MUST_CHECK bool idempotency_ask(struct idempotency *i, struct key_asker *one);

// idempotency_end writes down, with others of the turn, that Kafka confirmed the message,
// or gives the claim back, so that the next repeat may try. Copies claim.
void idempotency_end(struct idempotency *i, const struct key_claim *claim,
                     bool published);

// idempotency_is_idle: nothing waits for PostgreSQL.
bool idempotency_is_idle(const struct idempotency *i);

#endif
