#include "gcra.h"

#include "test.h"

#define S_NS INT64_C(1000000000)

enum { STEPS = 20000 };

// The oracle: a bucket of burst tokens that fills at one per interval. Kept in
// nanoseconds of filling, so that nothing is rounded.
struct bucket {
    int64_t filled_ns, at_ns;
};

static bool bucket_take(struct bucket *b, const struct gcra_rule *rule, int64_t now_ns)
{
    int64_t full_ns = rule->burst * rule->interval_ns;

    b->filled_ns += now_ns - b->at_ns;
    b->at_ns = now_ns;
    if (b->filled_ns > full_ns)
        b->filled_ns = full_ns;
    if (b->filled_ns < rule->interval_ns)
        return false;
    b->filled_ns -= rule->interval_ns;
    return true;
}

// A fixed generator: the same sequences in every run.
static uint64_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static void it_decides_like_a_bucket_of_tokens(void **state)
{
    (void)state;
    static const struct gcra_rule rules[] = {
        { S_NS, 60 }, { S_NS, 1 }, { 60 * S_NS, 1 }, { 7 * S_NS / 3, 5 }, { 1000, 100 },
    };
    uint64_t seed = 20261121;

    for (size_t r = 0; r < COUNT_OF(rules); r++) {
        int64_t now_ns = 5 * S_NS, tat_ns = 0;
        struct bucket b = { rules[r].burst * rules[r].interval_ns, now_ns };
        int taken = 0;
        for (int i = 0; i < STEPS; i++) {
            // Rests of all lengths: none, parts of an interval, more than the burst.
            uint64_t most = (uint64_t)rules[r].interval_ns << (next(&seed) % 3);
            if (next(&seed) % 50 == 0)
                most *= (uint64_t)rules[r].burst;
            now_ns += (int64_t)(next(&seed) % (most / 2 + 1));
            bool is = gcra_take(&tat_ns, &rules[r], now_ns);
            assert_int_equal(is, bucket_take(&b, &rules[r], now_ns));
            assert_int_equal(gcra_left(tat_ns, &rules[r], now_ns),
                             b.filled_ns / rules[r].interval_ns);
            int64_t wait_ns = rules[r].interval_ns - b.filled_ns;
            assert_int_equal(gcra_wait_ns(tat_ns, &rules[r], now_ns),
                             wait_ns > 0 ? wait_ns : 0);
            taken += is;
        }
        assert_in_range(taken, STEPS / 100,
                        STEPS - STEPS / 100);  // both answers were met
    }
}

static void a_minute_s_allowance_may_come_at_once_and_no_more(void **state)
{
    (void)state;
    const struct gcra_rule rule = gcra_per_minute(60);
    int64_t tat_ns = 0, now_ns = S_NS;

    for (int left = 59; left >= 0; left--) {
        assert_true(gcra_take(&tat_ns, &rule, now_ns));
        assert_int_equal(gcra_left(tat_ns, &rule, now_ns), left);
    }
    assert_false(gcra_take(&tat_ns, &rule, now_ns));
    assert_int_equal(gcra_wait_ns(tat_ns, &rule, now_ns), S_NS);
    assert_int_equal(gcra_full_ns(tat_ns, now_ns), 60 * S_NS);
    assert_false(gcra_take(&tat_ns, &rule, now_ns + S_NS - 1));
    assert_true(gcra_take(&tat_ns, &rule, now_ns + S_NS));
    assert_false(gcra_take(&tat_ns, &rule, now_ns + S_NS));
}

static void the_ends_of_the_range_make_sense(void **state)
{
    (void)state;
    assert_int_equal(gcra_per_minute(1).interval_ns, 60 * S_NS);
    assert_int_equal(gcra_per_minute(1).burst, 1);
    assert_int_equal(gcra_per_minute(1000000).interval_ns, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_decides_like_a_bucket_of_tokens),
        cmocka_unit_test(a_minute_s_allowance_may_come_at_once_and_no_more),
        cmocka_unit_test(the_ends_of_the_range_make_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
