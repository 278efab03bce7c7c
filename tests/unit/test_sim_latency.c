// How long answers take: the shapes, their quantiles, the slow episodes; and agendas.
#include "sim_agenda.h"
#include "sim_faults.h"
#include "sim_latency.h"
#include "test.h"

#include <stdlib.h>

enum { THROWS = 20001 };

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Fills sorted with what THROWS requests take.
static void throw_all(const struct sim_latency *l, int64_t sorted[THROWS])
{
    struct sim_faults *f = sim_faults_new("dice");

    for (uint64_t i = 0; i < THROWS; i++)
        sorted[i] =
            sim_latency_us(l, i, sim_faults_dice(f, 1, i), sim_faults_dice(f, 2, i));
    qsort(sorted, THROWS, sizeof(sorted[0]), compare);
    sim_faults_free(f);
}

static void assert_near(int64_t got, int64_t wanted)
{
    print_message("%lld is near %lld\n", (long long)got, (long long)wanted);
    assert_in_range(got, wanted * 95 / 100, wanted * 105 / 100);
}

static void without_a_high_end_all_take_the_same(void **state)
{
    static int64_t us[THROWS];
    const struct sim_latency l = { .delay_us = 5000 };

    (void)state;
    throw_all(&l, us);
    assert_int_equal(us[0], 5000);
    assert_int_equal(us[THROWS - 1], 5000);
}

static void a_log_normal_keeps_its_median_and_its_high_end(void **state)
{
    static int64_t us[THROWS];
    const struct sim_latency l = { .delay_us = 100000, .high_us = 400000 };

    (void)state;
    throw_all(&l, us);
    assert_near(us[THROWS / 2], 100000);
    assert_near(us[THROWS * 99 / 100], 400000);
    assert_true(us[0] > 0 && us[0] < 30000);
    assert_true(us[THROWS - 1] > 600000);
}

static void a_uniform_one_stays_between_its_ends(void **state)
{
    static int64_t us[THROWS];
    const struct sim_latency l = { .delay_us = 100000,
                                   .high_us = 200000,
                                   .is_uniform = true };

    (void)state;
    throw_all(&l, us);
    assert_true(us[0] >= 100000 && us[THROWS - 1] <= 200000);
    assert_near(us[THROWS / 4], 125000);
    assert_near(us[THROWS * 9 / 10], 190000);
}

static void an_episode_is_slow_for_so_many(void **state)
{
    const struct sim_latency l = {
        .delay_us = 10, .slow_every = 10, .slow_count = 3, .slow_us = 1000
    };

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(sim_latency_us(&l, i, 1, 2), i % 10 >= 7 ? 1010 : 10);
}

static void an_agenda_gives_the_earliest_and_equal_ones_in_order(void **state)
{
    struct sim_agenda a = { 0 };
    int64_t last_us = -1;
    uint32_t last = 0;

    (void)state;
    for (uint32_t i = 0; i < 5000; i++)
        sim_agenda_put(&a, &(struct sim_entry){ .due_us = i * 7919 % 97,
                                                .number = i,
                                                .step = (uint8_t)(i % 2) });
    sim_agenda_move(&a, 0, 1, -50, 20);  // what is at 70 or before is due at 20 then
    for (size_t left = 5000; left > 0; left--) {
        const struct sim_entry *e = sim_agenda_first(&a);
        int64_t wanted_us = e->number * 7919 % 97;
        if (e->step == 1)
            wanted_us = wanted_us > 70 ? wanted_us - 50 : 20;
        assert_int_equal(e->due_us, wanted_us);
        assert_true(e->due_us > last_us || (e->due_us == last_us && e->number > last));
        last_us = e->due_us;
        last = e->number;
        sim_agenda_drop(&a);
    }
    assert_null(sim_agenda_first(&a));
    sim_agenda_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_high_end_all_take_the_same),
        cmocka_unit_test(a_log_normal_keeps_its_median_and_its_high_end),
        cmocka_unit_test(a_uniform_one_stays_between_its_ends),
        cmocka_unit_test(an_episode_is_slow_for_so_many),
        cmocka_unit_test(an_agenda_gives_the_earliest_and_equal_ones_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
