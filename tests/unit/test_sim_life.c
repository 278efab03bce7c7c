// The steps of a message's life, and the queue of its callbacks.
#include "sim_life.h"
#include "sim_queue.h"
#include "sim_store.h"
#include "test.h"

#include <string.h>

enum { HEARD_MAX = 64 };

struct heard {
    size_t count;
    struct {
        uint32_t number;
        enum sim_status status;
    } at[HEARD_MAX];
};

static void on_change(void *arg, const struct sim_message *m)
{
    struct heard *h = arg;

    assert_true(h->count < HEARD_MAX);
    h->at[h->count].number = m->number;
    h->at[h->count++].status = (enum sim_status)m->status;
}

static struct sim_message *add(struct sim_store *store, const char *service, int fate,
                               int64_t now_us)
{
    const struct sim_draft draft = {
        .to = { "+14155550101", 12 },
        .from = { "+15005550007", service ? 0 : 12 },
        .service = { service, service ? strlen(service) : 0 },
        .body = { "hi", 2 },
        .fate_code = fate,
    };
    return sim_store_add(store, &draft, now_us);
}

static const struct sim_life_delays delays = { 10, 50, 150, 30 };

static void a_plain_message_is_sent_delivered_and_priced(void **state)
{
    struct heard heard = { 0 };
    struct sim_store *store = sim_store_new();
    struct sim_life *life = sim_life_new(store, "+15005550006", on_change, &heard);

    (void)state;
    sim_life_set_delays(life, &delays);
    assert_int_equal(sim_life_run(life, 0, 100), INT64_MAX);
    struct sim_message *m = add(store, NULL, 0, 1000000);
    assert_int_equal(sim_life_run(life, 1000000, 100), 1000010);
    assert_int_equal(sim_life_run(life, 1000049, 100), 1000050);
    assert_int_equal(heard.count, 0);  // queued was in the answer
    assert_int_equal(sim_life_run(life, 1000050, 100), 1000150);
    assert_int_equal(m->status, SIM_STATUS_SENT);
    assert_int_equal(m->sent_s, 1);
    assert_int_equal(sim_life_run(life, 1000150, 100), 1000180);
    assert_int_equal(m->status, SIM_STATUS_DELIVERED);
    assert_false(m->price_known);
    assert_int_equal(sim_life_run(life, 1000180, 100), INT64_MAX);
    assert_true(m->price_known);
    assert_int_equal(heard.count, 2);
    sim_life_free(life);
    sim_store_free(store);
}

static void a_service_picks_its_sender_first(void **state)
{
    struct heard heard = { 0 };
    struct sim_store *store = sim_store_new();
    struct sim_life *life = sim_life_new(store, "+15005550006", on_change, &heard);
    struct sim_message *m = add(store, "MG1", 0, 1000000);

    (void)state;
    sim_life_set_delays(life, &delays);
    assert_int_equal(m->status, SIM_STATUS_ACCEPTED);
    assert_null(m->from);
    (void)sim_life_run(life, 1000010, 100);
    assert_int_equal(m->status, SIM_STATUS_QUEUED);
    assert_string_equal(m->from, "+15005550006");
    (void)sim_life_run(life, 2000000, 100);
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.at[0].status, SIM_STATUS_QUEUED);
    assert_int_equal(heard.at[1].status, SIM_STATUS_SENT);
    assert_int_equal(heard.at[2].status, SIM_STATUS_DELIVERED);
    sim_life_free(life);
    sim_store_free(store);
}

static void a_failing_message_is_neither_sent_nor_priced(void **state)
{
    struct heard heard = { 0 };
    struct sim_store *store = sim_store_new();
    struct sim_life *life = sim_life_new(store, "+15005550006", on_change, &heard);
    struct sim_message *m = add(store, "MG1", 21610, 1000000);

    (void)state;
    sim_life_set_delays(life, &delays);
    assert_int_equal(sim_life_run(life, 2000000, 100), INT64_MAX);
    assert_int_equal(m->status, SIM_STATUS_FAILED);
    assert_int_equal(m->sent_s, 0);
    assert_false(m->price_known);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.at[1].status, SIM_STATUS_FAILED);
    sim_life_free(life);
    sim_store_free(store);
}

static void steps_never_overtake_and_come_in_slices(void **state)
{
    struct heard heard = { 0 };
    struct sim_store *store = sim_store_new();
    struct sim_life *life = sim_life_new(store, "+15005550006", on_change, &heard);
    const struct sim_life_delays backwards = { 0, 500, 100, 0 };

    (void)state;
    sim_life_set_delays(life, &backwards);
    for (int i = 0; i < 10; i++)
        (void)add(store, NULL, 0, 0);
    assert_int_equal(sim_life_run(life, 400, 100), 500);
    assert_int_equal(heard.count, 0);  // delivered waits for sent
    int slices = 0;
    while (sim_life_run(life, 500, 3) != INT64_MAX)
        slices++;
    assert_int_equal(slices, 9);  // of 10: the last one finds nothing more
    assert_int_equal(heard.count, 20);
    bool sent[11] = { false };
    for (size_t i = 0; i < heard.count; i++) {
        if (heard.at[i].status == SIM_STATUS_DELIVERED)
            assert_true(sent[heard.at[i].number]);
        sent[heard.at[i].number] = true;
    }
    sim_life_free(life);
    sim_store_free(store);
}

static void new_delays_count_for_messages_on_their_way(void **state)
{
    struct heard heard = { 0 };
    struct sim_store *store = sim_store_new();
    struct sim_life *life = sim_life_new(store, "+15005550006", on_change, &heard);
    const struct sim_life_delays later = { 10, 5000, 6000, 0 };

    (void)state;
    sim_life_set_delays(life, &delays);
    (void)add(store, NULL, 0, 0);
    assert_int_equal(sim_life_run(life, 20, 100), 50);
    sim_life_set_delays(life, &later);
    assert_int_equal(sim_life_run(life, 60, 100), 5000);
    assert_int_equal(heard.count, 0);
    sim_life_free(life);
    sim_store_free(store);
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
        cmocka_unit_test(steps_never_overtake_and_come_in_slices),
        cmocka_unit_test(new_delays_count_for_messages_on_their_way),
        cmocka_unit_test(the_queue_gives_back_in_order_while_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
