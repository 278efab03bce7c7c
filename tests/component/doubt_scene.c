#include "doubt_scene.h"

#include "content.h"
#include "list_site.h"
#include "log.h"
#include "metrics.h"
#include "provider.h"
#include "race.h"
#include "reactor.h"
#include "sms_job_make.h"
#include "status.h"
#include "store_claims.h"

#include <stdlib.h>
#include <string.h>

#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

enum { RATE = 500 };

int doubt_group_start(void **state)
{
    log_level_set(LOG_LEVEL_ERROR);
    return ask_group_start(state);
}

int doubt_scene_open(void **state)
{
    struct doubt_scene *s = xcalloc(1, sizeof(*s));
    const struct keys_settings keys = { (char *)(uintptr_t)HEX64,
                                        (char *)(uintptr_t) "1:" HEX64 };

    db_fixture_open(&s->db, *state);
    pg_exec(
        s->db.pg,
        "truncate messages, attempts, cost_entries, delayed, decisions, claim_batches,"
        " doubts, leases, receipts, receipts_unmatched, sweeps, sweep_late");
    assert_int_equal(keys_open(&s->keys, &keys, NULL), OUTCOME_OK);
    s->site = list_site_open(s->db.reactor);
    s->policy = (struct doubt_settings){
        .wait_us = { [DOUBT_OTP] = 400 * MS,
                     [DOUBT_EMERGENCY] = 400 * MS,
                     [DOUBT_TRANSACTIONAL] = 600 * MS,
                     [DOUBT_MARKETING] = 600 * MS },
        .first_look_us = 100 * MS,
        .list_interval_us = 150 * MS,
        .list_lag_us = 300 * MS,
        .empty_lists = 3,
        .resends = 2,
        .margin_us = SECOND_US,
    };
    s->interval_us = 20 * MS;
    s->rate = RATE;
    *state = s;
    return 0;
}

void doubt_scene_start(struct doubt_scene *s)
{
    s->provider = list_site_provider(s->site, s->db.reactor, &s->rate, s->db.metrics);
    const struct doubts_settings doubts = { .policy = &s->policy,
                                            .interval_us = &s->interval_us,
                                            .keys = &s->keys,
                                            .retry = &race_retry,
                                            .lease_us = 10000000,
                                            .db = s->db.db,
                                            .provider = s->provider,
                                            .metrics = s->db.metrics };
    s->doubts = doubts_new(s->db.reactor, &doubts);
}

int doubt_scene_close(void **state)
{
    struct doubt_scene *s = *state;
    struct pg *pg = s->db.pg;

    provider_close(s->provider);
    db_close(s->db.db);
    doubts_free(s->doubts);
    list_site_close(s->site);
    metrics_free(s->db.metrics);
    reactor_close(s->db.reactor);
    keys_close(&s->keys);
    buf_free(&s->sealed);
    free(s);
    *state = pg;
    return 0;
}

// Claims a job and loses the answer to its POST, as the worker does.
void doubt_lose(struct doubt_scene *s, struct sms_job *job, const char *class,
                const char *body, const char *on_doubt)
{
    const struct sms_content content = { DOUBT_TO, body };
    unsigned char id[16];
    int64_t now_us = clock_wall_us();
    struct ask claimed = { 0 }, written = { 0 };

    sms_job_make_id(id, now_us / 1000, ++s->number);
    sms_job_make(job, id, now_us);
    job->message_class = class;
    job->on_doubt = on_doubt;
    buf_free(&s->sealed);
    buf_init(&s->sealed, WIRE_SEALED_MAX_BYTES);
    content_seal(s->keys.seal, id, job->client, now_us, &content, &s->sealed);
    job->sealed = (struct wire_bytes){ (unsigned char *)s->sealed.bytes, s->sealed.len };
    store_claim(s->db.db, &job, 1, 1, 1, ask_done, &claimed);
    ask_wait(&s->db, &claimed);
    struct send_outcome outcome = {
        .turn = 1,
        .status = "in_doubt",
        .rank = RANK_IN_DOUBT,
        .outcome = "in_doubt",
        .http_status = 500,
        .answered_us = clock_wall_us(),
        .estimate_micros = job->estimate_micros,
        .currency = job->currency,
        .mode = job->mode,
    };
    memcpy(outcome.message_id, id, 16);
    store_result(s->db.db, &outcome, 1, ask_done, &written);
    ask_wait(&s->db, &written);
}

static bool is_over(void *arg)
{
    return clock_boot_us() > *(int64_t *)arg;
}

void doubt_pass(struct doubt_scene *s, int64_t us)
{
    int64_t until_us = clock_boot_us() + us;
    loop_until(s->db.reactor, is_over, &until_us);
}

void doubt_show(struct doubt_scene *s, const char *sid, const char *body,
                const char *status)
{
    list_site_put(s->site, &(struct listed){ .sid = sid,
                                             .to = DOUBT_TO,
                                             .from = "+15005550006",
                                             .body = body,
                                             .status = status,
                                             .created_us = clock_wall_us() });
}

void doubt_call_back(struct doubt_scene *s, const struct sms_job *job, int32_t turn,
                     const char *sid, const char *word)
{
    ask_receipt(&s->db, job->message_id, turn, sid, word, true);
}

void doubt_claim_again(struct doubt_scene *s, struct sms_job *job, int32_t turn)
{
    struct ask claimed = { 0 };
    struct sms_job *jobs[] = { job };

    job->turn = turn;
    store_claim(s->db.db, jobs, 1, 1, 1, ask_done, &claimed);
    ask_wait(&s->db, &claimed);
}
