// The steps of a message's life on a clock that is moved by hand, the queues of senders,
// and the queue of callbacks.
#include "reactor.h"
#include "sim_clock.h"
#include "sim_life.h"
#include "sim_queue.h"
#include "sim_senders.h"
#include "sim_store.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { HEARD_MAX = 64, START_S = 1700000000 };

#define START_US (START_S * INT64_C(1000000))

// A life with everything it needs; what it told is in heard.
struct place {
    struct reactor *reactor;
    struct sim_clock *clock;
    struct sim_store *store;
    struct sim_senders *senders;
    struct sim_life *life;
    const char *pool[3];
    size_t pool_count;
    size_t heard_count, advances;
    struct {
        uint32_t number;
        enum sim_status status;
        int64_t at_us;
    } heard[HEARD_MAX];
};

static void on_change(void *arg, const struct sim_message *m)
{
    struct place *p = arg;
    size_t i = p->heard_count++;

    assert_true(i < HEARD_MAX);
    p->heard[i].number = m->number;
    p->heard[i].status = (enum sim_status)m->status;
    p->heard[i].at_us = sim_clock_now_us(p->clock) - START_US;
}

static const char *const *pool_of(void *arg, const struct sim_message *m, size_t *count)
{
    struct place *p = arg;

    (void)m;
    *count = p->pool_count;
    return p->pool;
}

static const struct sim_life_delays delays = { 10, 50, 150, 0, 30 };

static struct place *place_open(void)
{
    struct place *p = xcalloc(1, sizeof(*p));
    const struct sim_life_hooks hooks = { on_change, pool_of, p };
    struct err err = { 0 };

    assert_int_equal(reactor_open(&p->reactor, &err), OUTCOME_OK);
    p->pool[p->pool_count++] = "+15005550006";
    p->clock = sim_clock_new(p->reactor, START_US, 0);
    p->store = sim_store_new();
    p->senders = sim_senders_new(p->store);
    p->life = sim_life_new(p->clock, p->store, p->senders, &hooks);
    sim_life_set_delays(p->life, &delays);
    return p;
}

static void place_close(struct place *p)
{
    sim_life_free(p->life);
    sim_senders_free(p->senders);
    sim_store_free(p->store);
    sim_clock_free(p->clock);
    reactor_close(p->reactor);
    free(p);
}

static void on_done(void *arg)
{
    struct place *p = arg;

    p->advances++;
    reactor_stop(p->reactor);
}

// Moves the clock to at_us after the start, and waits until all has happened.
static void go_to(struct place *p, int64_t at_us)
{
    size_t before = p->advances;

    sim_clock_advance(p->clock, START_US + at_us - sim_clock_now_us(p->clock), on_done,
                      p);
    if (p->advances == before)
        reactor_run(p->reactor);
    assert_int_equal(p->advances, before + 1);
}

static struct sim_message *add(struct place *p, const char *from, const char *service,
                               int fate)
{
    const struct sim_draft draft = {
        .to = { "+14155550101", 12 },
        .from = { from, from ? strlen(from) : 0 },
        .service = { service, service ? strlen(service) : 0 },
        .body = { "hi", 2 },
        .segments = 2,
        .fate_code = fate,
    };
    struct sim_message *m = sim_store_add(p->store, &draft, sim_clock_now_us(p->clock));

    sim_life_begin(p->life, m);
    return m;
}

static void assert_heard(const struct place *p, size_t i, uint32_t number,
                         enum sim_status status, int64_t at_us)
{
    assert_true(i < p->heard_count);
    assert_int_equal(p->heard[i].number, number);
    assert_int_equal(p->heard[i].status, status);
    assert_int_equal(p->heard[i].at_us, at_us);
}

static const char plain[] = "+14155550007";

static void a_plain_message_is_sent_delivered_and_priced(void **state)
{
    struct place *p = place_open();
    struct sim_message *m = add(p, plain, NULL, 0);

    (void)state;
    go_to(p, 49);
    assert_int_equal(p->heard_count, 0);  // queued was in the answer
    go_to(p, 50);
    assert_int_equal(m->status, SIM_STATUS_SENT);
    assert_int_equal(m->sent_s, START_S);
    go_to(p, 150);
    assert_int_equal(m->status, SIM_STATUS_DELIVERED);
    go_to(p, 179);
    assert_false(m->price_known);
    go_to(p, 180);
    assert_true(m->price_known);
    assert_int_equal(sim_clock_next_us(p->clock), INT64_MAX);
    assert_int_equal(p->heard_count, 2);
    place_close(p);
}

static void a_service_picks_its_sender_first(void **state)
{
    struct place *p = place_open();
    struct sim_message *m = add(p, NULL, "MG1", 0);

    (void)state;
    assert_int_equal(m->status, SIM_STATUS_ACCEPTED);
    assert_null(m->from);
    go_to(p, 1000000);
    assert_string_equal(m->from, "+15005550006");
    assert_int_equal(p->heard_count, 3);
    assert_heard(p, 0, 1, SIM_STATUS_QUEUED, 10);
    assert_heard(p, 1, 1, SIM_STATUS_SENT, 50);
    assert_heard(p, 2, 1, SIM_STATUS_DELIVERED, 150);
    place_close(p);
}

static void a_failing_message_is_neither_sent_nor_priced(void **state)
{
    struct place *p = place_open();
    struct sim_message *m = add(p, NULL, "MG1", 21610);

    (void)state;
    go_to(p, 1000000);
    assert_int_equal(m->status, SIM_STATUS_FAILED);
    assert_int_equal(m->sent_s, 0);
    assert_false(m->price_known);
    assert_int_equal(p->heard_count, 2);
    assert_heard(p, 1, 1, SIM_STATUS_FAILED, 50);
    place_close(p);
}

static void steps_never_overtake_and_equal_times_keep_their_order(void **state)
{
    struct place *p = place_open();
    const struct sim_life_delays backwards = { 0, 500, 100, 0, 0 };

    (void)state;
    sim_life_set_delays(p->life, &backwards);
    for (int i = 0; i < 10; i++)
        (void)add(p, plain, NULL, 0);
    go_to(p, 499);
    assert_int_equal(p->heard_count, 0);  // delivered waits for sent
    go_to(p, 500);
    assert_int_equal(p->heard_count, 20);
    for (size_t i = 0; i < 20; i++)
        assert_heard(p, i, (uint32_t)(i % 10 + 1),
                     i < 10 ? SIM_STATUS_SENT : SIM_STATUS_DELIVERED, 500);
    place_close(p);
}

static void new_delays_count_for_messages_on_their_way(void **state)
{
    struct place *p = place_open();
    const struct sim_life_delays later = { 10, 5000, 6000, 0, 0 };

    (void)state;
    (void)add(p, plain, NULL, 0);
    go_to(p, 20);
    sim_life_set_delays(p->life, &later);
    go_to(p, 4999);
    assert_int_equal(p->heard_count, 0);
    sim_life_set_delays(p->life, &delays);  // nothing is due in the past
    go_to(p, 5000);
    assert_heard(p, 0, 1, SIM_STATUS_SENT, 4999);
    place_close(p);
}

static void a_sender_hands_over_so_many_segments_a_second(void **state)
{
    const struct sim_senders_rates rates = { .long_code = 1, .wait_max_us = 6000000 };
    struct place *p = place_open();

    (void)state;
    sim_senders_set_rates(p->senders, &rates);
    for (int i = 0; i < 3; i++)  // two segments each
        (void)add(p, plain, NULL, 0);
    (void)add(p, "+447700900123", NULL, 0);  // another sender, without a limit
    assert_false(sim_senders_has_room(p->senders, plain, "+14155550101", 2,
                                      sim_clock_now_us(p->clock)));
    (void)add(p, plain, NULL, 0);  // a service would let it in
    go_to(p, 10000000);
    assert_int_equal(p->heard_count, 9);
    assert_heard(p, 0, 1, SIM_STATUS_SENT, 50);
    assert_heard(p, 1, 4, SIM_STATUS_SENT, 50);
    assert_heard(p, 2, 5, SIM_STATUS_FAILED, 50);
    assert_heard(p, 5, 2, SIM_STATUS_SENT, 2000050);
    assert_heard(p, 7, 3, SIM_STATUS_SENT, 4000050);
    assert_int_equal(sim_store_get(p->store, 5)->fate_code, 30001);
    place_close(p);
}

static void a_day_has_so_many_segments(void **state)
{
    const struct sim_senders_rates rates = { .segments_day = 4 };
    const int64_t day_us = 86400000000;
    struct place *p = place_open();

    (void)state;
    sim_senders_set_rates(p->senders, &rates);
    for (int i = 0; i < 3; i++)
        (void)add(p, plain, NULL, 0);
    go_to(p, day_us);
    assert_int_equal(sim_store_get(p->store, 2)->status, SIM_STATUS_DELIVERED);
    assert_int_equal(sim_store_get(p->store, 3)->fate_code, 30023);
    struct sim_message *m = add(p, plain, NULL, 0);
    go_to(p, day_us + 150);
    assert_int_equal(m->status, SIM_STATUS_DELIVERED);
    place_close(p);
}

static void a_service_spreads_over_its_senders_and_stays_with_a_recipient(void **state)
{
    const struct sim_senders_rates rates = { .long_code = 1, .wait_max_us = 6000000 };
    struct place *p = place_open();

    (void)state;
    p->pool[p->pool_count++] = "+15005550011";
    sim_senders_set_rates(p->senders, &rates);
    struct sim_message *first = add(p, NULL, "MG1", 0);
    go_to(p, 20);
    struct sim_message *again = add(p, NULL, "MG1", 0);
    struct sim_message *other = add(p, NULL, "MG2", 0);
    go_to(p, 60);
    assert_string_equal(first->from, "+15005550006");
    assert_ptr_equal(again->from, first->from);
    assert_string_equal(other->from, "+15005550011");
    place_close(p);
}

static void a_running_clock_runs_faster(void **state)
{
    struct place *p = place_open();

    (void)state;
    struct sim_message *m = add(p, plain, NULL, 0);
    sim_life_set_delays(p->life,
                        &(struct sim_life_delays){ 0, 3600000000, 3600000000, 0, 0 });
    sim_clock_set_speed(p->clock, SIM_CLOCK_SPEED_MAX);
    int64_t began_us = clock_boot_us();
    while (m->status != SIM_STATUS_DELIVERED) {
        sim_clock_advance(p->clock, 0, on_done, p);
        if (p->advances == 0)
            reactor_run(p->reactor);
        p->advances = 0;
        assert_true(clock_boot_us() - began_us < 60000000);
    }
    assert_true(sim_clock_now_us(p->clock) >= START_US + 3600000000);
    place_close(p);
}

static void the_queue_gives_back_in_order_while_it_grows(void **state)
{
    struct sim_queue q = { 0 };
    uint32_t in = 0, out = 0;

    (void)state;
    assert_null(sim_queue_peek(&q));
    while (in < 100000) {
        for (int i = 0; i < 3; i++)
            sim_queue_push(&q, &(struct sim_callback){ .number = ++in });
        assert_int_equal(sim_queue_peek(&q)->number, ++out);
        sim_queue_drop(&q);
    }
    assert_int_equal(q.count, in - out);
    while (sim_queue_peek(&q)) {
        assert_int_equal(sim_queue_peek(&q)->number, ++out);
        sim_queue_drop(&q);
    }
    assert_int_equal(in, out);
    sim_queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_message_is_sent_delivered_and_priced),
        cmocka_unit_test(a_service_picks_its_sender_first),
        cmocka_unit_test(a_failing_message_is_neither_sent_nor_priced),
        cmocka_unit_test(steps_never_overtake_and_equal_times_keep_their_order),
        cmocka_unit_test(new_delays_count_for_messages_on_their_way),
        cmocka_unit_test(a_sender_hands_over_so_many_segments_a_second),
        cmocka_unit_test(a_day_has_so_many_segments),
        cmocka_unit_test(a_service_spreads_over_its_senders_and_stays_with_a_recipient),
        cmocka_unit_test(a_running_clock_runs_faster),
        cmocka_unit_test(the_queue_gives_back_in_order_while_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
