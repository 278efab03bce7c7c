// Whoever does not beat posts nothing that has not begun; what it forgot comes back.
#include "message_id.h"
#include "raw_http.h"
#include "workplace.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLAIMED "select count(*) from messages where status = 'claimed'"
#define GIVEN_BACK                                                                       \
    "select count(*) from messages m join delayed d using (message_id, turn)"            \
    " where m.status = 'waiting' and m.turn = 2 and m.tries = 0 and d.due <= now()"      \
    "   and m.reason = 'never_began' and d.kind = 'released'"
#define DECIDED                                                                          \
    "select count(*) from decisions where kind = 'release' and turn = 1"                 \
    " and reason = 'never_began' and decided_by = 'smsq-worker'"
#define QUEUED "select count(*) from messages where status = 'queued'"
#define ALIVE  "select count(*) from workers where dead_at is null"

static void put(struct workplace *w, uint32_t number, int32_t turn)
{
    struct sms_job job;

    workplace_job(w, &job, number);
    job.turn = turn;
    workplace_put(w, TOPIC_JOBS_URGENT, &job);
}

// One POST is in flight and unanswered, the others wait for its slot.
static void hold(struct workplace *w, uint32_t count)
{
    w->set.in_flight = 1;
    peer_hold(w->peer, true);
    for (uint32_t i = 0; i < count; i++)
        put(w, i, 1);
    workplace_start(w);
    workplace_wait_posts(w, 1);
    workplace_wait_sql(w, CLAIMED, count);
}

static void a_row_says_when_its_worker_is_dead_and_when_its_claims_are(void **state)
{
    struct workplace *w = *state;

    w->set.beat_us = 200000;
    w->set.total_us = 2000000;
    workplace_start(w);
    workplace_wait_sql(w, ALIVE " and dead_after = '3s' and rescue_after = '6.4s'", 1);
    workplace_wait_sql(w, ALIVE " and heartbeat_at > started_at + interval '1 s'", 1);
    workplace_ends(w);
    assert_int_equal(pg_int(w->pg, ALIVE),
                     0);  // one that stops is no dead one to be found
}

static void a_buried_worker_finishes_what_it_began_and_posts_nothing_else(void **state)
{
    struct workplace *w = *state;

    hold(w, 4);
    pg_exec(w->pg, "update workers set dead_at = now()");
    workplace_wait_sql(w, GIVEN_BACK, 3);
    workplace_wait_sql(w, ALIVE, 1);
    assert_int_equal(pg_int(w->pg, CLAIMED " and turn = 1"), 1);
    assert_int_equal(pg_int(w->pg, DECIDED), 3);
    peer_hold(w->peer, false);
    workplace_wait_sql(w, QUEUED, 1);
    put(w, 4, 1);  // the new epoch works
    workplace_wait_sql(w, QUEUED, 2);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 2);
    assert_int_equal(pg_int(w->pg, GIVEN_BACK), 3);
    assert_int_equal(pg_int(w->pg, "select count(*) from workers"), 2);
}

// The peer lets nobody in: what is posted is on its way until let_in.
static int shut_out(struct workplace *w, char *url, size_t size, int *other)
{
    int port, fd = raw_listen(&port);

    assert_int_equal(listen(fd, 0), 0);
    *other = raw_knock(port);
    (void)snprintf(url, size, "http://127.0.0.1:%d", port);
    w->set.account.simulator_url = url;
    w->set.connect_us = 10000000;
    return fd;
}

static void let_in(int listen_fd, int other)
{
    close(other);
    assert_int_equal(listen(listen_fd, 8), 0);
    for (int i = 0; i < 2; i++) {  // the other's line, and the worker's
        int fd = raw_take(listen_fd);
        assert_true(fd >= 0);
        assert_true(raw_is_closed(fd));
        close(fd);
    }
    close(listen_fd);
}

// Its claim is young and its worker alive, but under another epoch.
static void what_an_epoch_has_on_its_way_does_not_leave_after_it(void **state)
{
    struct workplace *w = *state;
    char url[64];
    int other, listen_fd = shut_out(w, url, sizeof(url), &other);

    w->set.beat_us = 100000;
    workplace_start(w);
    workplace_wait_sql(w, ALIVE, 1);
    put(w, 0, 1);
    workplace_wait_sql(w, CLAIMED, 1);
    pg_exec(w->pg, "update workers set dead_at = now()");
    workplace_wait_sql(w, ALIVE, 1);
    let_in(listen_fd, other);
    workplace_wait_sql(w,
                       "select count(*) from messages where status = 'waiting' and"
                       " turn = 2 and tries = 0 and reason = 'not_sent'",
                       1);
    workplace_ends(w);
    assert_int_equal(pg_int(w->pg, "select count(*) from attempts"), 0);
}

static PGconn *stop_beats(struct workplace *w)
{
    PGconn *conn = PQconnectdb(pg_url(w->pg));

    PQclear(PQexec(conn, "begin; lock table workers in access exclusive mode"));
    assert_int_equal(PQtransactionStatus(conn), PQTRANS_INTRANS);
    return conn;
}

// Its claims are young and its other connections work: only the beats are not heard.
static void without_a_confirmed_beat_nothing_leaves_and_no_try_is_burnt(void **state)
{
    struct workplace *w = *state;

    w->set.beat_us = 100000;
    hold(w, 2);
    PGconn *other = stop_beats(w);
    (void)usleep(900000);
    put(w, 2, 1);  // and nothing is claimed either
    peer_hold(w->peer, false);
    workplace_wait_sql(w, QUEUED, 1);
    workplace_wait_sql(w,
                       "select count(*) from messages where status = 'waiting' and"
                       " turn = 2 and tries = 0 and reason = 'not_sent'",
                       1);
    (void)usleep(300000);
    assert_int_equal(peer_count(w->peer), 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from messages"), 2);
    assert_int_equal(pg_int(w->pg, "select count(*) from attempts"), 1);
    PQfinish(other);
    workplace_wait_sql(w, QUEUED, 2);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 2);
}

// A claim of an epoch of this worker that it knows nothing of.
static void lose_claim(struct workplace *w, const char *where, const char *age)
{
    struct buf sql = BUF_INIT(1024);

    buf_addf(
        &sql,
        "with m as (insert into messages (message_id, client, turn, status, rank, lane,"
        "                                 claimed_epoch, claimed_at)"
        " select first_id_of_month(now()::date), 1, 1, 'claimed', 10, 'normal', epoch,"
        "        now() - interval '%s' from workers where %s returning *)"
        " insert into claim_batches (epoch, number, message_ids)"
        " select claimed_epoch, 0, array[message_id] from m",
        age, where);
    pg_exec(w->pg, buf_text(&sql));
    buf_free(&sql);
}

static void a_claim_that_memory_does_not_hold_goes_back_to_wait(void **state)
{
    struct workplace *w = *state;

    w->set.beat_us = 100000;
    hold(w, 1);
    lose_claim(w, "dead_at is null", "1 s");
    workplace_wait_sql(w, GIVEN_BACK, 1);
    assert_int_equal(pg_int(w->pg, DECIDED), 1);
    workplace_wait_sql(w, ALIVE, 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from workers"), 2);
    peer_hold(w->peer, false);  // what it does hold is its own
    workplace_wait_sql(w, QUEUED " and turn = 1", 1);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 1);
}

static void a_claim_of_an_epoch_that_is_over_goes_back_as_well(void **state)
{
    struct workplace *w = *state;

    w->set.beat_us = 100000;
    workplace_start(w);
    workplace_wait_sql(w, ALIVE, 1);
    pg_exec(w->pg, "update workers set dead_at = now()");
    workplace_wait_sql(w, ALIVE, 1);
    lose_claim(w, "dead_at is not null", "2 s");
    workplace_wait_sql(w, GIVEN_BACK, 1);
    assert_int_equal(pg_int(w->pg, "select count(*) from workers"), 2);
    workplace_ends(w);
}

static void claims_that_wait_their_turn_are_not_taken_for_lost(void **state)
{
    struct workplace *w = *state;

    w->set.beat_us = 100000;  // memory is compared with the table each second
    hold(w, 3);
    (void)usleep(3500000);
    assert_int_equal(pg_int(w->pg, CLAIMED " and turn = 1"), 3);
    assert_int_equal(pg_int(w->pg, "select count(*) from workers"), 1);
    peer_hold(w->peer, false);
    workplace_wait_sql(w, QUEUED " and turn = 1", 3);
    workplace_ends(w);
    assert_int_equal(peer_count(w->peer), 3);
}

int main(void)
{
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, workplace_setup, workplace_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_row_says_when_its_worker_is_dead_and_when_its_claims_are),
        TEST(a_buried_worker_finishes_what_it_began_and_posts_nothing_else),
        TEST(what_an_epoch_has_on_its_way_does_not_leave_after_it),
        TEST(without_a_confirmed_beat_nothing_leaves_and_no_try_is_burnt),
        TEST(a_claim_that_memory_does_not_hold_goes_back_to_wait),
        TEST(a_claim_of_an_epoch_that_is_over_goes_back_as_well),
        TEST(claims_that_wait_their_turn_are_not_taken_for_lost),
    };
    return cmocka_run_group_tests(tests, workplace_group_start, workplace_group_stop);
}
