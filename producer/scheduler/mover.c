#include "mover.h"

#include "buf.h"
#include "db.h"
#include "fail_point.h"
#include "kafka_out.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_delayed.h"
#include "trace.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

enum { LABELS_BYTES = 48, SWEEP_US = 1000000 };

// A published row, until Kafka reports.
struct published {
    struct batch *batch;
    struct turn_key key;
    char traceparent[TRACE_PARENT_BYTES];  // "" = not traced
};

// A page on its way. Free while it has no mover.
struct batch {
    struct mover *mover;
    bool is_alone;     // one suspect, and nothing else of this mover is in flight
    size_t awaited;    // records that Kafka has not reported yet
    size_t published;  // used elements of rows
    size_t done;       // turns that may be deleted
    size_t unmovable;  // turns that can never be published
    struct published rows[MOVER_BATCH_MAX];
    struct turn_key keys[MOVER_BATCH_MAX];     // the deletable ones
    struct turn_key refused[MOVER_BATCH_MAX];  // the unmovable ones
    struct err why;                            // of the latest of them
};

struct mover {
    struct mover_settings set;
    struct lease *lease;
    struct reactor_timer *poll;
    struct buf record;
    bool stopping;
    bool reading;     // a page is being read
    bool swept;       // the sweep reads no further page
    bool more;        // … though there may be more
    bool is_refused;  // by Kafka, whatever the record: no further page, and a rest
    int64_t sweep_end_us;
    struct due_place place;  // the last row that this sweep read
    size_t in_use;           // of the batches
    struct batch batches[MOVER_BATCHES];
    size_t suspect_count;
    struct turn_key suspects[MOVER_SUSPECTS_MAX];
    struct metric *moved, *stale, *unmovable;
};

static void look(void *arg);
static void read_on(struct mover *m);

static void on_lease(void *arg)
{
    struct mover *m = arg;

    if (!m->stopping && !m->reading && m->in_use == 0)
        reactor_timer_set(m->poll, 0);
}

struct mover *mover_new(const struct mover_settings *set, struct metrics *metrics)
{
    struct mover *m = xcalloc(1, sizeof(*m));
    char labels[LABELS_BYTES];
    const struct lease_settings lease = {
        .name = set->lease,
        .program = "smsq-scheduler",
        .term_us = set->lease_us,
        .db = set->db,
        .taken = on_lease,
        .arg = m,
    };

    m->set = *set;
    m->swept = true;
    m->poll = reactor_timer_new(set->reactor, look, m);
    buf_init(&m->record, WIRE_RECORD_MAX_BYTES);
    (void)snprintf(labels, sizeof(labels), "lane=\"%s\"", set->lane);
    m->moved = metrics_counter(metrics, "smsq_delayed_moved_total", labels,
                               "Due rows published to their lane.");
    m->stale = metrics_counter(metrics, "smsq_delayed_stale_total", labels,
                               "Due rows dropped: their message no longer waits.");
    m->unmovable = metrics_counter(metrics, "smsq_delayed_unmovable_total", labels,
                                   "Messages that failed because their job can never "
                                   "be published.");
    m->lease = lease_new(set->reactor, &lease, metrics);
    return m;
}

void mover_set_poll(struct mover *m, int64_t poll_us)
{
    m->set.poll_us = poll_us;
}

void mover_free(struct mover *m)
{
    if (!m)
        return;
    lease_free(m->lease);
    reactor_timer_free(m->poll);
    buf_free(&m->record);
    free(m);
}

static bool is_at_rest(const struct mover *m)
{
    return !m->reading && m->in_use == 0;
}

void mover_stop(struct mover *m)
{
    m->stopping = true;
    reactor_timer_stop(m->poll);
    if (is_at_rest(m))
        lease_give_up(m->lease);
}

bool mover_is_idle(const struct mover *m)
{
    return is_at_rest(m) && (lease_is_idle(m->lease) || !db_is_up(m->set.db));
}

static void complain(const struct mover *m, const char *reason)
{
    log_line(LOG_LEVEL_ERROR, "mover_failed", LOG_T("lane", m->set.lane),
             LOG_T("reason", reason));
}

static struct batch *batch_take(struct mover *m)
{
    for (size_t i = 0; i < MOVER_BATCHES; i++) {
        struct batch *b = &m->batches[i];
        if (b->mover)
            continue;
        b->mover = m;
        b->is_alone = false;
        b->awaited = b->published = b->done = b->unmovable = 0;
        m->in_use++;
        return b;
    }
    return NULL;
}

static void batch_give(struct batch *b)
{
    struct mover *m = b->mover;

    b->mover = NULL;
    m->in_use--;
    read_on(m);
}

static void on_deleted(void *arg, const struct db_answer *answer)
{
    struct batch *b = arg;

    fail_point("mover_after_delete", b->done);
    if (answer->rc)
        complain(b->mover, answer->reason);
    batch_give(b);
}

static void delete_done(struct batch *b)
{
    if (b->done > 0)
        store_moved(b->mover->set.db, b->keys, b->done, on_deleted, b);
    else
        batch_give(b);
}

static void on_ended(void *arg, const struct db_answer *answer)
{
    struct batch *b = arg;

    if (answer->rc)
        complain(b->mover, answer->reason);
    else
        metric_add(b->mover->unmovable, db_rows(answer->rows));
    delete_done(b);
}

static void batch_finish(struct batch *b)
{
    if (b->awaited > 0)
        return;
    if (b->unmovable > 0)
        store_unmovable(b->mover->set.db, b->refused, b->unmovable, b->why.text, on_ended,
                        b);
    else
        delete_done(b);
}

// Ends the message: its job can never be published.
static void refuse(struct batch *b, const struct turn_key *key, const char *reason)
{
    log_line(LOG_LEVEL_ERROR, "job_unmovable", LOG_U("message_id", key->message_id),
             LOG_I("turn", key->turn), LOG_T("reason", reason));
    b->refused[b->unmovable++] = *key;
    err_set(&b->why, OUTCOME_REJECT, "%s", reason);
}

// Kafka did not take it: it stays, and the next sweep finds it. A refusal for what is in
// the record is believed when the record was alone; others went with it in one batch.
static void keep(struct batch *b, const struct published *p, enum outcome rc,
                 const char *reason)
{
    struct mover *m = b->mover;
    const char *trace = p->traceparent[0] ? trace_id_of(p->traceparent) : NULL;
    bool is_blamed = rc == OUTCOME_REJECT && kafka_out_blames_record(m->set.out);

    if (is_blamed && b->is_alone) {
        refuse(b, &p->key, reason);
        return;
    }
    if (!is_blamed)
        m->is_refused = true;
    else if (m->suspect_count < MOVER_SUSPECTS_MAX)
        m->suspects[m->suspect_count++] = p->key;
    log_line(LOG_LEVEL_WARN, "job_not_moved", LOG_U("message_id", p->key.message_id),
             LOG_C(trace), LOG_I("turn", p->key.turn), LOG_T("reason", reason));
}

static void on_report(void *arg, enum outcome rc, const char *reason)
{
    struct published *p = arg;
    struct batch *b = p->batch;

    fail_point("mover_after_ack", b->awaited + b->done);
    b->awaited--;
    if (rc) {
        keep(b, p, rc, reason);
    } else {
        const char *trace = p->traceparent[0] ? trace_id_of(p->traceparent) : NULL;
        b->keys[b->done++] = p->key;
        metric_add(b->mover->moved, 1);
        log_line(LOG_LEVEL_INFO, "job_moved", LOG_U("message_id", p->key.message_id),
                 LOG_C(trace), LOG_I("turn", p->key.turn),
                 LOG_T("lane", b->mover->set.lane));
    }
    batch_finish(b);
}

static void publish(struct batch *b, const struct due_row *row)
{
    struct mover *m = b->mover;
    struct published *p = &b->rows[b->published];
    struct err err = { 0 };

    fail_point("mover_before_publish", b->awaited + 1);
    p->batch = b;
    p->key = row->place.key;
    p->traceparent[0] = '\0';
    if (row->job.traceparent && trace_is_valid(row->job.traceparent))
        (void)snprintf(p->traceparent, sizeof(p->traceparent), "%s",
                       row->job.traceparent);
    buf_clear(&m->record);
    wire_encode(&row->job, sms_job_fields, &m->record);
    if (m->record.failed) {
        refuse(b, &p->key, "the record is too large");
        return;
    }
    const struct kafka_out_record rec = {
        .topic = m->set.topic,
        .key = row->job.to_hash.bytes,
        .key_len = row->job.to_hash.len,
        .value = m->record.bytes,
        .value_len = m->record.len,
    };
    enum outcome rc = kafka_out_submit(m->set.out, &rec, on_report, p, &err);
    if (rc) {
        keep(b, p, rc, err.text);
        return;
    }
    b->published++;
    b->awaited++;
}

static void take_row(struct batch *b, const struct due_row *row)
{
    struct err err = { 0 };

    if (!row->live) {
        b->keys[b->done++] = row->place.key;
        metric_add(b->mover->stale, 1);
        return;
    }
    const char *flaw = wire_flaw(&row->job, sms_job_fields);
    if (!flaw) {
        publish(b, row);
        return;
    }
    err_set(&err, OUTCOME_REJECT, "%s is missing or out of range", flaw);
    refuse(b, &row->place.key, err.text);
}

static void take_page(struct batch *b, const struct db_result *rows)
{
    struct mover *m = b->mover;
    size_t count = db_rows(rows);
    struct due_row row;

    for (size_t i = 0; i < count; i++) {
        store_due_read(&row, rows, i);
        take_row(b, &row);
    }
    if (b->is_alone)
        return;
    if (count > 0)
        m->place = row.place;
    if (count < MOVER_BATCH_MAX)
        m->swept = true;
    else if (clock_boot_us() >= m->sweep_end_us)
        m->swept = m->more = true;
}

static void on_due(void *arg, const struct db_answer *answer)
{
    struct batch *b = arg;
    struct mover *m = b->mover;

    m->reading = false;
    if (answer->rc) {
        complain(m, answer->reason);
        m->swept = true;
    } else {
        take_page(b, answer->rows);
    }
    m->in_use++;  // so that nothing settles in between
    batch_finish(b);
    m->in_use--;
    read_on(m);
}

static void read_page(struct mover *m)
{
    struct batch *b = batch_take(m);

    if (!b)
        return;
    m->reading = true;
    store_due(m->set.db, m->set.lane, &m->place, MOVER_BATCH_MAX, on_due, b);
}

static void try_alone(struct mover *m)
{
    struct batch *b = batch_take(m);

    b->is_alone = true;
    m->reading = true;
    store_due_again(m->set.db, m->set.lane, &m->suspects[--m->suspect_count], on_due, b);
}

static void settle(struct mover *m)
{
    fail_point("mover_rest", 0);
    if (m->stopping)
        lease_give_up(m->lease);
    else if (m->suspect_count > 0 && lease_is_held(m->lease))
        try_alone(m);
    else
        reactor_timer_set(m->poll, m->more && !m->is_refused ? 0 : m->set.poll_us);
}

// The next step, whatever has just ended.
static void read_on(struct mover *m)
{
    if (m->reading)
        return;
    if (m->stopping || m->is_refused || !lease_is_held(m->lease))
        m->swept = true;
    if (!m->swept)
        read_page(m);
    else if (m->in_use == 0)
        settle(m);
}

static void look(void *arg)
{
    struct mover *m = arg;

    m->swept = m->more = m->is_refused = false;
    m->place = (struct due_place){ 0 };
    m->suspect_count = 0;
    m->sweep_end_us = clock_boot_us() + SWEEP_US;
    read_on(m);
}
