// What a running worker has in its journal: a POST is noted before it leaves, its answer
// before anything is done with it, and nothing once PostgreSQL has the result.
#include "journal_origin.h"
#include "journal_read.h"
#include "workplace.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

// Whether the journal has so many answers and so many slots in use, within 20 s.
static bool comes_to(struct workplace *w, size_t answered, size_t used)
{
    for (int i = 0; i < 400; i++) {
        struct journal_image image;
        read_journal(w, &image);
        bool is_so = image.answered_count == answered && image.key_count == used;
        journal_image_free(&image);
        if (is_so)
            return true;
        (void)usleep(50000);
    }
    return false;
}

static PGconn *stop_results(struct workplace *w)
{
    PGconn *conn = PQconnectdb(pg_url(w->pg));

    PQclear(PQexec(conn, "begin; lock table attempts in access exclusive mode"));
    assert_int_equal(PQtransactionStatus(conn), PQTRANS_INTRANS);
    return conn;
}

static void an_answer_is_in_the_journal_until_its_result_is_committed(void **state)
{
    struct workplace *w = *state;
    struct sms_job job;

    peer_hold(w->peer, true);
    workplace_start(w);
    workplace_job(w, &job, 0);
    workplace_put(w, TOPIC_JOBS_NORMAL, &job);
    workplace_wait_posts(w, 1);
    PGconn *other = stop_results(w);
    peer_hold(w->peer, false);
    assert_true(comes_to(w, 1, 1));
    (void)usleep(300000);  // longer than results gather
    assert_true(comes_to(w, 1, 1));
    PQfinish(other);
    workplace_wait_sql(w, "select count(*) from attempts", 1);
    assert_true(comes_to(w, 0, 0));
    workplace_ends(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_post_is_in_the_journal_until_its_result_is_written, workplace_setup,
            workplace_teardown),
        cmocka_unit_test_setup_teardown(
            an_answer_is_in_the_journal_until_its_result_is_committed, workplace_setup,
            workplace_teardown),
    };
    return cmocka_run_group_tests(tests, workplace_group_start, workplace_group_stop);
}
