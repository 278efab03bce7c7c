#include "job.h"

#include "metrics.h"

#include <stdlib.h>
#include <string.h>

void job_queue_push(struct job_queue *q, struct job *job)
{
    job->next = NULL;
    if (q->last)
        q->last->next = job;
    else
        q->first = job;
    q->last = job;
    q->count++;
}

struct job *job_queue_pop(struct job_queue *q)
{
    struct job *job = q->first;

    if (!job)
        return NULL;
    q->first = job->next;
    if (!q->first)
        q->last = NULL;
    q->count--;
    return job;
}

void job_hold(struct job_set *set, struct job *job)
{
    job->held_next = set->first;
    if (set->first)
        set->first->held_previous = job;
    set->first = job;
    set->count++;
}

void job_free(struct job_set *set, struct job *job)
{
    if (job->held_previous)
        job->held_previous->held_next = job->held_next;
    else
        set->first = job->held_next;
    if (job->held_next)
        job->held_next->held_previous = job->held_previous;
    set->count--;
    if (job->batch)
        claim_batch_leave(set, job->batch, job->is_settled);
    wire_free(job->memory);
    wire_free(job->content_memory);
    free(job);
}

struct claim_batch *job_set_pop_settled(struct job_set *set)
{
    struct claim_batch *batch = SLIST_FIRST(&set->settled);

    if (batch)
        SLIST_REMOVE_HEAD(&set->settled, next);
    return batch;
}

void job_set_end(struct job_set *set)
{
    struct claim_batch *batch;

    while (set->first)
        job_free(set, set->first);
    while ((batch = job_set_pop_settled(set)) != NULL)
        free(batch);
}

struct claim_batch *claim_batch_new(int64_t epoch, int64_t number)
{
    struct claim_batch *batch = xcalloc(1, sizeof(*batch));

    batch->epoch = epoch;
    batch->number = number;
    batch->held = 1;
    return batch;
}

void claim_batch_join(struct claim_batch *batch, struct job *job)
{
    job->batch = batch;
    batch->held++;
}

void claim_batch_leave(struct job_set *set, struct claim_batch *batch, bool is_settled)
{
    batch->stays |= !is_settled;
    if (--batch->held > 0)
        return;
    if (batch->stays)
        free(batch);
    else
        SLIST_INSERT_HEAD(&set->settled, batch, next);
}

struct turn_key *job_set_keys(const struct job_set *set)
{
    struct turn_key *keys = xcalloc(set->count, sizeof(*keys));
    size_t n = 0;

    for (const struct job *job = set->first; job; job = job->held_next) {
        memcpy(keys[n].message_id, job->sms.message_id, 16);
        keys[n++].turn = job->sms.turn;
    }
    qsort(keys, n, sizeof(*keys), turn_key_compare);
    return keys;
}

const char *lane_name(enum lane lane)
{
    static const char *const names[] = { "urgent", "normal", "bulk" };
    return names[lane];
}

void lane_latencies(struct metric *out[LANE_COUNT], struct metrics *m, const char *name,
                    const char *help)
{
    static const char *const labels[LANE_COUNT] = {
        [LANE_URGENT] = "lane=\"urgent\"",
        [LANE_NORMAL] = "lane=\"normal\"",
        [LANE_BULK] = "lane=\"bulk\"",
    };

    for (size_t i = 0; i < LANE_COUNT; i++)
        out[i] = metrics_latencies(m, name, labels[i], help);
}
