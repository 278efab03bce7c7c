#include "workplace.h"

#include "content.h"
#include "log.h"
#include "message_id.h"
#include "reactor.h"
#include "scratch.h"
#include "sms_job_make.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEX64   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define T(text) ((char *)(uintptr_t)(text))

enum { POLL_US = 10000, PATIENCE_US = 40 * 1000000 };

int workplace_group_start(void **state)
{
    stop_install();
    log_level_set(LOG_LEVEL_ERROR);
    *state = pg_start(PG_MIGRATED);
    return 0;
}

int workplace_group_stop(void **state)
{
    pg_stop(*state);
    return 0;
}

static void open_kafka(struct workplace *w)
{
    static const char *const topics[] = { TOPIC_JOBS_NORMAL, TOPIC_JOBS_BULK,
                                          TOPIC_DEAD };

    kafka_mock_open(&w->mock, TOPIC_JOBS_URGENT, 1);
    for (size_t i = 0; i < COUNT_OF(topics); i++)
        assert_int_equal(rd_kafka_mock_topic_create(w->mock.cluster, topics[i], 1, 1), 0);
}

int workplace_setup(void **state)
{
    struct workplace *w = xcalloc(1, sizeof(*w));
    const struct keys_settings keys = { T(HEX64), T("1:" HEX64) };
    static char simulator_url[64];

    scratch_make(w->state_dir);

    w->pg = *state;
    pg_exec(w->pg,
            "truncate messages, attempts, delayed, cost_entries, workers, claim_batches,"
            " decisions, leases, switches");
    open_kafka(w);
    w->peer = peer_open();
    assert_int_equal(keys_open(&w->keys, &keys, NULL), OUTCOME_OK);
    (void)snprintf(simulator_url, sizeof(simulator_url), "http://127.0.0.1:%d",
                   peer_port(w->peer));
    w->set = (struct worker_settings){
        .account = { .test_mode = true,
                     .base_url = T("https://api.twilio.com"),
                     .simulator_url = simulator_url,
                     .simulator_account_sid = T("AC00000000000000000000000000000001"),
                     .simulator_auth_token = T("token"),
                     .public_url = T("http://127.0.0.1:8001") },
        .kafka = w->mock.settings,
        .db = { T(pg_url(w->pg)), 30000000 },
        .keys = keys,
        .service = { T("127.0.0.1"), 0, T("error"), 20000000 },
        .retry = { 60, 3600, { 3, 10, 8, 5 } },
        .in_flight = 16,
        .connect_us = 3000000,
        .total_us = 10000000,
        .session_us = 6000000,
        .beat_us = 1000000,
        .state_dir = w->state_dir,
    };
    *state = w;
    return 0;
}

int workplace_teardown(void **state)
{
    struct workplace *w = *state;
    struct pg *pg = w->pg;

    if (w->runs) {  // the test failed
        workplace_stop(w);
        workplace_join(w);
    }
    peer_close(w->peer);
    kafka_mock_close(&w->mock);
    keys_close(&w->keys);
    scratch_remove(w->state_dir);
    for (size_t i = 0; i < WORKPLACE_JOBS_MAX; i++)
        buf_free(&w->sealed[i]);
    free(w);
    *state = pg;
    return 0;
}

void workplace_job(struct workplace *w, struct sms_job *job, uint32_t number)
{
    int64_t now_us = clock_wall_us();
    unsigned char id[MESSAGE_ID_BYTES];
    char to[16], body[16];
    const struct sms_content content = { to, body };
    struct buf *sealed = &w->sealed[number];

    sms_job_make_id(id, now_us / 1000, number);
    sms_job_make(job, id, now_us);
    (void)snprintf(to, sizeof(to), "+1415555%04u", number % 10000);
    (void)snprintf(body, sizeof(body), "text %u", number);
    buf_free(sealed);
    buf_init(sealed, WIRE_SEALED_MAX_BYTES);
    content_seal(w->keys.seal, id, job->client, now_us, &content, sealed);
    job->sealed = (struct wire_bytes){ (unsigned char *)sealed->bytes, sealed->len };
}

void workplace_put(struct workplace *w, const char *topic, const struct sms_job *job)
{
    struct buf value = BUF_INIT(WIRE_RECORD_MAX_BYTES);

    wire_encode(job, sms_job_fields, &value);
    kafka_mock_put(&w->mock, topic, 0, NULL, buf_text(&value));
    buf_free(&value);
}

static void *run(void *arg)
{
    struct workplace *w = arg;
    w->rc = worker_run(w->worker, &w->err);
    return NULL;
}

void workplace_start(struct workplace *w)
{
    if (worker_open(&w->worker, &w->set, &w->err))
        fail_msg("%s", w->err.text);
    if (pthread_create(&w->thread, NULL, run, w))
        abort();
    w->runs = true;
}

void workplace_stop(struct workplace *w)
{
    (void)w;
    assert_int_equal(kill(getpid(), SIGTERM), 0);
}

void workplace_join(struct workplace *w)
{
    pthread_join(w->thread, NULL);
    worker_close(w->worker);
    w->runs = false;
}

void workplace_ends(struct workplace *w)
{
    workplace_stop(w);
    workplace_join(w);
    assert_string_equal(w->err.text, "");
    assert_int_equal(w->rc, OUTCOME_OK);
}

static void wait_for(struct workplace *w,
                     int64_t (*count)(struct workplace *, const char *), const char *what,
                     int64_t wanted)
{
    int64_t until_us = clock_boot_us() + PATIENCE_US, found;

    while ((found = count(w, what)) != wanted && clock_boot_us() < until_us)
        (void)usleep(POLL_US);
    if (found != wanted)
        fail_msg("%s: %lld, not %lld", what, (long long)found, (long long)wanted);
}

static int64_t count_sql(struct workplace *w, const char *sql)
{
    return pg_int(w->pg, sql);
}

static int64_t count_posts(struct workplace *w, const char *what)
{
    (void)what;
    return (int64_t)peer_count(w->peer);
}

static int64_t count_dead(struct workplace *w, const char *what)
{
    (void)what;
    return kafka_mock_count(&w->mock, TOPIC_DEAD, 0);
}

void workplace_wait_sql(struct workplace *w, const char *sql, int64_t wanted)
{
    wait_for(w, count_sql, sql, wanted);
}

void workplace_wait_posts(struct workplace *w, size_t wanted)
{
    wait_for(w, count_posts, "posts", (int64_t)wanted);
}

void workplace_wait_dead(struct workplace *w, int64_t wanted)
{
    wait_for(w, count_dead, "dead letters", wanted);
}

int64_t workplace_committed(struct workplace *w)
{
    return kafka_mock_committed(&w->mock, "smsq-worker-normal", TOPIC_JOBS_NORMAL, 0);
}
