// W3C Trace Context, level 1: what is valid, what is handed on, what is made anew.
#include "trace.h"

#include "test.h"

#include <string.h>

#define ID     "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static const struct {
    const char *text;
    bool valid;
} cases[] = {
    { "00-" ID "-" PARENT "-01", true },
    { "00-" ID "-" PARENT "-00", true },
    { "00-" ID "-" PARENT "-ff", true },
    { "01-" ID "-" PARENT "-01", true },
    { "cc-" ID "-" PARENT "-01-what-the-future-brings", true },
    { "01-" ID "-" PARENT "-01.more", false },
    { "ff-" ID "-" PARENT "-01", false },
    { "00-" ID "-" PARENT "-01-more", false },
    { "00-" ID "-" PARENT "-0", false },
    { "00-" ID "-" PARENT "-0g", false },
    { "00-" ID "-" PARENT "-0A", false },
    { "0g-" ID "-" PARENT "-01", false },
    { "00-00000000000000000000000000000000-" PARENT "-01", false },
    { "00-" ID "-0000000000000000-01", false },
    { "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", false },
    { "00-4bf92f3577b34da6a3ce929d0e0e473-" PARENT "-010", false },
    { "00_" ID "-" PARENT "-01", false },
    { "00-" ID "_" PARENT "-01", false },
    { "00-" ID "-" PARENT "_01", false },
    { " 00-" ID "-" PARENT "-01", false },
    { "00-" ID "-" PARENT "-01 ", false },
    { "", false },
    { "00", false },
};

static void what_the_specification_calls_invalid_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].text);
        assert_int_equal(trace_is_valid(cases[i].text), cases[i].valid);
    }
}

static void what_is_handed_on_is_valid_and_keeps_a_valid_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char out[TRACE_PARENT_BYTES];
        trace_continue(out, cases[i].text);
        print_message("%s\n", out);
        assert_true(trace_is_valid(out));
        assert_memory_equal(out, "00-", 3);
        bool is_kept = memcmp(trace_id_of(out), ID, TRACE_ID_DIGITS) == 0;
        assert_int_equal(is_kept, cases[i].valid);
        assert_int_not_equal(memcmp(out + 36, PARENT, strlen(PARENT)), 0);  // our own
    }
}

static void only_the_sampled_flag_is_handed_on(void **state)
{
    static const struct {
        const char *in, *flags;
    } flags[] = { { "00-" ID "-" PARENT "-01", "01" },
                  { "00-" ID "-" PARENT "-00", "00" },
                  { "00-" ID "-" PARENT "-ff", "01" },
                  { "00-" ID "-" PARENT "-fe", "00" },
                  { "not a trace", "00" } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        char out[TRACE_PARENT_BYTES];
        trace_continue(out, flags[i].in);
        assert_string_equal(out + 53, flags[i].flags);
    }
}

static void a_new_trace_is_another_each_time(void **state)
{
    char one[TRACE_PARENT_BYTES], other[TRACE_PARENT_BYTES];

    (void)state;
    trace_continue(one, "bad");
    trace_continue(other, "bad");
    assert_memory_not_equal(trace_id_of(one), trace_id_of(other), TRACE_ID_DIGITS);
    assert_null(trace_id_of(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_specification_calls_invalid_is),
        cmocka_unit_test(what_is_handed_on_is_valid_and_keeps_a_valid_trace),
        cmocka_unit_test(only_the_sampled_flag_is_handed_on),
        cmocka_unit_test(a_new_trace_is_another_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
