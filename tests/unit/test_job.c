// Queues of jobs, and the set of those that are held.
#include "job.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

static struct job *hold(struct job_set *set, unsigned char id, int32_t turn)
{
    struct job *job = xcalloc(1, sizeof(*job));

    memset(job->sms.message_id, id, sizeof(job->sms.message_id));
    job->sms.turn = turn;
    job_hold(set, job);
    return job;
}

static void a_queue_gives_back_in_order(void **state)
{
    struct job_set set = { 0 };
    struct job_queue q = { 0 };

    (void)state;
    assert_null(job_queue_pop(&q));
    for (int round = 0; round < 2; round++) {  // an emptied queue is like a new one
        struct job *a = hold(&set, 1, 1), *b = hold(&set, 2, 1), *c = hold(&set, 3, 1);
        job_queue_push(&q, a);
        job_queue_push(&q, b);
        assert_int_equal(q.count, 2);
        assert_ptr_equal(job_queue_pop(&q), a);
        job_queue_push(&q, c);
        job_queue_push(&q, a);  // it may wait again
        assert_ptr_equal(job_queue_pop(&q), b);
        assert_ptr_equal(job_queue_pop(&q), c);
        assert_ptr_equal(job_queue_pop(&q), a);
        assert_null(job_queue_pop(&q));
        assert_int_equal(q.count, 0);
        assert_null(q.first);
        assert_null(q.last);
    }
    while (set.first)
        job_free(&set, set.first);
}

static void assert_held(const struct job_set *set, const char *ids)
{
    size_t n = strlen(ids);
    const struct job *job = set->first;

    assert_int_equal(set->count, n);
    for (size_t i = n; i-- > 0; job = job->held_next) {
        assert_non_null(job);
        assert_int_equal(job->sms.message_id[0], ids[i]);
        if (job->held_next)
            assert_ptr_equal(job->held_next->held_previous, job);
    }
    assert_null(job);
    if (set->first)
        assert_null(set->first->held_previous);
}

static void jobs_leave_the_set_from_any_place(void **state)
{
    struct job_set set = { 0 };

    (void)state;
    struct job *a = hold(&set, 'a', 1), *b = hold(&set, 'b', 1), *c = hold(&set, 'c', 1);
    struct job *d = hold(&set, 'd', 1);
    assert_held(&set, "abcd");
    job_free(&set, b);
    assert_held(&set, "acd");
    job_free(&set, d);
    assert_held(&set, "ac");
    job_free(&set, a);
    assert_held(&set, "c");
    job_free(&set, c);
    assert_held(&set, "");
}

static void a_job_goes_with_all_it_owns(void **state)
{
    struct job_set set = { 0 };

    (void)state;
    struct job *job = hold(&set, 1, 1);
    job_free(&set, job);
    assert_int_equal(set.count, 0);
}

static void keys_come_sorted_by_id_and_turn(void **state)
{
    static const struct {
        unsigned char id;
        int32_t turn;
    } wanted[] = { { 1, 2 }, { 1, 10 }, { 2, 1 }, { 200, 1 } };
    struct job_set set = { 0 };

    (void)state;
    hold(&set, 2, 1);
    hold(&set, 1, 10);
    hold(&set, 200, 1);
    hold(&set, 1, 2);
    struct turn_key *keys = job_set_keys(&set);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_int_equal(keys[i].message_id[0], wanted[i].id);
        assert_int_equal(keys[i].message_id[15], wanted[i].id);
        assert_int_equal(keys[i].turn, wanted[i].turn);
    }
    free(keys);
    while (set.first)
        job_free(&set, set.first);
    keys = job_set_keys(&set);
    assert_non_null(keys);  // of nothing: still an array
    free(keys);
}

static void lanes_have_the_names_of_their_topics(void **state)
{
    (void)state;
    assert_string_equal(lane_name(LANE_URGENT), "urgent");
    assert_string_equal(lane_name(LANE_NORMAL), "normal");
    assert_string_equal(lane_name(LANE_BULK), "bulk");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_gives_back_in_order),
        cmocka_unit_test(jobs_leave_the_set_from_any_place),
        cmocka_unit_test(a_job_goes_with_all_it_owns),
        cmocka_unit_test(keys_come_sorted_by_id_and_turn),
        cmocka_unit_test(lanes_have_the_names_of_their_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
