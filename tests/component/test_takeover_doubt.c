// Journals that prove nothing to whoever finds them: all claims are in doubt.
#include "takeover_scene.h"

#include "reactor.h"

#include <string.h>

#define IN_HEADER(field) offsetof(struct journal_header, field)

static const struct {
    const char *what;
    size_t at;
    bool resealed;
    int64_t in_doubt;  // of the five claims
    size_t kept_aside;
} strangers[] = {
    { "another boot", IN_HEADER(origin.boot_id), true, 5, 0 },
    { "another host", IN_HEADER(origin.host), true, 5, 0 },
    { "another database", IN_HEADER(origin.database), true, 5, 1 },
    { "a new version", IN_HEADER(version), true, 5, 0 },
    { "a torn header", IN_HEADER(origin.boot_id), false, 5, 1 },
    { "a torn slot", sizeof(struct journal_header) + 10, false, 5, 0 },
    { "no journal at all", IN_HEADER(magic), false, 0, 1 },
};

static void assert_proves_nothing(struct takeover_scene *s, size_t i)
{
    takeover_scene_die(s);
    dead_journal_patch(s->dead.path, strangers[i].at, "?", 1);
    if (strangers[i].resealed)
        dead_journal_reseal(s->dead.path);
    takeover_scene_resolve(s);
    takeover_scene_count(s, strangers[i].in_doubt,
                         "select count(*) from messages where status = 'in_doubt'"
                         " and claimed_epoch = 1");
    takeover_scene_count(s, 5 - strangers[i].in_doubt,
                         "select count(*) from messages where status = 'claimed'");
    takeover_scene_count(s, strangers[i].in_doubt,
                         "select count(*) from decisions where kind = 'in_doubt'");
    takeover_scene_count(s, 0, "select count(*) from delayed");
    assert_int_equal(takeover_scene_files(s, "aside-"), strangers[i].kept_aside);
    assert_int_equal(takeover_scene_files(s, JOURNAL_PREFIX), 1);
}

static void a_journal_that_proves_nothing_puts_its_claims_in_doubt(void **state)
{
    struct takeover_scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        print_message("%s\n", strangers[i].what);
        if (i > 0) {
            takeover_scene_end(s);
            takeover_scene_open_db(s);
            scratch_remove(s->dir);
            pg_exec(s->f->pg, "truncate messages, attempts, decisions, delayed");
            dead_journal_open(&s->dead, s->dir);
            journal_set_epoch(s->dead.journal, TAKEOVER_EPOCH);
            journal_set_database(s->dead.journal, s->database);
        }
        assert_proves_nothing(s, i);
    }
}

static void an_older_timeline_is_another_database(void **state)
{
    struct takeover_scene *s = *state;

    s->database[strlen(s->database) - 1] = '2';
    journal_set_database(s->dead.journal, s->database);
    takeover_scene_die(s);
    takeover_scene_resolve(s);
    takeover_scene_count(s, 5, "select count(*) from messages where status = 'in_doubt'");
}

#define TEST(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, takeover_scene_start, takeover_scene_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_journal_that_proves_nothing_puts_its_claims_in_doubt),
        TEST(an_older_timeline_is_another_database),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
