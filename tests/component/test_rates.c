// The rate card: from the file into the table and back.
#include "store_ask.h"

#include "rate_card.h"
#include "rates.h"
#include "store_messages.h"

#include <string.h>

static void check_card(const struct db_result *rows, void *arg)
{
    const struct rate_card *file = arg;
    struct rate_card *card = NULL;
    struct err err = { 0 };

    if (store_rate_card_read(&card, rows, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rate_card_count(card), rate_card_count(file));
    for (size_t i = 0; i < rate_card_count(file); i++)
        assert_memory_equal(rate_card_at(card, i), rate_card_at(file, i),
                            sizeof(struct rate));
    rate_card_free(card);
}

static void the_card_of_the_file_comes_back_from_the_table(void **state)
{
    struct db_fixture *f = *state;
    struct rate_card *file = NULL;
    struct err err = { 0 };
    size_t count = 0;

    for (int times = 0; times < 2; times++) {
        if (rates_load(&count, "deploy/rate_card.csv", pg_url(f->pg), &err))
            fail_msg("%s", err.text);
        assert_int_equal(pg_int(f->pg, "select count(*) from rate_card"), count);
        pg_exec(f->pg, "update rate_card set price_micros = 1");
    }
    assert_int_equal(rates_load(&count, "deploy/rate_card.csv", pg_url(f->pg), &err),
                     OUTCOME_OK);

    assert_int_equal(rate_card_load(&file, "deploy/rate_card.csv", &err), OUTCOME_OK);
    struct ask ask = { check_card, file, false };
    store_rate_card(f->db, ask_done, &ask);
    ask_wait(f, &ask);
    rate_card_free(file);
}

static void a_card_that_cannot_be_loaded_changes_nothing(void **state)
{
    struct db_fixture *f = *state;
    struct err err = { 0 };
    size_t count = 0;

    assert_int_equal(rates_load(&count, "deploy/rate_card.md", pg_url(f->pg), &err),
                     OUTCOME_REJECT);
    assert_non_null(strstr(err.text, "deploy/rate_card.md: line 1: "));
    assert_int_equal(rates_load(&count, "deploy/rate_card.csv",
                                "postgresql:///postgres?host=/nowhere", &err),
                     OUTCOME_RETRY);

    pg_exec(f->pg, "alter table rate_card add constraint no_us check (country <> 'US')");
    assert_int_equal(rates_load(&count, "deploy/rate_card.csv", pg_url(f->pg), &err),
                     OUTCOME_REJECT);
    assert_non_null(strstr(err.text, "no_us"));
    pg_exec(f->pg, "alter table rate_card drop constraint no_us");
    assert_int_equal(pg_int(f->pg, "select count(*) from rate_card"), 0);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_card_of_the_file_comes_back_from_the_table),
        STORE_TEST(a_card_that_cannot_be_loaded_changes_nothing),
    };

    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
