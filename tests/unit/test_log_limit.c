// Which warnings are written and which are counted. The state is one for the process, so
// each test has events of its own.
#include "log_limit.h"

#include "test.h"

#include <string.h>

static int64_t pass(const char *event, int64_t now_us, bool wanted)
{
    int64_t repeated;

    assert_int_equal(log_limit_pass(LOG_LEVEL_WARN, event, now_us, &repeated), wanted);
    return repeated;
}

static void so_many_lines_pass_and_the_rest_is_counted(void **state)
{
    (void)state;
    for (int i = 0; i < LOG_LIMIT_LINES; i++)
        assert_int_equal(pass("a", 1000 + i, true), 0);
    for (int i = 0; i < 3; i++)
        pass("a", 2000, false);
    assert_true(log_limit_waits());
    assert_int_equal(pass("b", 2000, true), 0);  // another event is not concerned
    assert_int_equal(pass("a", LOG_LIMIT_US + 1000, true), 3);
    assert_false(log_limit_waits());
    assert_int_equal(pass("a", LOG_LIMIT_US + 1001, true), 0);
}

static void what_nobody_repeats_is_told_when_its_time_is_over(void **state)
{
    enum log_level level;
    const char *event;
    int64_t repeated;

    (void)state;
    for (int i = 0; i < LOG_LIMIT_LINES + 5; i++)
        (void)pass("c", 1000, i < LOG_LIMIT_LINES);
    assert_false(log_limit_due(LOG_LIMIT_US, &level, &event, &repeated));
    assert_true(log_limit_due(LOG_LIMIT_US + 1000, &level, &event, &repeated));
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_string_equal(event, "c");
    assert_int_equal(repeated, 5);
    assert_false(log_limit_due(INT64_MAX, &level, &event, &repeated));
}

static void levels_of_one_event_are_counted_apart(void **state)
{
    int64_t repeated;

    (void)state;
    for (int i = 0; i < LOG_LIMIT_LINES; i++)
        (void)pass("d", 1000, true);
    (void)pass("d", 1000, false);
    assert_true(log_limit_pass(LOG_LEVEL_ERROR, "d", 1000, &repeated));
}

static void more_events_than_there_is_room_for_are_not_limited(void **state)
{
    static char names[LOG_LIMIT_EVENTS + 1][8];

    (void)state;
    for (int i = 0; i <= LOG_LIMIT_EVENTS; i++) {
        memcpy(names[i], "event", 6);
        names[i][5] = (char)('0' + i / 10);
        names[i][6] = (char)('0' + i % 10);
        (void)pass(names[i], 1000, true);
    }
    for (int i = 0; i < 2 * LOG_LIMIT_LINES; i++)
        (void)pass(names[LOG_LIMIT_EVENTS], 1000, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_lines_pass_and_the_rest_is_counted),
        cmocka_unit_test(what_nobody_repeats_is_told_when_its_time_is_over),
        cmocka_unit_test(levels_of_one_event_are_counted_apart),
        cmocka_unit_test(more_events_than_there_is_room_for_are_not_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
