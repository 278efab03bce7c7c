#include "kafka_group.h"

#include "log.h"
#include "metrics.h"
#include "reactor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char group_topic[] = "sms.test", group_name[] = "testers";

int kafka_group_setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    log_level_set(LOG_LEVEL_ERROR);
    kafka_mock_open(&f->mock, group_topic, PARTITIONS);
    f->metrics = metrics_new();
    f->a.unacked_max = f->b.unacked_max = SEEN_MAX;
    *state = f;
    return 0;
}

void member_forget(struct member *m)
{
    for (size_t i = 0; i < m->count; i++)
        kafka_in_done_with(&m->seen[i]);
    m->count = 0;
}

void member_close(struct member *m)
{
    kafka_in_close(m->in);
    m->in = NULL;
}

int kafka_group_teardown(void **state)
{
    struct fixture *f = *state;

    member_close(&f->a);
    member_close(&f->b);
    member_forget(&f->a);
    member_forget(&f->b);
    kafka_mock_close(&f->mock);
    metrics_free(f->metrics);
    free(f);
    return 0;
}

void member_read(struct member *m)
{
    while (m->count < SEEN_MAX && kafka_in_next(m->in, &m->seen[m->count])) {
        if (m->acks)
            kafka_in_ack(m->in, &m->seen[m->count].origin);
        m->count++;
    }
}

static void on_ready(void *arg)
{
    struct member *m = arg;

    m->ready_calls++;
    if (m->reads_when_ready)
        member_read(m);
}

void member_join(struct fixture *f, struct member *m)
{
    const struct kafka_in_settings set = { .kafka = &f->mock.settings,
                                           .topic = group_topic,
                                           .group = group_name,
                                           .session_timeout_ms = 6000,
                                           .unacked_max = m->unacked_max };
    struct err err = { 0 };

    if (kafka_in_open(&m->in, f->mock.reactor, &set, on_ready, m, f->metrics, &err))
        fail_msg("%s", err.text);
}

bool member_is_assigned(void *arg)
{
    return kafka_in_is_assigned(((struct member *)arg)->in);
}

static bool has_enough(void *arg)
{
    struct member *m = arg;
    return m->count >= m->wanted;
}

void member_read_until(struct fixture *f, struct member *m, size_t wanted)
{
    m->reads_when_ready = true;
    m->wanted = wanted;
    member_read(m);
    loop_until(f->mock.reactor, has_enough, m);
    assert_int_equal(m->count, wanted);
}

void put_numbers(struct fixture *f, int32_t partition, int count)
{
    char value[16];

    for (int i = 0; i < count; i++) {
        (void)snprintf(value, sizeof(value), "%d", i);
        kafka_mock_put(&f->mock, group_topic, partition, "key", value);
    }
}

void assert_value(const struct kafka_record *rec, int number)
{
    char value[16];

    (void)snprintf(value, sizeof(value), "%d", number);
    assert_int_equal(rec->value_len, strlen(value));
    assert_memory_equal(rec->value, value, rec->value_len);
}

struct kafka_record *member_nth(struct member *m, int32_t partition, size_t n)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->seen[i].origin.partition == partition && n-- == 0)
            return &m->seen[i];
    fail_msg("partition %" PRId32 " gave fewer records", partition);
    return NULL;
}

size_t member_count_of(const struct member *m, int32_t partition)
{
    size_t count = 0;

    for (size_t i = 0; i < m->count; i++)
        count += m->seen[i].origin.partition == partition;
    return count;
}

int64_t group_committed(struct fixture *f, int32_t partition)
{
    return kafka_mock_committed(&f->mock, group_name, group_topic, partition);
}
