// What a running worker has in its journal: a POST is noted before it leaves, its answer
// before anything is done with it, and nothing once PostgreSQL has the result.
#include "journal_origin.h"
#include "journal_read.h"
#include "workplace.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_journal(struct workplace *w, struct journal_image *image)
{
    char folder[96], path[400] = "";
    struct journal_origin here;

    (void)snprintf(folder, sizeof(folder), "%s/slot-0", w->state_dir);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strncmp(e->d_name, "journal-", 8) == 0)
            (void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
    (void)closedir(dir);
    journal_origin_here(&here);
    char *database =
        pg_text(w->pg, "select system_identifier || ':' || d.oid || ':00000001'"
                       "  from pg_control_system(), pg_database d"
                       " where datname = current_database()");
    (void)snprintf(here.database, sizeof(here.database), "%s", database);
    free(database);
    assert_int_equal(journal_read(image, -1, path, &here, NULL), OUTCOME_OK);
    assert_true(image->proves);
    assert_int_equal(image->epoch_count, 1);
}

static void a_post_is_in_the_journal_until_its_result_is_written(void **state)
{
    struct workplace *w = *state;
    struct journal_image image;
    struct sms_job job;

    peer_hold(w->peer, true);
    workplace_start(w);
    workplace_job(w, &job, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_posts(w, 1);
    read_journal(w, &image);
    assert_int_equal(image.begun_count, 1);
    assert_int_equal(image.answered_count, 0);
    assert_memory_equal(image.begun[0].message_id, job.message_id, 16);
    assert_int_equal(image.begun[0].turn, 1);
    journal_image_free(&image);
    peer_hold(w->peer, false);
    workplace_wait_sql(w, "select count(*) from attempts", 1);
    workplace_ends(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_post_is_in_the_journal_until_its_result_is_written, workplace_setup,
            workplace_teardown),
    };
    return cmocka_run_group_tests(tests, workplace_group_start, workplace_group_stop);
}
