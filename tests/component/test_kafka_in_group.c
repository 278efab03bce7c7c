// What is not acknowledged comes again, what is acknowledged does not, in every order of
// work and through every change of the group.
#include "kafka_group.h"

static void the_next_member_begins_behind_the_unbroken_part(void **state)
{
    static const size_t acked[] = { 9, 0, 4, 2, 5, 1 };
    struct fixture *f = *state;
    struct member *m = &f->a;

    put_numbers(f, 0, 10);
    put_numbers(f, 1, 2);
    member_join(f, m);
    member_read_until(f, m, 12);
    kafka_in_stop_reading(m->in);
    for (size_t i = 0; i < COUNT_OF(acked); i++) {
        kafka_in_ack(m->in, &member_nth(m, 0, acked[i])->origin);
        kafka_in_ack(m->in, &member_nth(m, 0, acked[i])->origin);  // repeats do not count
    }
    kafka_in_ack(m->in, &member_nth(m, 1, 1)->origin);
    member_close(m);
    // Records outlive the close.
    assert_memory_equal(member_nth(m, 0, 9)->value, "9", 1);
    member_forget(m);
    assert_int_equal(group_committed(f, 0), 3);
    assert_int_equal(group_committed(f, 1), RD_KAFKA_OFFSET_INVALID);

    member_join(f, m);
    member_read_until(f, m, 9);
    assert_int_equal(member_nth(m, 0, 0)->origin.offset, 3);
    assert_int_equal(member_count_of(m, 0), 7);
    assert_int_equal(member_count_of(m, 1), 2);
}

static bool is_committed(void *arg)
{
    return group_committed(arg, 2) == 5;
}

static void offsets_are_committed_while_it_runs(void **state)
{
    struct fixture *f = *state;

    put_numbers(f, 2, 5);
    f->a.acks = true;
    member_join(f, &f->a);
    member_read_until(f, &f->a, 5);
    loop_until(f->mock.reactor, is_committed, f);
}

enum { EACH = 20 };  // records per partition

static bool both_are_assigned(void *arg)
{
    struct fixture *f = arg;
    return member_is_assigned(&f->b) && member_is_assigned(&f->a);
}

static void mark(const struct member *m, size_t from, bool came[PARTITIONS][EACH])
{
    for (size_t i = from; i < m->count; i++)
        came[m->seen[i].origin.partition][m->seen[i].origin.offset] = true;
}

// After the change, when member a had had each record once.
static bool all_came_again(void *arg)
{
    struct fixture *f = arg;
    bool came[PARTITIONS][EACH] = { { false } };
    size_t count = 0;

    mark(&f->a, PARTITIONS * EACH, came);
    mark(&f->b, 0, came);
    for (size_t i = 0; i < PARTITIONS * EACH; i++)
        count += came[i / EACH][i % EACH];
    return count == PARTITIONS * EACH;
}

static size_t count_committed(void *arg)
{
    size_t count = 0;

    for (int32_t p = 0; p < PARTITIONS; p++)
        count += group_committed(arg, p) == EACH;
    return count;
}

static bool some_are_committed(void *arg)
{
    return count_committed(arg) > 0;
}

static bool all_are_committed(void *arg)
{
    return count_committed(arg) == PARTITIONS;
}

// Member a has all and acknowledges nothing until b takes a part of it away. Then its
// acknowledgements are too late, though it has the same records of its own part again.
static void members_come_and_go_without_a_loss(void **state)
{
    struct fixture *f = *state;
    struct member *a = &f->a, *b = &f->b;
    int late = 0;

    for (int32_t p = 0; p < PARTITIONS; p++)
        put_numbers(f, p, EACH);
    member_join(f, a);
    member_read_until(f, a, PARTITIONS * EACH);
    b->acks = b->reads_when_ready = true;
    member_join(f, b);
    loop_until(f->mock.reactor, both_are_assigned, f);
    loop_until(f->mock.reactor, all_came_again, f);
    loop_until(f->mock.reactor, some_are_committed, f);  // b's part
    for (size_t i = 0; i < PARTITIONS * EACH; i++) {
        assert_value(&a->seen[i], (int)a->seen[i].origin.offset);  // still there
        kafka_in_ack(a->in, &a->seen[i].origin);
    }
    member_close(a);
    for (int32_t p = 0; p < PARTITIONS; p++)
        late += group_committed(f, p) == RD_KAFKA_OFFSET_INVALID;
    assert_in_range(late, 1, PARTITIONS - 1);  // a's part
    loop_until(f->mock.reactor, all_are_committed, f);
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (size_t i = 0; i < EACH; i++)
            (void)member_nth(b, p, i);  // b had them all in the end
}

#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, kafka_group_setup, kafka_group_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_member_begins_behind_the_unbroken_part),
        TEST(offsets_are_committed_while_it_runs),
        TEST(members_come_and_go_without_a_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
