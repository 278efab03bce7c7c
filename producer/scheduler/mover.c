#include "mover.h"

#include "buf.h"
#include "db.h"
#include "fail_point.h"
#include "kafka_out.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_delayed.h"
#include "trace.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

enum { LABELS_BYTES = 48 };

struct mover {
    struct mover_settings set;
    struct reactor_timer *poll;
    struct buf record;
    bool stopping;
    bool busy;
    size_t read;     // rows of the batch in hand
    size_t awaited;  // records of it that Kafka has not reported yet
    size_t done;     // turns that may be deleted
    struct turn_key keys[MOVER_BATCH_MAX];  // the deletable ones
    struct metric *moved, *stale;
};

// A published row, until Kafka reports.
struct published {
    struct mover *mover;
    struct turn_key key;
    char traceparent[TRACE_PARENT_BYTES];  // "" = not traced
};

static void look(void *arg);

struct mover *mover_new(struct reactor *r, const struct mover_settings *set,
                        struct metrics *metrics)
{
    struct mover *m = xcalloc(1, sizeof(*m));
    char labels[LABELS_BYTES];

    m->set = *set;
    m->poll = reactor_timer_new(r, look, m);
    buf_init(&m->record, WIRE_RECORD_MAX_BYTES);
    (void)snprintf(labels, sizeof(labels), "lane=\"%s\"", set->lane);
    m->moved = metrics_counter(metrics, "smsq_delayed_moved_total", labels,
                               "Due rows published to their lane.");
    m->stale = metrics_counter(metrics, "smsq_delayed_stale_total", labels,
                               "Due rows dropped: their message no longer waits.");
    reactor_timer_set(m->poll, 0);
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
    reactor_timer_free(m->poll);
    buf_free(&m->record);
    free(m);
}

void mover_stop(struct mover *m)
{
    m->stopping = true;
    reactor_timer_stop(m->poll);
}

bool mover_is_idle(const struct mover *m)
{
    return !m->busy;
}

static void rest(struct mover *m, int64_t delay_us)
{
    m->busy = false;
    fail_point("mover_rest", 0);
    if (!m->stopping)
        reactor_timer_set(m->poll, delay_us);
}

static void on_deleted(void *arg, const struct db_answer *answer)
{
    struct mover *m = arg;

    fail_point("mover_after_delete", m->done);
    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "mover_failed", LOG_T("lane", m->set.lane),
                 LOG_T("reason", answer->reason));
    // A full batch means that more is due; rows that Kafka refused wait for the poll.
    bool more = !answer->rc && m->read == MOVER_BATCH_MAX && m->done == m->read;
    rest(m, more ? 0 : m->set.poll_us);
}

static void finish(struct mover *m)
{
    if (m->awaited > 0)
        return;
    if (m->done == 0)
        rest(m, m->set.poll_us);
    else
        store_moved(m->set.db, m->keys, m->done, on_deleted, m);
}

static void on_report(void *arg, enum outcome rc, const char *reason)
{
    struct published *p = arg;
    struct mover *m = p->mover;
    const char *trace = p->traceparent[0] ? trace_id_of(p->traceparent) : NULL;

    fail_point("mover_after_ack", m->read);
    if (rc) {
        log_line(LOG_LEVEL_WARN, "job_not_moved", LOG_U("message_id", p->key.message_id),
                 LOG_C(trace), LOG_I("turn", p->key.turn), LOG_T("reason", reason));
    } else {
        m->keys[m->done++] = p->key;
        metric_add(m->moved, 1);
        log_line(LOG_LEVEL_INFO, "job_moved", LOG_U("message_id", p->key.message_id),
                 LOG_C(trace), LOG_I("turn", p->key.turn), LOG_T("lane", m->set.lane));
    }
    free(p);
    m->awaited--;
    finish(m);
}

static void publish(struct mover *m, const struct due_row *row)
{
    struct published *p = xcalloc(1, sizeof(*p));
    struct err err = { 0 };

    fail_point("mover_before_publish", m->read);
    p->mover = m;
    p->key = row->key;
    if (row->job.traceparent && trace_is_valid(row->job.traceparent))
        (void)snprintf(p->traceparent, sizeof(p->traceparent), "%s",
                       row->job.traceparent);
    buf_clear(&m->record);
    wire_encode(&row->job, sms_job_fields, &m->record);
    const struct kafka_out_record rec = {
        .topic = m->set.topic,
        .key = row->job.to_hash.bytes,
        .key_len = row->job.to_hash.len,
        .value = m->record.bytes,
        .value_len = m->record.len,
    };
    if (m->record.failed || kafka_out_submit(m->set.out, &rec, on_report, p, &err)) {
        log_line(LOG_LEVEL_WARN, "job_not_moved", LOG_U("message_id", p->key.message_id),
                 LOG_T("reason", m->record.failed ? "record too large" : err.text));
        free(p);
        return;
    }
    m->awaited++;
}

static void on_due(void *arg, const struct db_answer *answer)
{
    struct mover *m = arg;
    struct due_row row;

    if (answer->rc) {
        log_line(LOG_LEVEL_ERROR, "mover_failed", LOG_T("lane", m->set.lane),
                 LOG_T("reason", answer->reason));
        rest(m, m->set.poll_us);
        return;
    }
    m->read = db_rows(answer->rows);
    for (size_t i = 0; i < m->read; i++) {
        store_due_read(&row, answer->rows, i);
        if (row.live) {
            publish(m, &row);
        } else {
            m->keys[m->done++] = row.key;
            metric_add(m->stale, 1);
        }
    }
    finish(m);
}

static void look(void *arg)
{
    struct mover *m = arg;

    m->busy = true;
    m->read = m->done = 0;
    store_due(m->set.db, m->set.lane, MOVER_BATCH_MAX, on_due, m);
}
