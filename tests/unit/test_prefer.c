// Prefer: wait=N, as RFC 7240 writes it, and what is not that.
#include "prefer.h"

#include "test.h"

static const struct {
    const char *fields[3];
    int wait_s;
} cases[] = {
    { { "wait=10" }, 10 },
    { { "wait=1" }, 1 },
    { { "wait=30" }, 30 },
    { { "wait=31" }, 30 },
    { { "wait=99999999999999999999999" }, 30 },
    { { "wait=0" }, 0 },
    { { "wait=007" }, 7 },
    { { "WAIT=5" }, 5 },
    { { "wait = 5" }, 5 },
    { { "wait=\"5\"" }, 5 },
    { { "wait=5;foo=bar" }, 5 },
    { { "wait=5 ; foo" }, 5 },
    { { "respond-async, wait=20" }, 20 },
    { { "handling=lenient, wait=2, respond-async" }, 2 },
    { { "respond-async", "wait=3" }, 3 },
    { { "wait=3", "wait=4" }, 3 },
    { { "wait=3, wait=4" }, 3 },
    { { ",, ,wait=6," }, 6 },
    { { "note=\"a, wait=9\", wait=8" }, 8 },
    { { "note=\"a \\\" wait=9\", wait=8" }, 8 },
    { { "foo; wait=9" }, 0 },
    { { "return=minimal" }, 0 },
    { { "wait" }, 0 },
    { { "wait=" }, 0 },
    { { "wait=ten" }, 0 },
    { { "wait=-5" }, 0 },
    { { "wait=+5" }, 0 },
    { { "wait=5s" }, 0 },
    { { "wait=5.5" }, 0 },
    { { "wait=5 6" }, 0 },
    { { "wait=\"5" }, 0 },
    { { "wait=5\"" }, 0 },
    { { "wait=\"\"" }, 0 },
    { { "wait=x, wait=5" }, 0 },  // the first one counts
    { { "waiting=5" }, 0 },
    { { "await=5" }, 0 },
    { { "\"wait=5" }, 0 },
    { { "\\\"" }, 0 },
    { { "=5" }, 0 },
    { { "" }, 0 },
    { { NULL }, 0 },
};

static void the_first_wait_counts_and_garbage_is_ignored(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t count = 0;

        while (cases[i].fields[count])
            count++;
        print_message("%s\n", count > 0 ? cases[i].fields[0] : "(none)");
        assert_int_equal(prefer_wait_s(cases[i].fields, count), cases[i].wait_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_wait_counts_and_garbage_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
