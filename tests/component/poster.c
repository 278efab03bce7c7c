#include "poster.h"

#include "metrics.h"

#include "message_id.h"
#include "sms_job_make.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX64   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define T(text) ((char *)(uintptr_t)(text))

// One of each action.
static const struct error_code codes[] = {
    { 20003, ERROR_STOP_ACCOUNT, 0, 0, false, "no", "none" },
    { 20409, ERROR_RETRY, 10, 0, false, "no", "none" },
    { 20500, ERROR_UNKNOWN, 0, 0, false, "no", "none" },
    { 21211, ERROR_REFUSE, 0, 0, false, "no", "none" },
    { 21601, ERROR_STOP_SENDER, 0, 0, false, "no", "none" },
    { 21610, ERROR_REFUSE, 0, 0, true, "no", "none" },
    { 21611, ERROR_SLOW_DOWN, 300, 0, false, "no", "none" },
};

static void on_answer(void *arg, struct job *job, const struct twilio_answer *answer)
{
    struct poster *p = arg;

    assert_ptr_equal(job, &p->job);
    p->done_calls++;
    p->seen = *answer;
    (void)snprintf(p->reason, sizeof(p->reason), "%s", answer->reason);
    p->seen.reason = p->reason;
    sem_post(&p->done);
}

static void make_job(struct poster *p)
{
    int64_t now_us = clock_wall_us();
    unsigned char id[MESSAGE_ID_BYTES];

    message_id_new(id, now_us / 1000, SMS_JOB_CLIENT, p->keys.id);
    sms_job_make(&p->job.sms, id, now_us);
    p->job.content = (struct sms_content){ "+14155552671", "Hi" };
    p->job.claim_sent_us = clock_boot_us();
}

int poster_setup(void **state)
{
    struct poster *p = xcalloc(1, sizeof(*p));
    const struct keys_settings keys = { T(HEX64), T("1:" HEX64) };

    p->metrics = metrics_new();
    p->codes = error_codes_new();
    error_codes_replace(p->codes, codes, COUNT_OF(codes));
    assert_int_equal(keys_open(&p->keys, &keys, NULL), OUTCOME_OK);
    p->listen_fd = raw_listen(&p->port);
    (void)snprintf(p->base_url, sizeof(p->base_url), "http://127.0.0.1:%d", p->port);
    p->accounts = (struct accounts){ .mode = ACCOUNT_SIMULATE,
                                     .simulator = { .base_url = p->base_url,
                                                    .account_sid = POSTER_ACCOUNT,
                                                    .user = "user",
                                                    .password = "pass:word" } };
    p->set = (struct twilio_settings){
        .accounts = &p->accounts,
        .keys = &p->keys,
        .codes = p->codes,
        .callback_url = "https://sms.example.org/sms/webhook/status",
        .in_flight_max = 1,
        .connect_us = 3000000,
        .total_us = 10000000,
        .lease_us = 3000000,
        .metrics = p->metrics,
    };
    make_job(p);
    sem_init(&p->done, 0, 0);
    loop_open(&p->loop);
    *state = p;
    return 0;
}

void poster_start(struct poster *p)
{
    struct err err = { 0 };

    if (twilio_open(&p->twilio, p->loop.reactor, &p->set, on_answer, p, &err))
        fail_msg("%s", err.text);
    loop_start(&p->loop);
}

static void close_twilio(void *arg)
{
    struct poster *p = arg;
    twilio_close(p->twilio);
    p->twilio = NULL;
}

void poster_close(struct poster *p)
{
    loop_do(&p->loop, close_twilio, p);
}

int poster_teardown(void **state)
{
    struct poster *p = *state;

    poster_close(p);
    loop_close(&p->loop);
    if (p->listen_fd >= 0)
        close(p->listen_fd);
    keys_close(&p->keys);
    metrics_free(p->metrics);
    error_codes_free(p->codes);
    sem_destroy(&p->done);
    free(p);
    return 0;
}

static void submit(void *arg)
{
    struct poster *p = arg;
    p->taken = twilio_submit(p->twilio, &p->job);
}

void poster_submit(struct poster *p)
{
    loop_do(&p->loop, submit, p);
}

void poster_wait(struct poster *p)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RAW_WAIT_S;
    assert_int_equal(sem_timedwait(&p->done, &until), 0);
}

int poster_take(struct poster *p)
{
    int fd = raw_take(p->listen_fd);
    assert_true(fd >= 0);
    return fd;
}

bool poster_is_dialled(const struct poster *p)
{
    struct pollfd at = { .fd = p->listen_fd, .events = POLLIN };
    return poll(&at, 1, 0) == 1;
}

void poster_exchange(struct poster *p, const char *answer, size_t len)
{
    struct raw_message m;

    poster_submit(p);
    assert_true(p->taken);
    int fd = poster_take(p);
    assert_true(raw_read(fd, &m, true));
    raw_free(&m);
    (void)raw_send(fd, answer, len);  // the other side may cut a long one off
    close(fd);
    poster_wait(p);
}
