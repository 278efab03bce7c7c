// The folder that the workers of a machine share, when its disk is full, and the crashes
// that they note in it.
#include "crash_notes.h"
#include "journal.h"
#include "scratch.h"
#include "state_folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    char dir[SCRATCH_BYTES];
    struct state_folder *first;
};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    scratch_make(s->dir);
    assert_int_equal(state_folder_open(&s->first, s->dir, NULL), OUTCOME_OK);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    state_folder_close(s->first);
    scratch_remove(s->dir);
    free(s);
    return 0;
}

static void each_worker_has_the_lowest_free_folder(void **state)
{
    struct scene *s = *state;
    struct state_folder *second = NULL, *third = NULL;

    assert_int_equal(state_folder_open(&second, s->dir, NULL), OUTCOME_OK);
    assert_int_equal(state_folder_number(second), 1);
    assert_int_equal(state_folder_lock(second, 0), -1);
    assert_int_equal(state_folder_lock(second, 1), -1);
    assert_int_equal(state_folder_lock(second, 2), -1);
    state_folder_close(s->first);
    s->first = NULL;
    int left = state_folder_lock(second, 0);
    assert_true(left >= 0);
    assert_int_equal(state_folder_open(&third, s->dir, NULL), OUTCOME_OK);
    assert_int_equal(state_folder_number(third), 2);
    state_folder_close(third);
    close(left);
    assert_int_equal(state_folder_open(&third, s->dir, NULL), OUTCOME_OK);
    assert_int_equal(state_folder_number(third), 0);
    assert_true(state_folder_has(second, 2));
    assert_false(state_folder_has(second, 3));
    state_folder_close(third);
    state_folder_close(second);
}

static void a_folder_that_cannot_be_used_is_named(void **state)
{
    static const char *const paths[] = { "/proc/smsq/state", "/dev/null/state" };
    struct state_folder *f = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct err err = { 0 };
        assert_int_equal(state_folder_open(&f, paths[i], &err), OUTCOME_FATAL);
        assert_non_null(strstr(err.text, paths[i]));
        assert_non_null(strstr(err.text, "worker.state_dir"));
    }
}

static void a_full_disk_is_an_error_at_the_start(void **state)
{
    struct scene *s = *state;
    struct rlimit before, small = { 8192, RLIM_INFINITY };
    struct journal *j = NULL;
    struct err err = { 0 };

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum outcome rc = journal_open(&j, state_folder_own(s->first), 1000, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, OUTCOME_FATAL);
    assert_non_null(strstr(err.text, "worker.state_dir"));
    assert_non_null(strstr(err.text, "File too large"));
    assert_int_equal(unlinkat(state_folder_root(s->first), "slot-0", AT_REMOVEDIR), 0);
}

static void crashes_are_counted_for_all_workers_of_the_machine(void **state)
{
    struct scene *s = *state;
    struct crash_notes *mine = NULL, *theirs = NULL;
    int root = state_folder_root(s->first);

    assert_int_equal(crash_notes_open(&mine, root, NULL), OUTCOME_OK);
    assert_int_equal(crash_notes_open(&theirs, root, NULL), OUTCOME_OK);
    assert_int_equal(crash_notes_count(theirs, 1, 2, 3), 0);
    assert_int_equal(crash_notes_add(mine, 1, 2, 3), 1);
    assert_int_equal(crash_notes_add(theirs, 1, 2, 3), 2);
    assert_int_equal(crash_notes_count(mine, 1, 2, 3), 2);
    assert_int_equal(crash_notes_count(mine, 1, 2, 4), 0);
    assert_int_equal(crash_notes_count(mine, 0, 2, 3), 0);
    for (int64_t offset = 1000; offset < 1062; offset++)
        assert_int_equal(crash_notes_add(mine, 0, 0, offset), 1);
    assert_int_equal(crash_notes_count(theirs, 1, 2, 3), 2);
    crash_notes_forget(theirs, 1, 2, 3);
    assert_int_equal(crash_notes_count(mine, 1, 2, 3), 0);
    assert_int_equal(crash_notes_count(mine, 0, 0, 1061), 1);
    crash_notes_close(mine);
    crash_notes_close(theirs);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_worker_has_the_lowest_free_folder),
        TEST(a_folder_that_cannot_be_used_is_named),
        TEST(a_full_disk_is_an_error_at_the_start),
        TEST(crashes_are_counted_for_all_workers_of_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
