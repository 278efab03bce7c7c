#include "idempotency.h"

#include "db.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 1000 };

TAILQ_HEAD(askers, key_asker);

struct idempotency {
    struct db *db;
    struct reactor_timer *flush;
    struct askers waiting;
    size_t waiting_count, asked_count;
    struct key_asker *asked[BATCH_MAX];  // the batch in PostgreSQL's hands
    struct key_end *ends;                // not submitted yet
    size_t end_count, end_room, ends_in_flight;
    struct metric *verdicts[KEY_DROPPED];
};

static void flush(void *arg);

struct idempotency *idempotency_new(struct reactor *r, struct db *db,
                                    struct metrics *metrics)
{
    static const char *const labels[KEY_DROPPED] = {
        [KEY_NEW] = "result=\"new\"",
        [KEY_REPUBLISH] = "result=\"republished\"",
        [KEY_REPLAYED] = "result=\"replayed\"",
        [KEY_IN_FLIGHT] = "result=\"in_flight\"",
        [KEY_MISMATCH] = "result=\"mismatch\"",
        [KEY_FAILED] = "result=\"failed\"",
    };
    struct idempotency *i = xcalloc(1, sizeof(*i));

    i->db = db;
    i->flush = reactor_timer_new(r, flush, i);
    TAILQ_INIT(&i->waiting);
    for (size_t v = 0; v < KEY_DROPPED; v++)
        i->verdicts[v] = metrics_counter(metrics, "smsq_idempotency_keys_total",
                                         labels[v], "Requests with a key, by result.");
    return i;
}

static void tell(struct idempotency *i, struct key_asker *one, enum key_verdict verdict,
                 const unsigned char *message_id)
{
    metric_add(i->verdicts[verdict], 1);
    one->done(one->arg, verdict, message_id);
}

void idempotency_free(struct idempotency *i)
{
    if (!i)
        return;
    for (size_t n = 0; n < i->asked_count; n++)
        i->asked[n]->done(i->asked[n]->arg, KEY_DROPPED, NULL);
    for (struct key_asker *one; (one = TAILQ_FIRST(&i->waiting));) {
        TAILQ_REMOVE(&i->waiting, one, next);
        one->done(one->arg, KEY_DROPPED, NULL);
    }
    reactor_timer_free(i->flush);
    free(i->ends);
    free(i);
}

static enum key_verdict judge(const struct key_asker *one, const struct key_row *row)
{
    if (!row->same_request)
        return KEY_MISMATCH;
    if (row->published)
        return KEY_REPLAYED;
    if (!row->claimed)
        return KEY_IN_FLIGHT;
    return memcmp(row->message_id, one->claim.claim, sizeof(row->message_id)) == 0
               ? KEY_NEW
               : KEY_REPUBLISH;
}

// Who asked gets an answer once, even if a row is missing that should be there.
static void on_claimed(void *arg, const struct db_answer *answer)
{
    struct idempotency *i = arg;
    struct key_row row;

    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "keys_not_claimed", LOG_T("reason", answer->reason));
    for (size_t n = 0; n < db_rows(answer->rows); n++) {
        store_keys_read(&row, answer->rows, n);
        struct key_asker *one = i->asked[row.place];
        i->asked[row.place] = NULL;
        if (one)
            tell(i, one, judge(one, &row), row.message_id);
    }
    for (size_t n = 0; n < i->asked_count; n++)
        if (i->asked[n])
            tell(i, i->asked[n], KEY_FAILED, NULL);
    i->asked_count = 0;
    flush(i);
}

static void claim(struct idempotency *i)
{
    const struct key_claim *claims[BATCH_MAX];
    struct key_asker *one;

    while (i->asked_count < BATCH_MAX && (one = TAILQ_FIRST(&i->waiting))) {
        TAILQ_REMOVE(&i->waiting, one, next);
        i->waiting_count--;
        claims[i->asked_count] = &one->claim;
        i->asked[i->asked_count++] = one;
    }
    store_keys_claim(i->db, claims, i->asked_count, IDEMPOTENCY_LEASE_US, on_claimed, i);
}

static void on_ended(void *arg, const struct db_answer *answer)
{
    struct idempotency *i = arg;

    i->ends_in_flight--;
    if (answer->rc)  // the claims lapse, and repeats publish again under the same ids
        log_line(LOG_LEVEL_ERROR, "keys_not_ended", LOG_T("reason", answer->reason));
}

// Ends go first: a repeat in the same turn finds them.
static void flush(void *arg)
{
    struct idempotency *i = arg;

    if (i->end_count > 0) {
        i->ends_in_flight++;
        store_keys_end(i->db, i->ends, i->end_count, on_ended, i);
        i->end_count = 0;
    }
    if (i->asked_count == 0 && i->waiting_count > 0)
        claim(i);
}

bool idempotency_ask(struct idempotency *i, struct key_asker *one)
{
    if (i->waiting_count == IDEMPOTENCY_ASKERS_MAX)
        return false;
    TAILQ_INSERT_TAIL(&i->waiting, one, next);
    i->waiting_count++;
    reactor_timer_set(i->flush, 0);
    return true;
}

void idempotency_end(struct idempotency *i, const struct key_claim *claim_held,
                     bool published)
{
    if (i->end_count == i->end_room) {
        i->end_room = i->end_room ? 2 * i->end_room : 64;
        i->ends = xrealloc(i->ends, i->end_room * sizeof(*i->ends));
    }
    i->ends[i->end_count++] = (struct key_end){ *claim_held, published };
    reactor_timer_set(i->flush, 0);
}

bool idempotency_is_idle(const struct idempotency *i)
{
    return i->asked_count == 0 && i->waiting_count == 0 && i->end_count == 0 &&
           i->ends_in_flight == 0;
}
