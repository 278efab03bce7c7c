// One holder at a time, and none for ever.
#include "store_ask.h"

#include "lease.h"
#include "metrics.h"
#include "reactor.h"

#include <unistd.h>

enum { TERM_US = 600000 };

struct contender {
    struct lease *lease;
    struct db *db;
    struct metrics *metrics;
    size_t taken;
};

static void on_taken(void *arg)
{
    struct contender *c = arg;
    c->taken++;
}

static void enter(struct contender *c, struct db_fixture *f, const char *name)
{
    const struct db_settings db = { .url = (char *)pg_url(f->pg) };
    struct err err = { 0 };

    *c = (struct contender){ .metrics = metrics_new() };
    assert_int_equal(db_open(&c->db, f->reactor, &db, "lease test", NULL, &err), 0);
    const struct lease_settings set = {
        .name = name,
        .program = "test",
        .term_us = TERM_US,
        .db = c->db,
        .taken = on_taken,
        .arg = c,
    };
    c->lease = lease_new(f->reactor, &set, c->metrics);
}

static void leave(struct contender *c)
{
    lease_free(c->lease);
    db_close(c->db);
    metrics_free(c->metrics);
}

static bool has_taken(void *arg)
{
    const struct contender *c = arg;
    return c->taken > 0;
}

static bool is_idle(void *arg)
{
    const struct contender *c = arg;
    return lease_is_idle(c->lease);
}

static bool is_later(void *arg)
{
    const int64_t *at_us = arg;
    return clock_boot_us() >= *at_us;
}

static void run_for(struct db_fixture *f, int64_t us)
{
    int64_t at_us = clock_boot_us() + us;
    loop_until(f->reactor, is_later, &at_us);
}

static void one_holds_it_and_renews_it_for_many_terms(void **state)
{
    struct db_fixture *f = *state;
    struct contender a, b, other;

    enter(&a, f, "work");
    loop_until(f->reactor, has_taken, &a);
    enter(&b, f, "work");
    enter(&other, f, "other work");
    run_for(f, 3 * TERM_US);
    assert_true(lease_is_held(a.lease));
    assert_int_equal(a.taken, 1);
    assert_false(lease_is_held(b.lease));
    assert_int_equal(b.taken, 0);
    assert_true(lease_is_held(other.lease));
    leave(&a);
    leave(&b);
    leave(&other);
}

static void a_frozen_holder_stops_nobody_and_knows_that_it_lost_it(void **state)
{
    struct db_fixture *f = *state;
    struct contender frozen, next;

    enter(&frozen, f, "work");
    loop_until(f->reactor, has_taken, &frozen);
    usleep(TERM_US + 50000);  // the whole loop stands: nobody renews
    assert_false(lease_is_held(frozen.lease));

    struct lease *asleep = frozen.lease;  // and stays so while another comes
    frozen.lease = NULL;
    lease_free(asleep);
    enter(&next, f, "work");
    loop_until(f->reactor, has_taken, &next);
    assert_true(lease_is_held(next.lease));
    leave(&next);
    leave(&frozen);
}

static void what_is_given_up_is_free_at_once(void **state)
{
    struct db_fixture *f = *state;
    struct contender a, b;

    enter(&a, f, "work");
    loop_until(f->reactor, has_taken, &a);
    lease_give_up(a.lease);
    loop_until(f->reactor, is_idle, &a);
    assert_false(lease_is_held(a.lease));
    assert_int_equal(pg_int(f->pg, "select count(*) from leases"), 0);

    int64_t before_us = clock_boot_us();
    enter(&b, f, "work");
    loop_until(f->reactor, has_taken, &b);
    assert_true(clock_boot_us() - before_us < TERM_US);
    lease_give_up(a.lease);  // not a's any more: b keeps it
    run_for(f, TERM_US);
    assert_true(lease_is_held(b.lease));
    leave(&a);
    leave(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(one_holds_it_and_renews_it_for_many_terms),
        STORE_TEST(a_frozen_holder_stops_nobody_and_knows_that_it_lost_it),
        STORE_TEST(what_is_given_up_is_free_at_once),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
