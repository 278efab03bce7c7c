// A release may run long after it was sent: it must not take what was claimed since.
#include "message_id.h"
#include "pg_relay.h"
#include "workplace.h"

#include <libpq-fe.h>
#include <string.h>

#define ONE "select count(*) from messages where message_id = '%s' and %s"

static void wait_row(struct workplace *w, const struct sms_job *job, const char *what)
{
    char id[MESSAGE_ID_TEXT_BYTES];
    struct buf sql = BUF_INIT(512);

    message_id_format(id, job->message_id);
    buf_addf(&sql, ONE, id, what);
    workplace_wait_sql(w, buf_text(&sql), 1);
    buf_free(&sql);
}

// A session of somebody else's that has written the row which a release must write.
static PGconn *stand_in_the_way(struct workplace *w, const struct sms_job *job)
{
    char id[MESSAGE_ID_TEXT_BYTES];
    struct buf sql = BUF_INIT(512);
    PGconn *conn = PQconnectdb(pg_url(w->pg));

    message_id_format(id, job->message_id);
    buf_addf(&sql,
             "begin; insert into delayed (message_id, turn, due, lane, kind)"
             " values ('%s', 2, now(), 'normal', 'retry')",
             id);
    PQclear(PQexec(conn, buf_text(&sql)));
    assert_int_equal(PQtransactionStatus(conn), PQTRANS_INTRANS);
    buf_free(&sql);
    return conn;
}

static void a_late_release_leaves_later_claims_alone(void **state)
{
    struct workplace *w = *state;
    struct pg_relay *relay = pg_relay_open(w->pg);
    struct sms_job lost, later;

    w->set.db.url = (char *)(uintptr_t)pg_relay_url(relay);
    w->set.beat_us = 10000000;  // no beat is lost instead
    peer_hold(w->peer, true);
    workplace_start(w);
    workplace_wait_sql(w, "select count(*) from workers", 1);
    workplace_job(w, &lost, 0);
    PGconn *other = stand_in_the_way(w, &lost);
    pg_relay_lose(relay, "claim");
    workplace_put(w, TOPIC_JOBS_NORMAL, &lost);
    workplace_wait_sql(w, "select count(*) from pg_locks where not granted", 1);
    workplace_job(w, &later, 1);
    workplace_put(w, TOPIC_JOBS_NORMAL, &later);
    workplace_wait_posts(w, 1);  // its answer is held back

    PQfinish(other);
    wait_row(w, &lost, "status = 'waiting' and turn = 2 and reason = 'never_began'");
    wait_row(w, &later, "status = 'claimed' and turn = 1");
    peer_hold(w->peer, false);
    wait_row(w, &later, "status = 'queued' and turn = 1");
    workplace_ends(w);
    assert_int_equal(pg_int(w->pg, "select count(*) from workers"), 2);
    pg_relay_close(relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_late_release_leaves_later_claims_alone,
                                        workplace_setup, workplace_teardown),
    };
    return cmocka_run_group_tests(tests, workplace_group_start, workplace_group_stop);
}
