#include "kafka_ends.h"

#include <pthread.h>
#include <stdlib.h>

enum { ANSWER_MS = 1000 };

struct end {
    int32_t partition;
    int64_t offset;
    bool is_asked;
};

struct kafka_ends {
    rd_kafka_t *rk;
    const char *topic;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock;  // guards what follows
    pthread_cond_t changed;
    bool is_closing;
    struct end *ends;  // one per partition that was ever asked about
    size_t count;
};

struct kafka_ends *kafka_ends_open(rd_kafka_t *rk, const char *topic)
{
    struct kafka_ends *e = xcalloc(1, sizeof(*e));

    e->rk = rk;
    e->topic = topic;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->changed, NULL);
    return e;
}

static struct end *find(struct kafka_ends *e, int32_t partition)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->ends[i].partition == partition)
            return &e->ends[i];
    return NULL;
}

static bool next_asked(struct kafka_ends *e, int32_t *partition)
{
    for (size_t i = 0; i < e->count; i++) {
        if (!e->ends[i].is_asked)
            continue;
        e->ends[i].is_asked = false;
        *partition = e->ends[i].partition;
        return true;
    }
    return false;
}

// Without the lock: the broker may take its time.
static void ask_broker(struct kafka_ends *e, int32_t partition)
{
    int64_t low, high = -1;

    pthread_mutex_unlock(&e->lock);
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(e->rk, e->topic, partition, &low, &high,
                                         ANSWER_MS);
    pthread_mutex_lock(&e->lock);
    if (!code)
        find(e, partition)->offset = high;
}

static void *run(void *arg)
{
    struct kafka_ends *e = arg;
    int32_t partition;

    pthread_mutex_lock(&e->lock);
    while (!e->is_closing) {
        if (next_asked(e, &partition))
            ask_broker(e, partition);
        else
            pthread_cond_wait(&e->changed, &e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

void kafka_ends_ask(struct kafka_ends *e, int32_t partition)
{
    pthread_mutex_lock(&e->lock);
    struct end *end = find(e, partition);
    if (!end) {
        e->ends = xrealloc(e->ends, (e->count + 1) * sizeof(*e->ends));
        end = &e->ends[e->count++];
        *end = (struct end){ .partition = partition, .offset = -1 };
    }
    end->is_asked = true;
    if (!e->is_running)
        e->is_running = pthread_create(&e->thread, NULL, run, e) == 0;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

int64_t kafka_ends_get(struct kafka_ends *e, int32_t partition)
{
    pthread_mutex_lock(&e->lock);
    const struct end *end = find(e, partition);
    int64_t offset = end ? end->offset : -1;
    pthread_mutex_unlock(&e->lock);
    return offset;
}

void kafka_ends_close(struct kafka_ends *e)
{
    if (!e)
        return;
    pthread_mutex_lock(&e->lock);
    e->is_closing = true;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
    if (e->is_running)
        pthread_join(e->thread, NULL);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->changed);
    free(e->ends);
    free(e);
}
